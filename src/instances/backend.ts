import type { Dispatcher } from 'undici';
import type { AdapterOptions, Backend, Reply } from '../adapters/adapter.ts';

/** Bytes of an answer that are read; no list of models is longer. */
const MAX_ANSWER = 8 * 1024 * 1024;

export interface BackendOptions {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds for a request and its whole answer. Read anew for each. */
  readonly timeout: number;
  /** What the config says to the adapter. */
  readonly options?: AdapterOptions;
  /** When every request is over, on the clock of `performance.now()`, whatever `timeout` allows. */
  readonly deadline?: number;
  /** Read anew for each request. */
  readonly dispatcher: Dispatcher;
}

/** @returns A backend as a probe sees it, over HTTP. Redirects are answers like others. */
export function connectBackend(options: BackendOptions): Backend {
  const { origin, pathname } = new URL(options.baseUrl);
  const basePath = pathname.replace(/\/+$/, '');
  const ask = (path: string, sent?: string): Promise<Reply> =>
    new Promise((resolve, reject) => {
      options.dispatcher.dispatch(
        {
          origin,
          path: basePath + path,
          method: sent === undefined ? 'GET' : 'POST',
          headers: {
            accept: 'application/json',
            ...(sent !== undefined && { 'content-type': 'application/json' }),
            ...options.headers,
          },
          body: sent ?? null,
        },
        new ReplyReader(options, { resolve, reject }),
      );
    });
  return {
    ...(options.options && { options: options.options }),
    get: (path) => ask(path),
    post: (path, body) => ask(path, JSON.stringify(body)),
  };
}

/**
 * Reads one answer. Probes run for as long as the gateway does, so each is kept as cheap as it can
 * be: undici's own `request` would make a stream and an abort signal for it.
 */
class ReplyReader implements Dispatcher.DispatchHandler {
  readonly #settle: { resolve: (reply: Reply) => void; reject: (error: Error) => void };
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #size = 0;
  #status = 0;
  #headers: Readonly<Record<string, string>> = {};
  #ended: Error | undefined;

  constructor(
    { timeout, deadline = Infinity }: BackendOptions,
    settle: { resolve: (reply: Reply) => void; reject: (error: Error) => void },
  ) {
    this.#settle = settle;
    this.#timer = setTimeout(
      () => this.#stop(new DOMException('no answer in time', 'TimeoutError')),
      Math.max(0, Math.min(timeout, deadline - performance.now())),
    );
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#ended) controller.abort(this.#ended);
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#status = status;
    this.#headers = flat(headers);
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size <= MAX_ANSWER) return;
    // The rest of an endless answer is left, and so is its connection.
    this.onResponseEnd();
    this.#stop(new Error('the answer is too long'));
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer);
    const text = Buffer.concat(this.#chunks).toString('utf8', 0, MAX_ANSWER);
    const { resolve } = this.#settle;
    resolve({ status: this.#status, headers: this.#headers, text, json: parse(text) });
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    clearTimeout(this.#timer);
    this.#settle.reject(error);
  }

  /** Also while there is no connection yet, which undici can't be told to give up. */
  #stop(reason: Error): void {
    this.#ended = reason;
    this.#controller?.abort(reason);
    this.#settle.reject(reason);
  }
}

function flat(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const all: Record<string, string> = {};
  for (const name in headers) all[name] = [headers[name]].flat().join(', ');
  return all;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Health answers are often plain text or nothing; whoever needs JSON looks for it.
    return undefined;
  }
}
