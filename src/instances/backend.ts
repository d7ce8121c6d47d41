import { getGlobalDispatcher, type Dispatcher } from 'undici';
import type { AdapterOptions, Backend, Reply } from '../adapters/adapter.ts';

/** Bytes of an answer that are read; no list of models is longer. */
const MAX_ANSWER = 8 * 1024 * 1024;

export interface BackendOptions {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds for a request and its whole answer. */
  readonly timeout: number;
  /** What the config says to the adapter. */
  readonly options?: AdapterOptions;
  /** Ends requests early. */
  readonly signal?: AbortSignal;
  /** Read anew for each request. Default: undici's global one. */
  readonly dispatcher?: Dispatcher;
}

/** @returns A backend as a probe sees it, over HTTP. Redirects are answers like others. */
export function connectBackend(options: BackendOptions): Backend {
  return {
    ...(options.options && { options: options.options }),
    get: (path) => request(options, { method: 'GET', path }),
    post: (path, body) => request(options, { method: 'POST', path, body: JSON.stringify(body) }),
  };
}

interface Message {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

async function request(options: BackendOptions, { method, path, body }: Message): Promise<Reply> {
  const { origin, pathname } = new URL(options.baseUrl);
  const limit = AbortSignal.timeout(options.timeout);
  const {
    statusCode,
    headers,
    body: stream,
  } = await (options.dispatcher ?? getGlobalDispatcher()).request({
    origin,
    path: pathname.replace(/\/+$/, '') + path,
    method,
    headers: {
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...options.headers,
    },
    body: body ?? null,
    signal: options.signal ? AbortSignal.any([options.signal, limit]) : limit,
  });
  const text = await readText(stream);
  return { status: statusCode, headers: flat(headers), text, json: parse(text) };
}

/** Reads as much as may be read; the rest of an endless answer is left, and so is its connection. */
async function readText(stream: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_ANSWER) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, MAX_ANSWER);
}

function flat(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Health answers are often plain text or nothing; whoever needs JSON looks for it.
    return undefined;
  }
}
