import { STATUS_CODES, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from 'listhen';
import { createApp } from './app.ts';
import { gatewayError, renderError, type ErrorCode } from './errors.ts';
import { shutdownFailure } from './failure.ts';
import type { Gateway } from './gateway.ts';
import { listenerFor } from './listener.ts';

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /**
   * Takes no new calls, waits for the running ones, and closes.
   * @param patience Milliseconds until what still runs is cut off.
   */
  close(patience: number): Promise<void>;
}

/** A certificate and its key, in PEM form, or one of our own making. */
export type HttpsOptions = 'self-signed' | { readonly cert: string; readonly key: string };

/** Days; a server that runs for long must not outlive its certificate. */
const SELF_SIGNED_FOR = 825;

/** Longer than the keep-alive of every common client, so that it is never us who hang up on a request. */
const KEEP_ALIVE = 75_000;

/**
 * Opens the server.
 * @throws The socket's error (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`) when it can't listen there.
 */
export async function startServer(
  gateway: Gateway,
  address: { readonly host: string; readonly port: number },
  https?: HttpsOptions,
): Promise<RunningServer> {
  const listener = await listen(listenerFor(createApp(gateway)), {
    hostname: address.host,
    https: https === 'self-signed' ? selfSigned(address.host) : (https ?? false),
    // An empty range: a taken port is an error, never another port.
    port: { port: address.port, alternativePortRange: [1, 0], random: address.port === 0 },
    // Signals, output and the browser are the command's business.
    autoClose: false,
    showURL: false,
    qr: false,
    clipboard: false,
    // It says nothing by itself then.
    isTest: true,
    open: false,
    tunnel: false,
    // Otherwise it would quietly bind `localhost` in place of every address.
    public: address.host === '0.0.0.0' || address.host === '::',
  });
  const server = listener.server as Server;
  server.keepAliveTimeout = KEEP_ALIVE;
  server.on('clientError', answerMalformed);
  const { port } = listener.address;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  gateway.url = `${https ? 'https' : 'http'}://${host}:${port}`;
  return {
    url: gateway.url,
    port,
    async close(patience) {
      gateway.draining = true;
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      const deadline = performance.now() + patience;
      while (gateway.calls.size > 0 && performance.now() < deadline) await sleep(20);
      // Streams are told that they end here; a moment later nothing is left to tell.
      for (const { steps } of gateway.calls) for (const step of steps) step.stop(shutdownFailure());
      if (gateway.calls.size > 0) await sleep(50);
      server.closeAllConnections();
      await closed;
    },
  };
}

function selfSigned(host: string): { validityDays: number; domains: string[] } {
  const names = ['localhost', '127.0.0.1', '::1'];
  const isEvery = host === '0.0.0.0' || host === '::';
  const domains = isEvery || names.includes(host) ? names : [...names, host];
  return { validityDays: SELF_SIGNED_FOR, domains };
}

/** What Node's parser refuses never becomes a request; the client still gets an error it can read. */
function answerMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  // Node's own handler looks there too: an answer that is being written must not get another inside.
  const { _httpMessage: answering } = socket as Duplex & { _httpMessage?: ServerResponse };
  if (!socket.writable || error.code === 'ECONNRESET' || answering?.headersSent) {
    socket.destroy();
    return;
  }
  const [code, message] =
    MALFORMED[error.code ?? ''] ??
    (['invalid_http', 'The request is not valid HTTP/1.1.'] as const);
  const { status, body } = gatewayError(code, message);
  const text = renderError(body);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}

const MALFORMED: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'The request headers are larger than 16 KB.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive whole in time.'],
};
