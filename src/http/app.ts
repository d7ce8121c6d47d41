import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { H3, HTTPError, type EventHandler } from 'h3';
import { ERROR_SHAPES, type ErrorShape } from '../dialects/error-shapes.ts';
import { modelEntry, modelPage } from '../dialects/messages/model-list.ts';
import { OPERATIONS, type Operation } from '../service.ts';
import { authenticate, checkBrowser, preflightHeaders } from './auth.ts';
import { gatewayError, renderError, type ErrorBody, type HttpError } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { findModel, listModels } from './models.ts';
import { asHttpError } from './internal-error.ts';
import { sendJson } from './json-answer.ts';
import { onNode } from './listener.ts';
import { answerOllama, OLLAMA_ROUTES } from './ollama.ts';
import { proxy } from './proxy.ts';
import { answerRoot } from './root.ts';
import { answerStored } from './stored-responses.ts';

interface Reply {
  readonly status: number;
  readonly body: unknown;
}
type Answer = (request: IncomingMessage, path: string) => Reply;

/** The route table. */
export function createApp(gateway: Gateway): H3 {
  const app = new H3({ silent: true, onError: (error) => errorResponse(error) });
  for (const operation of Object.keys(OPERATIONS) as Operation[]) {
    const handler = onNode((request, response) => {
      proxy(gateway, operation, request, response).catch((bug: unknown) => {
        asHttpError(gateway, bug);
        response.destroy();
      });
    });
    for (const route of OPERATIONS[operation].routes) app.post(route, handler);
  }

  const get = (route: string, handler: EventHandler): void => {
    app.get(route, handler);
    app.head(route, handler);
  };
  get(
    '/',
    onNode((request, response) => answerRoot(gateway, request, response)),
  );
  get(
    '/health',
    open(gateway, () => ({ status: 200, body: { status: 'ok' } })),
  );
  get(
    '/ready',
    open(gateway, () => readiness(gateway)),
  );
  get(
    '/v1/models',
    guarded(gateway, (request) => {
      const key = authenticate(request.headers, gateway.snapshot.config.server);
      const models = listModels(gateway.snapshot, gateway.fleet, key);
      const body = isAnthropic(request)
        ? modelPage(models, queryOf(request))
        : { object: 'list', data: models };
      return { status: 200, body };
    }),
  );
  get('/v1/models/**', guarded(gateway, oneModel(gateway)));
  for (const [method, route, handler] of OLLAMA_ROUTES) {
    app.on(
      method,
      route,
      onNode((request, response) => void answerOllama(gateway, handler, request, response)),
    );
  }
  const stored = storedResponse(gateway);
  app.get('/v1/responses/**', stored);
  app.delete('/v1/responses/**', stored);
  app.post('/v1/responses/**', stored);
  get(
    '/metrics',
    later(gateway, async (request, response) => {
      const { answerMetrics } = await import('./metrics.ts');
      await answerMetrics(gateway, request, response);
    }),
  );
  const admin = later(gateway, async (request, response) => {
    const { answerAdmin } = await import('./admin/answer.ts');
    await answerAdmin(gateway, request, response);
  });
  for (const route of ['/admin', '/admin/**']) {
    app.all(route, admin);
    app.options(route, preflight(gateway));
  }
  app.options('/**', preflight(gateway));
  app.all(
    '/**',
    open(gateway, (request, path) => {
      throw noRoute(request.method ?? 'GET', path);
    }),
  );
  return app;
}

/** For everybody who may reach us at all. */
function open(gateway: Gateway, answer: Answer) {
  return onNode((request, response) => {
    let headers: OutgoingHttpHeaders = {};
    try {
      headers = checkBrowser(request, gateway.snapshot.config.server);
      const { status, body } = answer(request, pathOf(request));
      sendJson(response, status, body, headers);
    } catch (thrown) {
      const error = asHttpError(gateway, thrown);
      const { method, url } = request;
      gateway.log.say('warn', `${error.status} ${method} ${url}: ${error.message}`);
      const body = errorShapeAt(request).body(error.body, { status: error.status });
      sendJson(response, error.status, body, { ...headers, ...error.headers });
    }
  });
}

