import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Backend } from '../../src/adapters/adapter.ts';
import { backendAt } from '../support/backend-at.ts';
import { startWireBackend, type WireBackend } from '../support/wire-backend.ts';

/** What a server answers at a route; a string is sent as plain text. */
export type Routes = Record<
  string,
  { readonly status?: number; readonly headers?: Record<string, string>; readonly body: unknown }
>;

export interface Served {
  readonly backend: Backend;
  /** What was asked, as `GET /path`. */
  readonly asked: string[];
}

/** A server with those routes (`GET /path`) and 404 elsewhere; it closes with the test. */
export async function serve(routes: Routes): Promise<Served> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const route = `${request.method} ${request.url}`;
    asked.push(route);
    const { status = 200, headers, body } = routes[route] ?? { status: 404, body: 'nothing here' };
    const text = typeof body === 'string';
    response.writeHead(status, {
      'content-type': text ? 'text/plain' : 'application/json',
      ...headers,
    });
    response.end(text ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { backend: at(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), asked };
}

/** A server that answers as that backend; it closes with the test. */
export async function serveWire(name: string): Promise<WireBackend & { backend: Backend }> {
  const wire = await startWireBackend(name);
  onTestFinished(() => wire.close());
  return { ...wire, backend: at(wire.url) };
}

function at(baseUrl: string): Backend {
  return backendAt(baseUrl);
}
