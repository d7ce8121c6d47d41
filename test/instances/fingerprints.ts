import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { onTestFinished } from 'vitest';

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** `GET` paths, without query, and what they answer. */
export type Routes = Readonly<Record<string, Answer | 'hangs'>>;

/** @returns What a backend really answered, from the samples. */
function wire(sample: string): Answer {
  const file = new URL(`../fixtures/wire/${sample}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { response: Answer }).response;
}

/** What tells the kinds of servers from one another. */
export const KINDS = {
  ollama: {
    '/': wire('ollama/health'),
    '/api/version': wire('ollama/version'),
    '/api/tags': wire('ollama/tags'),
    '/api/ps': wire('ollama/ps'),
    '/v1/models': wire('ollama/models'),
  },
  vllm: {
    '/health': wire('vllm/health'),
    '/version': wire('vllm/version'),
    '/v1/models': wire('vllm/models'),
  },
  xinference: {
    '/v1/cluster/auth': wire('xinference/cluster-auth'),
    '/v1/models': wire('xinference/models'),
  },
  localai: {
    '/readyz': wire('localai/readyz'),
    '/version': wire('localai/version'),
    '/v1/models': wire('localai/models'),
    '/v1/models/capabilities': wire('localai/models-capabilities'),
  },
  gpustack: {
    '/version': wire('gpustack/version'),
    '/v1/models': wire('gpustack/models'),
  },
  llamacpp: {
    '/health': wire('llamacpp/health-ok'),
    '/v1/models': wire('llamacpp/models'),
  },
  lmstudio: {
    '/v1/models': { body: { object: 'list', data: [{ id: 'gemma-3-12b' }] } },
    '/version': { body: { error: 'Unexpected endpoint or method. (GET /version)' } },
  },
  sglang: {
    '/get_model_info': { body: { model_path: 'Qwen/Qwen3-8B', is_generation: true } },
    '/v1/models': wire('sglang/models'),
  },
  tei: { '/health': wire('tei/health'), '/info': wire('tei/info') },
  infinity: { '/health': wire('infinity/health'), '/models': wire('infinity/models') },
  'OpenAI-compatible server': {
    '/v1/models': { body: { object: 'list', data: [{ id: 'some-model' }] } },
  },
} as const satisfies Record<string, Routes>;

/**
 * Starts a server with these routes and no others; it is closed when the test is over.
 *
 * @param unlocked By `Authorization` header: the routes for who shows it.
 */
export async function fakeServer(
  routes: Routes,
  unlocked: Readonly<Record<string, Routes>> = {},
  port = 0,
): Promise<number> {
  const server = createHttpServer((req, res) => {
    const path = new URL(req.url!, 'http://any').pathname;
    const mine = unlocked[req.headers.authorization ?? ''] ?? routes;
    const answer = mine[path] ?? { status: 404, body: 'Not Found' };
    if (answer === 'hangs') return;
    const { status = 200, headers, body } = answer;
    res.writeHead(status, headers);
    res.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  onTestFinished(() => server.closeAllConnections());
  return portOf(server, port);
}

/** A port that takes connections and never says a word. */
export function silentPort(): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    onTestFinished(() => void socket.destroy());
  });
  return portOf(server);
}

/** A port where a connection is answered with something that is not HTTP. */
export function foreignPort(): Promise<number> {
  return portOf(
    createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.2\r\n')),
  );
}

/** A port where nobody listens. */
export async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function portOf(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}
