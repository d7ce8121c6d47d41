import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { UserError } from './user-error.ts';

/** Where a server is and what opens it. */
export interface ServerAddress {
  /** Without a trailing slash. */
  readonly url: string;
  readonly token: string;
  /**
   * It is known from its own state file: whoever listens there on this machine is who wrote it, and
   * a certificate of its own making says no more.
   */
  readonly own: boolean;
}

/** One server-sent event of the management API; `data` is read from its JSON. */
export interface AdminEvent {
  readonly event: string;
  /** Absent on those that are not resumed from, such as snapshots. */
  readonly id: string | undefined;
  readonly data: unknown;
}

/** What the management API refused. */
class RefusedByServer extends UserError {
  readonly status: number;
  readonly code: string | null;

  constructor(status: number, { message, code }: { message: string; code: string | null }) {
    super(message, code === 'invalid_config' ? 2 : 1);
    this.name = 'RefusedByServer';
    this.status = status;
    this.code = code;
  }
}

/** The connection to a running server's `/admin`. */
export interface AdminClient {
  readonly url: string;
  /**
   * @param path Below the server's root, such as `/admin/status`.
   * @throws RefusedByServer; UserError with exit code 3 when nobody answers there.
   */
  get<T>(path: string): Promise<T>;
  send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T>;
  /**
   * Reads `/admin/events` until it ends or `signal` aborts.
   * @param options.after The id of the last event that arrived.
   * @throws As `get`, when it could not be opened.
   */
  events(options: {
    readonly after?: string | undefined;
    readonly signal: AbortSignal;
    readonly onEvent: (event: AdminEvent) => void;
    readonly onOpen?: () => void;
  }): Promise<void>;
  /**
   * Makes a call as any client does: without the admin token, and with all the time it takes.
   * @throws As `get`, when nobody answers there; whatever the answer's status is, it is an answer.
   */
  call(request: ClientCall): Promise<ClientAnswer>;
}

export interface ClientCall {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Spans are milliseconds from the beginning of the call. */
export interface ClientAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly firstByte: number;
  readonly duration: number;
}

/** Milliseconds without a byte after which a connection counts as lost; snapshots come each second. */
const SILENCE = 15_000;

export function connectAdmin(server: ServerAddress): AdminClient {
  const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await open(server, { method, path, body });
    return readAnswer(response) as Promise<T>;
  };
  return {
    url: server.url,
    get: (path) => ask('GET', path),
    send: (method, path, body) => ask(method, path, body),
    async events({ after, signal, onEvent, onOpen }) {
      const response = await open(server, {
        method: 'GET',
        path: '/admin/events',
        headers: after === undefined ? {} : { 'last-event-id': after },
        signal,
      });
      if (response.statusCode !== 200) await readAnswer(response);
      onOpen?.();
      await readEvents(response, onEvent);
    },
    async call({ path, headers, body }) {
      const began = performance.now();
      const response = await send(server, { method: 'POST', path, headers, body });
      let firstByte: number | undefined;
      const chunks: Buffer[] = [];
      for await (const chunk of response) {
        firstByte ??= performance.now() - began;
        chunks.push(chunk as Buffer);
      }
      const duration = performance.now() - began;
      return {
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: Buffer.concat(chunks),
        firstByte: firstByte ?? duration,
        duration,
      };
    },
  };
}

interface Question {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Asks the management API. */
function open(
  server: ServerAddress,
  { method, path, body, headers, signal }: Question,
): Promise<IncomingMessage> {
  const json = body === undefined ? undefined : JSON.stringify(body);
  return send(server, {
    method,
    path,
    body: json,
    headers: {
      authorization: `Bearer ${server.token}`,
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    timeout: SILENCE,
    ...(signal && { signal }),
  });
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
  /** Milliseconds without a byte after which it is given up; absent: never. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** Node's own client: fetch would cost each command some tens of milliseconds to load. */
function send(
  server: ServerAddress,
  { body, path, headers, ...sent }: Sent,
): Promise<IncomingMessage> {
  const secure = server.url.startsWith('https:');
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(
      server.url + path,
      {
        ...sent,
        headers: {
          ...headers,
          ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
        },
        ...(secure && server.own && { rejectUnauthorized: false }),
      },
      resolve,
    );
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', (error) => reject(unreachable(server.url, error)));
    request.end(body);
  });
}

function unreachable(url: string, error: NodeJS.ErrnoException): Error {
  if (error.name === 'AbortError') return error;
  const reason = REASONS[error.code ?? ''] ?? error.message;
  return new UserError(`no jairouter server answers at ${url}: ${reason}`, 3);
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'unknown host',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
};

async function readAnswer(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const status = response.statusCode ?? 0;
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new UserError(
      `what answers there is no jairouter server, or an older one (status ${status})`,
      3,
    );
  }
  if (status === 200) return answer;
  const { error } = answer as { error?: { message: string; code: string | null } };
  throw new RefusedByServer(status, error ?? { message: `it answered ${status}`, code: null });
}

async function readEvents(
  response: IncomingMessage,
  onEvent: (event: AdminEvent) => void,
): Promise<void> {
  response.setEncoding('utf8');
  let pending = '';
  try {
    for await (const chunk of response) {
      const blocks = (pending + String(chunk)).split('\n\n');
      pending = blocks.pop()!;
      for (const block of blocks) {
        const event = readEvent(block);
        if (event) onEvent(event);
      }
    }
  } catch (error) {
    // Cut off, by either side or by silence: to the reader it has ended.
    const { code, name } = error as NodeJS.ErrnoException;
    const cut =
      name === 'AbortError' || code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
    if (!cut) throw error;
  }
}

/** Reads one event as our own server writes it: LF line ends, one `data` line. */
function readEvent(block: string): AdminEvent | undefined {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(': ');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2));
  }
  const data = fields.get('data');
  if (data === undefined) return undefined;
  return { event: fields.get('event') ?? 'message', id: fields.get('id'), data: JSON.parse(data) };
}
