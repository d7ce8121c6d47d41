import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { buildConnector, Pool, ProxyAgent, type Dispatcher } from 'undici';

export interface PoolOptions {
  /** Milliseconds until a connection attempt is given up. */
  readonly connectTimeout: number;
  /** Milliseconds that an idle socket may be used again. */
  readonly keepAlive: number;
  /** Requests after which the backend closes a connection; absent: it does not count them. */
  readonly requestsPerConnection?: number | undefined;
  /** PEM text of an authority to trust beside the system's. */
  readonly ca?: string | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
  /** An HTTP proxy between us and the backend. */
  readonly proxy?: string | undefined;
}

/** On a socket: the bytes that it had read when its latest request was written. */
const READ_BEFORE = Symbol('read before');
/** On an error: its socket had been used before, and no byte had come since its latest request. */
const STALE = Symbol('stale');

interface Watched extends Socket {
  [READ_BEFORE]?: number;
}

subscribe('undici:client:sendHeaders', (message) => {
  const { socket } = message as { socket: Watched };
  socket[READ_BEFORE] = socket.bytesRead;
});

/**
 * Opens the connections to one origin, as many as there are calls at once. undici's own time-outs
 * on answers are off: they are coarse, and a cold model load may take longer than their default.
 *
 * @param connectTimeout Asked anew for each connection, unless there is a proxy.
 */
export function openPool(
  origin: string,
  options: PoolOptions,
  connectTimeout: () => number = () => options.connectTimeout,
): Dispatcher {
  const tls = {
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.rejectUnauthorized === undefined
      ? {}
      : { rejectUnauthorized: options.rejectUnauthorized }),
  };
  const common = {
    keepAliveTimeout: options.keepAlive,
    // A backend that advertises `Keep-Alive: timeout=N` is believed, less a second or more.
    keepAliveMaxTimeout: Math.max(options.keepAlive, 60_000),
    keepAliveTimeoutThreshold: 2000,
    // undici ends a connection with the request after this many.
    ...(options.requestsPerConnection === undefined
      ? {}
      : { maxRequestsPerClient: options.requestsPerConnection - 1 }),
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  if (options.proxy !== undefined) {
    const agent = new ProxyAgent({
      ...common,
      uri: options.proxy,
      requestTls: { ...tls, timeout: connectTimeout() },
      factory(url, settings) {
        const pool = new Pool(url, settings);
        behindProxy.set(agent, pool);
        return pool;
      },
    });
    return agent;
  }
  let timeout = connectTimeout();
  let connect = buildConnector({ ...tls, timeout });
  return new Pool(origin, {
    ...common,
    connect: (opts, callback) => {
      if (timeout !== connectTimeout()) {
        timeout = connectTimeout();
        connect = buildConnector({ ...tls, timeout });
      }
      connect(opts, (...result) => {
        const [error, socket] = result;
        // Heard before undici's own listener, so that the mark is there when it passes the error on.
        if (!error) {
          socket.prependListener('error', (fault: Error & { [STALE]?: boolean }) => {
            const before = (socket as Watched)[READ_BEFORE] ?? 0;
            fault[STALE] = before > 0 && socket.bytesRead === before;
          });
        }
        callback(...result);
      });
    },
  });
}

/** The pool that an agent has made for its one origin; it makes a new one after a time without use. */
const behindProxy = new WeakMap<Dispatcher, Pool>();

/** @returns How many connections are open, in use or idle. */
export function connectionsOf(dispatcher: Dispatcher): number {
  const pool = dispatcher instanceof Pool ? dispatcher : behindProxy.get(dispatcher);
  return pool?.stats.connected ?? 0;
}

/**
 * Whether a request met a socket that had been used before, and got no byte of an answer from it:
 * then the backend most likely closed it while idle, and never saw the request.
 */
export function wasStale(error: Error & { [STALE]?: boolean }): boolean {
  return error[STALE] === true && HUNG_UP.has((error as NodeJS.ErrnoException).code ?? '');
}
const HUNG_UP = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/**
 * The proxy that the environment wants for a backend, by the usual `HTTP_PROXY`, `HTTPS_PROXY`
 * and `NO_PROXY` (upper or lower case). Never one for this machine itself.
 */
export function proxyFor(
  baseUrl: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const { protocol, hostname, port } = new URL(baseUrl);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host === '::1' || host.startsWith('127.')) return undefined;
  const read = (name: string) => env[name.toLowerCase()] || env[name] || undefined;
  const named = read(protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (named === undefined) return undefined;
  // curl takes `host:port` too.
  const proxy = named.includes('://') ? named : `http://${named}`;
  if (!/^https?:/i.test(proxy) || !URL.canParse(proxy)) return undefined;
  const bypassed = (read('NO_PROXY') ?? '').split(/[\s,]+/).some((entry) => {
    if (entry === '*') return true;
    const [, domain = '', only] = /^\*?\.?([^:]*)(?::(\d+))?$/.exec(entry) ?? [];
    if (domain === '') return false;
    if (only !== undefined && only !== (port || (protocol === 'https:' ? '443' : '80')))
      return false;
    return host === domain || host.endsWith(`.${domain}`);
  });
  return bypassed ? undefined : proxy;
}
