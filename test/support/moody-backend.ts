import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { json } from './fake-backend.ts';
import type { Mood } from './moods.ts';
import { asksForRoute } from './probes.ts';

/** Found in the body of each call, JSON or form, so that both ends can speak of the same one. */
const ID = /\bcall-\d+\b/;

/** A backend whose mood may change with every call, and that can go away and come back. */
export interface MoodyBackend {
  readonly url: string;
  mood: Mood;
  /** Calls whose answer is not over yet. */
  readonly open: ReadonlySet<ServerResponse>;
  /** Open connections. */
  readonly sockets: ReadonlySet<Socket>;
  /** Calls that have ever arrived. */
  readonly calls: () => number;
  /** When the answer to a call was over or torn, by the call's id; on the clock of `performance.now()`. */
  readonly endedAt: Map<string, number>;
  /** Closes its port and every connection. */
  down(): Promise<void>;
  /** Listens again, on the same port. */
  up(): Promise<void>;
}

/** @param random Uniform in [0, 1). */
export async function moodyBackend(mood: Mood, random: () => number): Promise<MoodyBackend> {
  const open = new Set<ServerResponse>();
  const sockets = new Set<Socket>();
  const endedAt = new Map<string, number>();
  let calls = 0;

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === 'GET') {
      json(response, 200, { object: 'list', data: [{ id: 'm', object: 'model' }] });
      return;
    }
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      // The gateway gave the call up while it was coming in: that is one of the cases.
      return;
    }
    const body = Buffer.concat(chunks);
    if (asksForRoute(request.url!, body)) {
      json(response, 404, { error: { message: 'Not Found' } });
      return;
    }
    const text = body.toString('latin1');
    const [id] = ID.exec(text) ?? ['none'];
    calls += 1;
    open.add(response);
    response.on('error', () => {});
    response.on('close', () => {
      open.delete(response);
      endedAt.set(id, performance.now());
    });
    await backend.mood({ response, stream: text.includes('"stream":true'), random });
  };
  const server = createServer((request, response) => {
    request.on('error', () => {});
    void serve(request, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const backend: MoodyBackend = {
    url: `http://127.0.0.1:${port}`,
    mood,
    open,
    sockets,
    calls: () => calls,
    endedAt,
    down: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    up: () => listen(port),
  };
  return backend;
}
