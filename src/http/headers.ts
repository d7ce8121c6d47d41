import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/** Meant for one connection only (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Request headers that end here. */
const NOT_FORWARDED = new Set([
  ...HOP_BY_HOP,
  // Ours to set anew.
  'host',
  'content-length',
  'content-encoding',
  'expect',
  // The client's credentials are for us; a backend gets its own instance's.
  'authorization',
  'x-api-key',
  'api-key',
  'xi-api-key',
  'x-goog-api-key',
  'cookie',
  // A backend that checks browser origins (Ollama) would take us for a page.
  'origin',
  'referer',
  // A compressed answer could not be watched for errors.
  'accept-encoding',
  // Ours, below.
  'x-request-id',
]);

/** Said to a provider by those who speak its dialect, and to nobody else. */
const OF_A_DIALECT = /^(anthropic|openai)-/;
/** Features on trial, which only their own provider has. */
const BETAS = 'anthropic-beta';

/** Answer headers that stay behind. */
const NOT_RELAYED = new Set([
  ...HOP_BY_HOP,
  'set-cookie',
  'alt-svc',
  // A backend's rules for browsers are about its own pages, not about ours.
  'strict-transport-security',
  'content-security-policy',
  'x-frame-options',
  'x-xss-protection',
  'x-content-type-options',
  'referrer-policy',
  'permissions-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'cross-origin-embedder-policy',
  // We make our own.
  'x-request-id',
]);

/**
 * The head of a request to a backend, as undici's flat list of names and values.
 *
 * @param own The instance's credentials and configured headers, lower-case names; they win.
 * @param call.length Bytes of the body; absent: nobody knows yet. Exactly one framing is ever sent.
 * @param call.usual Sent where nobody else says it.
 * @param call.translated The backend is asked in another dialect than the client's.
 * @param call.betas The backend is the provider whose features on trial clients ask for.
 */
export function requestHeaders(
  client: IncomingHttpHeaders,
  own: Readonly<Record<string, string>>,
  call: {
    readonly requestId: string;
    readonly length: number | undefined;
    readonly contentType?: string;
    readonly usual?: Readonly<Record<string, string>> | undefined;
    readonly translated?: boolean;
    readonly betas?: boolean | undefined;
    /** In place of the client's own, when we take part in the trace. */
    readonly traceparent?: string;
  },
): string[] {
  const named = listed(client.connection);
  const headers: string[] = [];
  for (const name in client) {
    if (NOT_FORWARDED.has(name) || name in own || named.has(name)) continue;
    if (name.startsWith('x-jairouter-') || name.startsWith('access-control-')) continue;
    if (name === 'content-type' && call.contentType !== undefined) continue;
    if (OF_A_DIALECT.test(name)) {
      if (call.translated || (name === BETAS && !call.betas)) continue;
    }
    if (call.traceparent !== undefined && name.startsWith('trace')) {
      // What others say of a trace holds only as long as it is the same.
      if (name === 'traceparent' || !isSameTrace(client['traceparent'], call.traceparent)) continue;
    }
    const value = client[name];
    if (typeof value === 'string') headers.push(name, value);
    else for (const one of value ?? []) headers.push(name, one);
  }
  if (call.contentType !== undefined) headers.push('content-type', call.contentType);
  if (call.traceparent !== undefined) headers.push('traceparent', call.traceparent);
  headers.push('accept-encoding', 'identity', 'x-request-id', call.requestId);
  if (call.length !== undefined) headers.push('content-length', String(call.length));
  for (const name in own) headers.push(name, own[name]!);
  for (const name in call.usual) {
    const told = name in own || (!call.translated && name in client);
    if (!told) headers.push(name, call.usual[name]!);
  }
  return headers;
}

/** Whether two `traceparent`s name the same trace. */
function isSameTrace(one: string | string[] | undefined, other: string): boolean {
  return typeof one === 'string' && one.trim().slice(3, 35) === other.slice(3, 35);
}

/**
 * The end-to-end headers of a backend's answer, ready to go to the client.
 * @param keepLength Whether the body goes on unchanged, so that its length still holds.
 */
export function responseHeaders(
  upstream: Readonly<Record<string, string | string[] | undefined>>,
  keepLength: boolean,
): OutgoingHttpHeaders {
  const named = listed(upstream['connection']);
  const headers: OutgoingHttpHeaders = {};
  for (const name in upstream) {
    if (NOT_RELAYED.has(name) || named.has(name)) continue;
    if (name.startsWith('x-jairouter-') || name.startsWith('access-control-')) continue;
    if (name === 'content-length' && !keepLength) continue;
    headers[name] = upstream[name];
  }
  return headers;
}

/** The header names that a `Connection` header declares to be hop-by-hop. */
function listed(connection: string | string[] | undefined): ReadonlySet<string> {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close')
    return NONE;
  return new Set(
    String(connection)
      .split(',')
      .map((name) => name.trim().toLowerCase()),
  );
}
const NONE: ReadonlySet<string> = new Set();

/** @returns The client's own request id if it is a plain token, so that it can be found in logs. */
export function acceptableRequestId(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value) ? value : undefined;
}
