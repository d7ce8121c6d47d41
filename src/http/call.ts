import { randomUUID } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Config } from '../config/schema.ts';
import type { CaptureSettings } from '../config/settings.ts';
import { Capture } from '../observe/capture.ts';
import type { AttemptRecord, Ending, Outcome } from '../observe/outcome.ts';
import { short } from '../observe/short.ts';
import type { Trace } from '../observe/trace-context.ts';
import { guessTokens, type Usage } from '../observe/usage.ts';
import { errorsOf, OPERATIONS, speaksLines, type Operation } from '../service.ts';
import { authenticate, checkBrowser, type ApiKey } from './auth.ts';
import { readBody } from './body.ts';
import { gatewayError } from './errors.ts';
import { acceptableRequestId } from './headers.ts';
import type { Failure } from './failure.ts';
import { tee } from './tee.ts';
import { formFields, MalformedForm, parseForm, type Form } from '../adapters/multipart.ts';

/** A request that has been read: what routing and adapters need of it, and its bytes. */
export interface ClientRequest {
  body: Buffer;
  form: Form | undefined;
  /** Top-level JSON fields, or a form's text fields. */
  fields: Readonly<Record<string, unknown>>;
  /** Its bytes have been let go of, as they were sent: there can be no further attempt. */
  gone: boolean;
  /** As the client sent it. */
  readonly model: string | undefined;
  readonly stream: boolean;
  /** Sent on in place of the client's own, when that would mislead the backend. */
  readonly contentType: string | undefined;
}

/** A part of a call's way that takes time. */
export interface Step {
  /** The client went away. */
  abort(): void;
  /** It is to end for a reason of ours. */
  stop(failure: Failure): void;
}

/** A call's whole state; it travels the road once, and becomes one record at its end. */
export interface Call {
  readonly id: string;
  readonly at: number;
  /** On the clock of `performance.now()`. */
  readonly began: number;
  readonly operation: Operation;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Headers that go on every answer of this call. */
  readonly ownHeaders: OutgoingHttpHeaders;
  readonly attempts: AttemptRecord[];
  /** Its place in a trace, when traces are on. */
  trace: Trace | undefined;
  /** Gets a copy of its bodies, when the config wants that. */
  capture: Capture | undefined;
  /** Attempts so far, those that run included. */
  started: number;
  /** What runs or waits for it now: two attempts at the most. */
  readonly steps: Set<Step>;
  key: ApiKey | undefined;
  model: string | undefined;
  modelKnown: boolean;
  stream: boolean;
  bytesIn: number;
  bytesOut: number;
  events: number;
  firstByte: number | undefined;
  usage: Usage | undefined;
  upstreamModel: string | undefined;
  ending: Ending;
  error: string | undefined;
  errorKind: string | undefined;
  /** The error's code as the client gets it. */
  code: string | undefined;
  /** Where the rate limit stands that has refused it. */
  limit: string | undefined;
  /** Milliseconds that it has waited for anything but an answer, so far. */
  waited: number;
  /** Since when it waits for such a thing, on the clock of `began`. */
  waitsSince: number | undefined;
  /** The head of a stream has gone out before there was an answer. */
  keptAlive: boolean;
  /** An answer goes to the client. */
  answering: boolean;
  /** The client went away. */
  gone: boolean;
}

export function openCall(
  operation: Operation,
  request: IncomingMessage,
  response: ServerResponse,
): Call {
  const id = acceptableRequestId(request.headers['x-request-id']) ?? `req_${randomUUID()}`;
  return {
    id,
    at: Date.now(),
    began: performance.now(),
    operation,
    request,
    response,
    ownHeaders: {
      'x-request-id': id,
      // Where Anthropic's SDKs look for it.
      ...(errorsOf(operation) === 'anthropic' && { 'request-id': id }),
    },
    attempts: [],
    trace: undefined,
    capture: undefined,
    started: 0,
    steps: new Set(),
    key: undefined,
    model: undefined,
    modelKnown: false,
    stream: false,
    bytesIn: 0,
    bytesOut: 0,
    events: 0,
    firstByte: undefined,
    usage: undefined,
    upstreamModel: undefined,
    ending: 'error',
    error: undefined,
    errorKind: undefined,
    code: undefined,
    limit: undefined,
    waited: 0,
    waitsSince: undefined,
    keptAlive: false,
    answering: false,
    gone: false,
  };
}

