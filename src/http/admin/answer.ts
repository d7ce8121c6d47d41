import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { EditError } from '../../config/edit/edit-error.ts';
import { authenticateAdmin, checkBrowser } from '../auth.ts';
import { ClientGone, readBody } from '../body.ts';
import { gatewayError, type HttpError } from '../errors.ts';
import type { Gateway } from '../gateway.ts';
import { asHttpError } from '../internal-error.ts';
import { sendJson } from '../json-answer.ts';
import { check } from './check.ts';
import { matchRoute, methodsAt } from './match.ts';
import type { JsonRoute } from './route.ts';

/** Nothing of it may be kept by a browser or a proxy. */
const OWN_HEADERS = { 'cache-control': 'no-store' };

/** Answers a request below `/admin`. Rejects only on a bug. */
export async function answerAdmin(
  gateway: Gateway,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let headers: OutgoingHttpHeaders = OWN_HEADERS;
  try {
    headers = { ...headers, ...checkBrowser(request, gateway.snapshot.config.server) };
    authenticateAdmin(request.headers, gateway);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const method = request.method ?? 'GET';
    const found = matchRoute(method, pathname);
    if (!found) throw noRoute(method, pathname);
    const { route } = found;
    const checked = {
      gateway,
      params: route.params && check(route.params, found.params, 'path'),
      query: route.query && check(route.query, Object.fromEntries(searchParams), 'query'),
    };
    if ('events' in route) {
      route.open({ ...checked, body: undefined }, { request, response, headers });
      return;
    }
    const body = await readAdminBody(route, request, gateway);
    sendJson(response, 200, await route.handle({ ...checked, body }), headers);
  } catch (thrown) {
    if (thrown instanceof ClientGone) return;
    const error = asHttpError(gateway, isEditError(thrown) ? editError(thrown) : thrown);
    const { method, url } = request;
    gateway.log.say('warn', `${error.status} ${method} ${url?.split('?')[0]}: ${error.message}`);
    sendJson(response, error.status, { error: error.body }, { ...headers, ...error.headers });
  }
}

async function readAdminBody(
  { body: schema }: JsonRoute,
  request: IncomingMessage,
  { snapshot }: Gateway,
): Promise<unknown> {
  if (!schema) return undefined;
  const bytes = await readBody(request, snapshot.config.server.maxBodySize);
  if (bytes.length === 0) return check(schema, undefined, 'body');
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    // The message quotes what stands there, which may be a secret, and goes into the log as well.
    const at = /at position \d+/.exec((error as Error).message)?.[0];
    throw gatewayError('invalid_json', `The request body is not valid JSON${at ? ` ${at}` : ''}.`);
  }
  return check(schema, value, 'body');
}

/** By its name: the config's code is given to us, not imported. */
function isEditError(thrown: unknown): thrown is EditError {
  return thrown instanceof Error && thrown.name === 'EditError';
}

/** A change of the config that was not made. */
function editError({ reason, message }: EditError): HttpError {
  const code = {
    conflict: 'config_conflict',
    uneditable: 'config_not_editable',
    missing: 'version_not_found',
  } as const;
  return gatewayError(code[reason], `The config was not changed: ${message}.`);
}

function noRoute(method: string, path: string): HttpError {
  const methods = methodsAt(path);
  if (methods.length === 0) {
    return gatewayError(
      'unknown_route',
      `There is no ${method} ${path} here; GET /admin/openapi.json lists what there is.`,
    );
  }
  return gatewayError(
    'method_not_allowed',
    `${path} takes ${methods.join(' or ')}, not ${method}.`,
    { headers: { allow: [...methods, 'OPTIONS'].join(', ') } },
  );
}
