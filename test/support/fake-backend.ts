import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { asksForRoute } from './probes.ts';

/** A request as the backend got it. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** What a backend does with a call that is not a probe. */
export type Behaviour = (received: Received, response: ServerResponse) => void | Promise<void>;

export interface FakeBackend {
  readonly url: string;
  readonly port: number;
  /** Calls in the order of their arrival, without probes. */
  readonly received: readonly Received[];
  /** Calls whose connection closed before their answer was over. */
  readonly aborted: () => number;
  /** Open connections. */
  readonly sockets: ReadonlySet<Socket>;
  /** Connections ever opened. */
  readonly connections: () => number;
  behave: Behaviour;
  /** Answers `GET path` with JSON of its own, made anew each time. */
  serve(path: string, answer: () => unknown): void;
  /** Lets further probes wait for this many milliseconds. */
  delayProbes(delay: number): void;
  close(): Promise<void>;
  /** Listens again, on the same port. */
  reopen(): Promise<void>;
}

/** A plain OpenAI-compatible backend whose every behaviour a test decides; it closes with the test. */
export async function fakeBackend(
  behave: Behaviour = (_, response) => json(response, 200, { ok: true }),
  options: { readonly models?: readonly string[]; readonly keepAliveTimeout?: number } = {},
): Promise<FakeBackend> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  let aborted = 0;
  let connections = 0;
  let probeDelay = 0;
  const own = new Map<string, () => unknown>();
  const server = createServer((request, response) => {
    void (async () => {
      if (request.method === 'GET') {
        if (probeDelay > 0) await sleep(probeDelay);
        response.setHeader('connection', 'keep-alive');
        const answer = own.get(request.url!);
        if (answer) return json(response, 200, answer());
        const data = (options.models ?? ['m']).map((id) => ({ id, object: 'model' }));
        json(response, request.url!.split('?')[0]!.endsWith('/v1/models') ? 200 : 404, {
          object: 'list',
          data,
        });
        return;
      }
      // A client that leaves while still sending its body.
      request.on('error', () => {});
      response.on('close', () => {
        if (!response.writableFinished) aborted += 1;
      });
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of request) chunks.push(chunk as Buffer);
      } catch {
        return;
      }
      const one: Received = {
        method: request.method!,
        path: request.url!,
        headers: request.headers,
        rawHeaders: request.rawHeaders,
        body: Buffer.concat(chunks),
      };
      if (asksForRoute(one.path, one.body)) {
        const error = { message: 'Not Found', type: 'invalid_request_error', code: null };
        json(response, 404, { error });
        return;
      }
      received.push(one);
      await backend.behave(one, response);
    })();
  });
  if (options.keepAliveTimeout !== undefined) server.keepAliveTimeout = options.keepAliveTimeout;
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', resolve);
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const backend: FakeBackend = {
    url: `http://127.0.0.1:${port}`,
    port,
    received,
    aborted: () => aborted,
    sockets,
    connections: () => connections,
    behave,
    serve: (path, answer) => void own.set(path, answer),
    delayProbes: (delay) => {
      probeDelay = delay;
    },
    reopen: () => listen(port),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  onTestFinished(() => backend.close());
  return backend;
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** One chunk of a chat stream. */
export function chatChunk(content: string): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: null }];
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'm', choices })}\n\n`;
}

export function startEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
}

/** A port on which nothing listens. */
export async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