/** Keeps a copy of what goes to and from the client. */
export function capture(call: Call, settings: CaptureSettings): void {
  call.capture = new Capture(settings, call.request.headers, call.began);
  tee(call.response, call.capture);
}

/**
 * Lets the client in and reads its request.
 * @throws HttpError for whatever is wrong with it; ClientGone.
 */
export async function readRequest(call: Call, server: Config['server']): Promise<ClientRequest> {
  Object.assign(call.ownHeaders, checkBrowser(call.request, server));
  call.key = authenticate(call.request.headers, server);
  const body = await readBody(call.request, server.maxBodySize);
  call.bytesIn = body.length;
  call.capture?.request(body);
  const contentType = call.request.headers['content-type'] ?? '';
  const isForm = /^multipart\/form-data\b/i.test(contentType);
  const accepted: readonly string[] = OPERATIONS[call.operation].body;
  if (!accepted.includes(isForm ? 'multipart' : 'json')) throw wrongKind(call.operation, isForm);

  const read = isForm ? readForm(body, contentType) : readJson(body);
  const { model, stream, stream_format: format } = read.fields;
  if (model !== undefined && model !== null && typeof model !== 'string') {
    throw gatewayError('missing_model', 'The field "model" must be a string.', { param: 'model' });
  }
  // Python's `requests` writes a form's booleans as `True`.
  call.stream = speaksLines(call.operation)
    ? stream !== false
    : stream === true || /^(true|1)$/i.test(String(stream)) || format === 'sse';
  return {
    body,
    ...read,
    gone: false,
    model: model || undefined,
    stream: call.stream,
    // `curl -d` labels JSON as a form, which strict backends refuse.
    contentType: isForm || /\bjson\b/i.test(contentType) ? undefined : 'application/json',
  };
}

function readJson(body: Buffer): Pick<ClientRequest, 'form' | 'fields'> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw gatewayError(
      'invalid_json',
      body.length === 0
        ? 'The request body is empty: send a JSON object with a "model".'
        : `The request body is not valid JSON: ${(error as Error).message}.`,
    );
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw gatewayError('invalid_json', 'The request body must be a JSON object.');
  }
  return { form: undefined, fields: parsed as Record<string, unknown> };
}

function readForm(body: Buffer, contentType: string): Pick<ClientRequest, 'form' | 'fields'> {
  try {
    const form = parseForm(body, contentType);
    return { form, fields: formFields(form) };
  } catch (error) {
    if (!(error instanceof MalformedForm)) throw error;
    throw gatewayError(
      'invalid_multipart',
      `The request body is not a valid multipart form: ${error.message}.`,
    );
  }
}

function wrongKind(operation: Operation, isForm: boolean): Error {
  const [route] = OPERATIONS[operation].routes;
  return isForm
    ? gatewayError('unsupported_media_type', `${route} takes JSON, not a multipart form.`)
    : gatewayError(
        'invalid_multipart',
        `${route} takes multipart/form-data with a file and a "model", not JSON.`,
      );
}

/** The call's record; to be made when it is over. */
export function outcomeOf(call: Call): Outcome {
  const { id, at, operation, stream, attempts, ending, events, usage } = call;
  const left = ending === 'aborted' && call.firstByte === undefined;
  return {
    id,
    trace: call.trace,
    at,
    path: short(call.request.url?.split('?')[0] ?? ''),
    operation,
    client: clientAddress(call.request),
    key: call.key?.name,
    model: short(call.model),
    modelKnown: call.modelKnown,
    instance: attempts.at(-1)?.instance,
    upstreamModel: short(call.upstreamModel),
    ending,
    status: left ? undefined : call.response.statusCode,
    error: short(call.error),
    errorKind: call.errorKind,
    code: short(call.code),
    stream,
    attempts,
    duration: performance.now() - call.began,
    limit: call.limit,
    waited: call.waited,
    firstByte: call.firstByte,
    events,
    bytesIn: call.bytesIn,
    bytesOut: call.bytesOut,
    usage,
    tokensGuessed: guessTokens(operation, events, usage),
  };
}

/** The address that the call came from; IPv4 without its IPv6 clothing. */
export function clientAddress(request: IncomingMessage): string {
  const address = request.socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
