import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject } from '../adapters/json.ts';
import type { Instance } from '../instances/instance.ts';
import { authenticate, checkBrowser } from './auth.ts';
import { gatewayError, type HttpError } from './errors.ts';
import { forward } from './forward.ts';
import type { Gateway } from './gateway.ts';
import { acceptableRequestId } from './headers.ts';
import { sendJson } from './json-answer.ts';
import type { Keeper } from './response-store.ts';
import { mayKeep } from './standing.ts';

const ROOT = '/v1/responses';
const PLACE = /^\/v1\/responses\/([^/]+)(?:\/(cancel|input_items))?$/;
/** What may be done with a response, by the method and what follows its id. */
const ACTIONS = ['GET', 'DELETE', 'POST cancel', 'GET input_items'] as const;
type Action = (typeof ACTIONS)[number];

/**
 * Answers what is asked of a response by its id: from memory, or from the backend that keeps it.
 * @throws HttpError
 */
export async function answerStored(
  gateway: Gateway,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { snapshot, responses } = gateway;
  const requestId = acceptableRequestId(request.headers['x-request-id']) ?? `req_${randomUUID()}`;
  const ownHeaders = {
    'x-request-id': requestId,
    ...checkBrowser(request, snapshot.config.server),
  };
  const key = authenticate(request.headers, snapshot.config.server)?.name;
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (request.headers.upgrade !== undefined) throw noWebsocket();
  const { id, action } = wantedOf(request.method ?? 'GET', url.pathname);
  const own = answerTo(action, { gateway, id, key, query: url.searchParams });
  if (own) {
    sendJson(response, 200, own, ownHeaders);
    return;
  }
  const instance = keeperOf(gateway, responses.keeper(id, key));
  if (!instance) throw notFound(id);
  const method = request.method as 'GET' | 'POST' | 'DELETE';
  const { path: place } = instance.adapter.operations.responses!;
  const path = place + url.pathname.slice(ROOT.length) + url.search;
  await forward(instance, { method, path, requestId, ownHeaders }, request, response);
}

/** The status upon which Codex asks again as everybody does, at once. */
function noWebsocket(): HttpError {
  return gatewayError(
    'websocket_unsupported',
    'There are no websockets here: POST to /v1/responses, with "stream" for events.',
    { headers: { upgrade: 'HTTP/1.1', connection: 'upgrade' } },
  );
}

function wantedOf(method: string, path: string): { id: string; action: Action } {
  const [, id, what] = PLACE.exec(path) ?? [];
  if (path === ROOT) {
    throw gatewayError('method_not_allowed', `${path} takes POST, not ${method}.`, {
      headers: { allow: 'POST, OPTIONS' },
    });
  }
  const action = what === undefined ? method : `${method} ${what}`;
  if (id === undefined || !(ACTIONS as readonly string[]).includes(action)) {
    throw gatewayError('unknown_route', `There is no ${method} ${path} here.`);
  }
  return { id: decodeURIComponent(id), action: action as Action };
}

interface Asked {
  readonly gateway: Gateway;
  readonly id: string;
  readonly key: string | undefined;
  readonly query: URLSearchParams;
}

/** @returns `undefined` when we do not have it. */
function answerTo(action: Action, { gateway, id, key, query }: Asked): JsonObject | undefined {
  const { responses } = gateway;
  const running = responses.running(id, key);
  const stored = responses.find(id, key);
  const response = stored?.response ?? running?.response;
  switch (action) {
    case 'GET':
      if (response && query.get('stream') === 'true') {
        throw gatewayError(
          'unsupported_parameter',
          'A response that is kept here can not be streamed again: ask for it without "stream".',
          { param: 'stream' },
        );
      }
      return response;
    case 'DELETE':
      return responses.delete(id, key) ? { id, object: 'response', deleted: true } : undefined;
    case 'POST cancel':
      if (running) {
        running.cancel();
        return { ...running.response, status: 'cancelled' };
      }
      if (!stored) return undefined;
      throw gatewayError(
        'response_not_running',
        `The response "${id}" is ${String(stored.response['status'])} already, and can not be cancelled.`,
      );
    case 'GET input_items': {
      const items = stored?.input ?? running?.input;
      return items && pageOf(items, query);
    }
  }
}

/** The page of a list that `limit`, `order` and `after` ask for; the newest first. */
function pageOf(items: readonly JsonObject[], query: URLSearchParams): JsonObject {
  const asked = Number(query.get('limit') ?? 20);
  const limit = asked >= 1 && asked <= 100 ? Math.floor(asked) : 20;
  const ordered = query.get('order') === 'asc' ? items : items.toReversed();
  const start = ordered.findIndex(({ id }) => id === query.get('after')) + 1;
  const data = ordered.slice(start, start + limit);
  return {
    object: 'list',
    data,
    first_id: data[0]?.['id'] ?? null,
    last_id: data.at(-1)?.['id'] ?? null,
    has_more: start + limit < ordered.length,
  };
}

/** Of an id that nobody has seen here, a backend that is the only one to keep any may know. */
function keeperOf({ fleet, snapshot }: Gateway, keeper: Keeper): Instance | undefined {
  const able = mayKeep(keeper, snapshot.config.server);
  const keepers = [...fleet.instances()].filter(able);
  return keepers.length === 1 ? keepers[0] : undefined;
}

function notFound(id: string): HttpError {
  return gatewayError(
    'response_not_found',
    `Response with id '${id}' not found: it was never made here, its "store" was false, or it has been forgotten for newer ones.`,
    { param: 'id' },
  );
}
