import { buildConnector, Pool, ProxyAgent, type Dispatcher } from 'undici';

export interface PoolOptions {
  /** Milliseconds until a connection attempt is given up. */
  readonly connectTimeout: number;
  /** Milliseconds that an idle socket may be used again. */
  readonly keepAlive: number;
  /** PEM text of an authority to trust beside the system's. */
  readonly ca?: string | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
  /** An HTTP proxy between us and the backend. */
  readonly proxy?: string | undefined;
}

/** On an error of a socket: the socket had carried an answer before, so it was reused. */
const REUSED = Symbol('reused');

/**
 * Opens the connections to one origin, as many as there are calls at once. undici's own time-outs
 * on answers are off: they are coarse, and a cold model load may take longer than their default.
 */
export function openPool(origin: string, options: PoolOptions): Dispatcher {
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
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  if (options.proxy !== undefined) {
    return new ProxyAgent({
      ...common,
      uri: options.proxy,
      requestTls: { ...tls, timeout: options.connectTimeout },
    });
  }
  const connect = buildConnector({ ...tls, timeout: options.connectTimeout });
  return new Pool(origin, {
    ...common,
    connect: (opts, callback) => {
      connect(opts, (...result) => {
        const [error, socket] = result;
        // Heard before undici's own listener, so that the mark is there when it passes the error on.
        if (!error) {
          socket.prependListener('error', (fault: Error & { [REUSED]?: boolean }) => {
            fault[REUSED] = socket.bytesRead > 0;
          });
        }
        callback(...result);
      });
    },
  });
}

/**
 * Whether a request that got no byte of an answer met a socket that had been used before: then
 * the backend most likely closed it while idle, and never saw the request.
 */
export function wasReused(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (REUSED in error) return error[REUSED] === true;
  // undici's SocketError ("other side closed") carries the socket's counters instead.
  const { socket } = error as Error & { socket?: { bytesRead?: number } };
  return (socket?.bytesRead ?? 0) > 0;
}

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
  const proxy = read(protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (proxy === undefined) return undefined;
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
