import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { ADAPTERS, type AdapterName } from '../../src/adapters/index.ts';
import { PRESETS, type PresetName } from '../../src/adapters/presets.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { backendAt } from '../support/backend-at.ts';
import type { Instance } from '../../src/instances/instance.ts';
import type { Received } from '../support/fake-backend.ts';
import type { Operation } from '../../src/service.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { asksForRoute } from '../support/probes.ts';

/** What a backend answers: an object or array goes as JSON, a string as it is. */
export interface Scripted {
  readonly status?: number;
  /** `content-type` is JSON's for JSON, and none for text, unless told here. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}
/** A function that gives nothing answers by itself. */
export type Script =
  | Scripted
  | ((received: Received, response: ServerResponse) => Scripted | undefined);

export interface Scene extends TestGateway {
  /** All that the backend was asked, probes too. */
  readonly asked: readonly Received[];
  readonly post: TestGateway['post'];
  /** The last POST that came through the gateway. */
  readonly last: () => Received;
  /** Its JSON. */
  readonly json: () => Record<string, unknown>;
}

/** Adapters that are more than data. */
export type OwnName = Exclude<AdapterName, PresetName>;
export const OWN = (Object.keys(ADAPTERS) as AdapterName[]).filter(
  (name): name is OwnName => !(name in PRESETS),
);

/** What makes a probe of each kind content; `m` is a model of every service. */
const HEALTHY: Readonly<Record<OwnName, Readonly<Record<string, Script>>>> = {
  openai: { 'GET /v1/models': list({ id: 'm' }) },
  ollama: { 'GET /api/tags': { body: { models: [{ name: 'm', model: 'm', digest: 'd' }] } } },
  vllm: {
    'GET /health': { body: '' },
    'GET /v1/models': list({ id: 'm', owned_by: 'vllm' }),
  },
  xinference: { 'GET /v1/models': list({ id: 'm', owned_by: 'xinference' }) },
  localai: {
    'GET /readyz': { body: '' },
    'GET /v1/models/capabilities': list({ id: 'm' }),
  },
  gpustack: { 'GET /v1/models': list({ id: 'm', owned_by: 'gpustack' }) },
  llamacpp: {
    'GET /health': { body: { status: 'ok' } },
    'GET /v1/models': list({ id: 'm', owned_by: 'llamacpp' }),
  },
  lmstudio: { 'GET /v1/models': list({ id: 'm', owned_by: 'organization_owner' }) },
  sglang: { 'GET /v1/models': list({ id: 'm', owned_by: 'sglang' }) },
  tei: {
    'GET /health': { body: '' },
    'GET /info': { body: { model_id: 'm', model_type: { embedding: {} } } },
  },
  infinity: {
    'GET /health': { body: { unix: 1755850000.5 } },
    'GET /models': list({ id: 'm', owned_by: 'infinity' }),
  },
  anthropic: { 'GET /v1/models': list({ id: 'm', type: 'model' }) },
  azure: { 'GET /openai/v1/models': list({ id: 'm' }) },
  gemini: { 'GET /v1beta/openai/models': list({ id: 'models/m', owned_by: 'google' }) },
};

/** The adapters that have the operation. */
export function offering(operation: Operation): OwnName[] {
  return OWN.filter((name) => operation in ADAPTERS[name].operations);
}

export function list(...data: readonly object[]): Scripted {
  return { body: { object: 'list', data } };
}

/** A server with these routes, by `METHOD /path` without the query; others are 404 as FastAPI's. */
export async function scripted(
  routes: Readonly<Record<string, Script>>,
): Promise<{ url: string; asked: Received[] }> {
  const asked: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received: Received = {
        method: request.method!,
        path: request.url!,
        headers: request.headers,
        rawHeaders: request.rawHeaders,
        body: Buffer.concat(chunks),
      };
      asked.push(received);
      const path = request.url!.split('?')[0]!;
      // Only those for all paths, as they are meant for calls.
      const others = asksForRoute(path, received.body) ? undefined : routes[`${request.method} *`];
      const script = routes[`${request.method} ${path}`] ??
        others ?? { status: 404, body: { detail: 'Not Found' } };
      if (typeof script === 'function') {
        const given = script(received, response);
        if (given) send(response, given);
      } else {
        send(response, script);
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

function send(response: ServerResponse, { status = 200, headers, body = '' }: Scripted): void {
  const raw = typeof body === 'string' || Buffer.isBuffer(body);
  response.writeHead(status, raw ? headers : { 'content-type': 'application/json', ...headers });
  response.end(raw ? body : JSON.stringify(body));
}

/**
 * A running gateway before one scripted backend (instance `a`, model `m`).
 * @param routes Beside those that keep its probe content; `POST *` answers every call.
 */
export async function scene(
  adapter: OwnName,
  routes: Readonly<Record<string, Script>>,
  instance: Partial<NonNullable<ConfigInput['instances']>[string]> = {},
): Promise<Scene> {
  const backend = await scripted({ ...HEALTHY[adapter], ...routes });
  const gateway = await startGateway({
    instances: { a: { adapter, baseUrl: backend.url, ...instance } },
  });
  const calls = () =>
    backend.asked.filter(
      ({ method, path, body }) =>
        method === 'POST' && path !== '/api/show' && !asksForRoute(path, body),
    );
  return {
    ...gateway,
    asked: backend.asked,
    last: () => calls().at(-1)!,
    json: () => JSON.parse(calls().at(-1)!.body.toString()) as Record<string, unknown>,
  };
}

/** Posts a form; a `Buffer` is sent as a file. */
export function postForm(
  gateway: TestGateway,
  path: string,
  parts: readonly (readonly [name: string, value: string | Buffer])[],
): Promise<Response> {
  const form = new FormData();
  for (const [name, value] of parts) {
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, new Blob([new Uint8Array(value)]), 'a.wav');
  }
  return fetch(gateway.url + path, { method: 'POST', body: form });
}

/** The gateway's view of the backend. */
export function instanceOf({ gateway }: Scene): Instance {
  const [instance] = gateway.fleet.instances();
  return instance!;
}

/** A backend to be probed more than once. */
export async function probed(name: OwnName, routes: Readonly<Record<string, Script>>) {
  const { url, asked } = await scripted({ ...HEALTHY[name], ...routes });
  const backend = backendAt(url);
  return {
    /** What it finds, and what it asked to find it. */
    probe: async () => {
      const before = asked.length;
      const { models = [], ...result } = await ADAPTERS[name].probe(backend);
      return {
        ...result,
        services: Object.fromEntries(models.map(({ id, services }) => [id, services])),
        asked: asked.slice(before).map(({ method, path }) => `${method} ${path}`),
      };
    },
  };
}
