import { readError } from '../adapters/errors.ts';
import type { Adapter } from '../adapters/adapter.ts';
import type { FailureKind } from '../gateway/protect/classify.ts';
import { retryAfter } from '../gateway/protect/retry-after.ts';
import type { OutgoingHttpHeaders } from 'node:http';
import { ERRORS, type ErrorBody, type ErrorCode } from './errors.ts';
import { responseHeaders } from './headers.ts';

/** Why an attempt gave no answer, and what the client is told if no other attempt does better. */
export interface Failure {
  readonly kind: FailureKind;
  readonly status: number;
  readonly body: ErrorBody;
  /** What it counts as: our own error's code, or the backend's status. */
  readonly errorKind: string;
  /** Of the backend's answer, where there was one: `retry-after` and the like. */
  readonly headers: OutgoingHttpHeaders;
  /** Milliseconds that the backend asks to be left alone. */
  readonly wait?: number | undefined;
  /** What to say of it where the instance is named already; absent: the message. */
  readonly clause?: string;
}

/** The instance as messages name it. */
export interface Source {
  readonly name: string;
  readonly origin: string;
  readonly adapter: Pick<Adapter, 'name' | 'verdict'>;
  /** Takes its credentials out of a text. */
  mask(text: string): string;
}

/** An attempt that never got an answer. */
export function transportFailure(
  kind: 'unreachable' | 'broken' | 'timeout',
  message: string,
): Failure {
  const code: ErrorCode = kind === 'timeout' ? 'upstream_timeout' : 'upstream_unreachable';
  return ownFailure(kind, code, message);
}

/**
 * An attempt that an error of its connection ended.
 * @param what Such as `Could not get an answer`.
 */
export function connectionFailure(
  kind: 'unreachable' | 'broken',
  what: string,
  { source: { name, origin }, error }: { readonly source: Source; readonly error: Error },
): Failure {
  const clause = describeSocketError(error);
  const stop = clause.endsWith('?') ? '' : '.';
  const message = `${what} from "${name}" at ${origin}: ${clause}${stop}`;
  return { ...transportFailure(kind, message), clause };
}

/** An answer that is no answer: garbage, an error page, a stream that ends too soon. */
export function badAnswer(message: string): Failure {
  return ownFailure('broken', 'upstream_unreachable', message);
}

/** The server stops, and does not wait any longer. */
export function shutdownFailure(): Failure {
  const message = 'jairouter is shutting down; try again in a moment.';
  return ownFailure('answer', 'shutting_down', message);
}

/** An instance serves another embedding model under a name than those before it. */
export function embeddingMismatch(message: string): Failure {
  return ownFailure('answer', 'embedding_mismatch', message);
}

/** The client no longer wants the answer that it is being given. */
export function cancelledFailure(): Failure {
  return ownFailure('answer', 'response_cancelled', 'The response was cancelled.');
}

function ownFailure(kind: FailureKind, code: ErrorCode, message: string): Failure {
  const { status, type } = ERRORS[code];
  return {
    kind,
    status,
    body: { message, type, param: null, code },
    errorKind: code,
    headers: {},
  };
}

/** An error answer, in whatever dialect it came. */
export function answerFailure(
  source: Source,
  answer: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly text: string;
  },
): Failure {
  const contentType = answer.headers['content-type'];
  const read = (status: number) => readError(status, contentType?.toString(), answer.text);
  const told = read(answer.status);
  const status = source.adapter.verdict?.(answer.status, told.message) ?? answer.status;
  // The type and code that a wrong status suggested are wrong too.
  const error = status === answer.status ? told : read(status);
  const headers = responseHeaders(answer.headers, false);
  delete headers['content-type'];
  delete headers['content-encoding'];
  const refused = status === 401 || status === 403;
  const hint = refused ? ` (${refusedCredentials(source, status)})` : '';
  const body = { ...error, message: source.mask(error.message) + hint };
  return {
    kind: 'answer',
    status,
    body,
    errorKind: String(status),
    headers,
    wait: retryAfter(answer, Date.now()),
  };
}

/** An error that came as an event of a stream, or as the body of a 200. */
export function eventFailure(
  source: Source,
  { status: told, ...body }: ErrorBody & { readonly status: number },
): Failure {
  // An event has no status to begin with: what fails within a stream is a 500 until it says more.
  const verdict = told >= 500 ? source.adapter.verdict?.(500, body.message) : undefined;
  const blamesClient = verdict !== undefined && verdict < 500;
  const status = blamesClient ? verdict : told;
  const type = blamesClient ? 'invalid_request_error' : body.type;
  return {
    kind: 'answer',
    status,
    body: { ...body, type, message: source.mask(body.message) },
    errorKind: String(status),
    headers: {},
  };
}

function refusedCredentials({ name }: Source, status: number): string {
  return `instance "${name}" answered ${status}: check instances.${name}.apiKey`;
}

const SOCKET_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused; is it running?',
  ECONNRESET: 'it closed the connection without an answer',
  EPIPE: 'it closed the connection without an answer',
  UND_ERR_SOCKET: 'it closed the connection without an answer',
  ENOTFOUND: 'its host name is unknown; check baseUrl',
  EAI_AGAIN: 'its host name could not be looked up; check the network',
  EHOSTUNREACH: 'no route to its host; check baseUrl and the network',
  ENETUNREACH: 'no route to its network; check baseUrl and the network',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
};

/** One clause on an error of the connection, fit for a message. */
function describeSocketError(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return (code !== undefined && SOCKET_ERRORS[code]) || error.message || code || error.name;
}