/** For those who hold a key, where keys are set. */
function guarded(gateway: Gateway, answer: Answer) {
  return open(gateway, (request, path) => {
    authenticate(request.headers, gateway.snapshot.config.server);
    return answer(request, path);
  });
}

function oneModel(gateway: Gateway): Answer {
  return (request, path) => {
    const { snapshot, fleet } = gateway;
    const id = decodeURIComponent(path.slice('/v1/models/'.length));
    const key = authenticate(request.headers, snapshot.config.server);
    const model = findModel(id, snapshot, fleet, key);
    if (model) return { status: 200, body: isAnthropic(request) ? modelEntry(model) : model };
    throw gatewayError(
      'model_not_found',
      `No instance has a model "${id}". GET /v1/models lists what there is.`,
      { param: 'model' },
    );
  };
}

function readiness({ fleet }: Gateway): Reply {
  const instances = Object.fromEntries(
    [...fleet.instances()].map(({ name, state }) => [name, state]),
  );
  const ready = Object.values(instances).includes('healthy');
  return {
    status: ready ? 200 : 503,
    body: { status: ready ? 'ready' : 'not ready', instances },
  };
}

/** A response that its client comes back for. */
function storedResponse(gateway: Gateway) {
  return onNode((request, response) => {
    answerStored(gateway, request, response).catch((thrown: unknown) => {
      const error = asHttpError(gateway, thrown);
      if (response.headersSent) response.destroy();
      else sendJson(response, error.status, ERROR_SHAPES.responses.body(error.body), error.headers);
    });
  });
}

/** What not every run is asked for: its code is loaded by the first who asks. */
function later(
  gateway: Gateway,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
) {
  return onNode((request, response) => {
    answer(request, response).catch((bug: unknown) => {
      asHttpError(gateway, bug);
      response.destroy();
    });
  });
}

function preflight(gateway: Gateway) {
  return onNode((request, response) => {
    try {
      const allowed = checkBrowser(request, gateway.snapshot.config.server);
      response.writeHead(204, { ...allowed, ...preflightHeaders(request) }).end();
    } catch (thrown) {
      const error = asHttpError(gateway, thrown);
      sendJson(response, error.status, { error: error.body }, error.headers);
    }
  });
}

/** Anthropic's SDKs say so in each of their requests. */
function isAnthropic({ headers }: IncomingMessage): boolean {
  return headers['anthropic-version'] !== undefined;
}

/** How errors are told to a client of which no more is known than where it asks. */
function errorShapeAt(request: IncomingMessage): ErrorShape {
  const path = pathOf(request);
  if (path.startsWith('/api/')) return ERROR_SHAPES.ollama;
  const anthropic = isAnthropic(request) || path.startsWith('/v1/messages');
  return ERROR_SHAPES[anthropic ? 'anthropic' : 'openai'];
}

function noRoute(method: string, path: string): HttpError {
  const routes = Object.values(OPERATIONS).flatMap(({ routes: own }) => [...own]) as string[];
  if (routes.includes(path)) {
    return gatewayError('method_not_allowed', `${path} takes POST, not ${method}.`, {
      headers: { allow: 'POST, OPTIONS' },
    });
  }
  const meant = routes.find((route) => route === `/v1${path}` || `/v1${route}` === path);
  return gatewayError(
    'unknown_route',
    meant === undefined
      ? `There is no ${method} ${path} here.`
      : `There is no ${method} ${path} here; ${meant} is. Check the base URL that your tool is set to: ${baseOf(meant)}.`,
  );
}

/** What Anthropic's clients have as their base is the host alone. */
function baseOf(route: string): string {
  return route.startsWith('/v1/messages') ? 'it should not end in /v1' : 'it should end in /v1';
}

function queryOf(request: IncomingMessage): URLSearchParams {
  return new URLSearchParams((request.url ?? '').split('?')[1]);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?')[0]!;
}

/** What the framework itself refuses, such as a malformed path. */
function errorResponse(error: Error): Response {
  const status = HTTPError.isError(error) ? error.status : 500;
  const body: ErrorBody =
    status < 500
      ? gatewayError('invalid_url', `The request's URL is not valid: ${error.message}.`).body
      : gatewayError('internal_error', 'jairouter failed on this request. Please report it.').body;
  return new Response(renderError(body), {
    status,
    headers: { 'content-type': 'application/json' },
  });
}
