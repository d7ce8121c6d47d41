import { isDeepStrictEqual } from 'node:util';
import type { Dispatcher } from 'undici';
import type { Backend } from '../adapters/adapter.ts';
import { connectBackend } from './backend.ts';
import { connectionsOf, openPool } from './pool.ts';
import type { InstanceSettings } from './settings.ts';

/** The way to one backend: its address, what is sent with every request, and its sockets. */
export class Connections {
  /** Scheme, host and port. */
  readonly origin: string;
  /** What `baseUrl` has after the host; without a trailing slash. */
  readonly basePath: string;
  /** Credentials and the config's own headers, lower-case names, as sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  #settings: InstanceSettings;
  #dispatcher: Dispatcher | undefined;
  /** Attempts that may still want a connection. */
  #users = 0;
  #unused: (() => void) | undefined;

  constructor(settings: InstanceSettings) {
    this.#settings = settings;
    const url = new URL(settings.baseUrl);
    this.origin = url.origin;
    this.basePath = url.pathname.replace(/\/+$/, '');
    this.headers = ownHeaders(settings);
  }

  update(settings: InstanceSettings): void {
    const { pool } = this.#settings;
    this.#settings = settings;
    // Through a proxy the time-out is the pool's own.
    if (settings.pool.proxy !== undefined && !isDeepStrictEqual(settings.pool, pool)) {
      void this.#dispatcher?.close();
      this.#dispatcher = undefined;
    }
  }

  /** Opened by the first use. */
  get dispatcher(): Dispatcher {
    this.#dispatcher ??= openPool(
      this.origin,
      this.#settings.pool,
      () => this.#settings.pool.connectTimeout,
    );
    return this.#dispatcher;
  }

  /** Where the backend is, without a trailing slash. */
  get address(): string {
    return this.origin + this.basePath;
  }

  /** Those that are open now. */
  get count(): number {
    return this.#dispatcher ? connectionsOf(this.#dispatcher) : 0;
  }

  /** One for a single request; the caller closes it. */
  openFresh(): Dispatcher {
    return openPool(this.origin, this.#settings.pool);
  }

  /**
   * @param timeout Milliseconds for each request; asked anew each time.
   * @returns The backend as probes see it.
   */
  backend(timeout: () => number): Backend {
    const { headers, address } = this;
    const dispatcher = () => this.dispatcher;
    return connectBackend({
      baseUrl: address,
      headers,
      options: this.#settings.options,
      get timeout() {
        return timeout();
      },
      get dispatcher() {
        return dispatcher();
      },
    });
  }

  /**
   * Gets a file that an answer links to.
   * @throws Error when the backend does not give it.
   */
  async fetch(path: string, signal: AbortSignal): Promise<Buffer> {
    const { statusCode, body } = await this.dispatcher.request({
      origin: this.origin,
      path: this.basePath + path,
      method: 'GET',
      headers: { ...this.headers },
      signal,
    });
    const bytes = Buffer.from(await body.arrayBuffer());
    if (statusCode !== 200) throw new Error(`GET ${path} answered ${statusCode}`);
    return bytes;
  }

  /** An attempt begins, and may want a connection until `leave`. */
  enter(): void {
    this.#users += 1;
  }

  leave(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#unused?.();
  }

  /** Closes when nobody wants one any more, and settles then. */
  async retire(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#unused = resolve;
      if (this.#users === 0) resolve();
    });
    // Whoever has destroyed it meanwhile has closed it too.
    await this.close().catch(() => {});
  }

  /** Ends idle connections now and the others when their answers are over. */
  async close(): Promise<void> {
    await this.#dispatcher?.close();
  }

  /** Ends every connection now. */
  async destroy(): Promise<void> {
    await this.#dispatcher?.destroy();
  }
}

function ownHeaders({ adapter, apiKey, headers }: InstanceSettings): Record<string, string> {
  const own: Record<string, string> = apiKey === undefined ? {} : { ...adapter.auth(apiKey) };
  for (const [name, value] of Object.entries(headers)) own[name.toLowerCase()] = value;
  return own;
}
