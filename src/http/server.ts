import type { Server } from 'node:http';
import { toNodeHandler } from 'h3/node';
import { listen } from 'listhen';
import { createApp } from './app.ts';
import type { Gateway } from './gateway.ts';

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /**
   * Takes no new calls, waits for the running ones, and closes.
   * @param patience Milliseconds until what still runs is cut off.
   */
  close(patience: number): Promise<void>;
}

/** Longer than the keep-alive of every common client, so that it is never us who hang up on a request. */
const KEEP_ALIVE = 75_000;

/**
 * Opens the server.
 * @throws The socket's error (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`) when it can't listen there.
 */
export async function startServer(
  gateway: Gateway,
  address: { readonly host: string; readonly port: number },
): Promise<RunningServer> {
  const listener = await listen(toNodeHandler(createApp(gateway)), {
    hostname: address.host,
    // An empty range: a taken port is an error, never another port.
    port: { port: address.port, alternativePortRange: [1, 0], random: address.port === 0 },
    // Signals, output and the browser are the command's business.
    autoClose: false,
    showURL: false,
    qr: false,
    clipboard: false,
    open: false,
    tunnel: false,
    // Otherwise it would quietly bind `localhost` in place of every address.
    public: address.host === '0.0.0.0' || address.host === '::',
  });
  const server = listener.server as Server;
  server.keepAliveTimeout = KEEP_ALIVE;
  const { port } = listener.address;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return {
    url: `http://${host}:${port}`,
    port,
    async close(patience) {
      gateway.draining = true;
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      const deadline = performance.now() + patience;
      while (gateway.inFlight > 0 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      server.closeAllConnections();
      await closed;
    },
  };
}
