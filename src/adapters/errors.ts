import { asNumber, asObject, asObjects, asText, parseJson, type JsonObject } from './json.ts';

/** A backend's error in OpenAI's words. */
export interface BackendError {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
  /** What Anthropic's SDKs act upon (`error_code` and more). */
  readonly details?: JsonObject | undefined;
}

/**
 * Reads an error answer in any backend's dialect.
 * @param status The HTTP status that it came with.
 * @param contentType Only a hint: GPUStack sends JSON without one, others send text as JSON.
 */
export function readError(
  status: number,
  contentType: string | undefined,
  body: string,
): BackendError {
  const found = dissect(parseJson(body));
  const message = found.message ?? describe(status, contentType, body);
  return { ...interpret(status, message, found), message };
}

/**
 * Reads one payload of an event stream, or the whole body of a 200, as an error.
 * @returns The error, with `error.code` as its status where that is an HTTP error's, else the one
 *   that its type or message stands for, else 502; `undefined` for everything else, also for chunks
 *   that carry `"error": null` or speak of errors.
 */
export function streamError(data: string): (BackendError & { status: number }) | undefined {
  // Runs on every event: in a chunk's own text the quotes are escaped, so nearly all stop here.
  if (!data.includes('"error"')) return undefined;
  const value = parseJson(data);
  const object = asObject(Array.isArray(value) ? value[0] : value);
  if (!object || !isError(object)) return undefined;
  const found = dissect(object);
  const status = asStatus(found.code) ?? impliedStatus(found);
  const message = found.message ?? describe(status, 'application/json', data);
  return { ...interpret(status, message, found), message, status };
}

/** @returns Whether the message says that the prompt does not fit the model's context. */
export function isContextLength(message: string): boolean {
  return CONTEXT.test(message);
}

/** @returns Whether an error body says that the model or the server is still being loaded. */
export function isLoading(body: string): boolean {
  return LOADING.test(body);
}

const CONTEXT =
  /maximum context length|context_length_exceeded|exceed_context_size_error|exceeds the available context size|prompt is too long|longer than the model's context length|input length exceeds the context length|longer than the context length|input token count|reduce the length/i;
const LOADING =
  /loading model|unavailable_error|model_loading|model is (still |currently )?(loading|scaling)|no running instances/i;
const MODEL_MISSING =
  /\bmodel\b[^\n]{0,300}?\b(not found|does not exist|doesn't exist)|\b(invalid|unknown|no such) model\b/i;
const BAD_KEY = /api key not valid|(invalid|incorrect) api key/i;

/** What the dialects have in common, before it is interpreted. */
interface Findings {
  readonly message?: string | undefined;
  readonly type?: string | undefined;
  readonly param?: string | undefined;
  readonly code?: unknown;
  readonly details?: JsonObject | undefined;
  /** Google's words: a status name and the reasons in `details`. */
  readonly status?: string | undefined;
  readonly reasons: readonly string[];
}

function dissect(value: unknown): Findings {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof first === 'string') return { message: asText(first.trim()), reasons: [] };
  const outer = asObject(first);
  if (!outer) return { reasons: [] };
  const inner = asObject(outer['error']) ?? outer;
  const validation = asObjects(outer['detail']);
  return {
    message:
      asMessage(inner['message']) ??
      asText(outer['error']) ??
      asMessage(outer['message']) ??
      (validation ? listProblems(validation) : asMessage(outer['detail'])),
    type: asType(inner['type']) ?? asText(outer['error_type']),
    param: asText(inner['param']) ?? (validation?.[0] && location(validation[0])),
    code: inner['code'] ?? outer['code'],
    details: asObject(inner['details']),
    status: asText(inner['status']),
    reasons: (asObjects(inner['details']) ?? []).flatMap((item) => asText(item['reason']) ?? []),
  };
}

function asMessage(value: unknown): string | undefined {
  if (typeof value === 'string') return asText(value.trim());
  return value === undefined || value === null ? undefined : JSON.stringify(value);
}

/** `{"type":"error"}` around an error names the envelope, not the error. */
function asType(value: unknown): string | undefined {
  return value === 'error' ? undefined : asText(value);
}

/** FastAPI's validation list as one line. */
function listProblems(problems: readonly JsonObject[]): string | undefined {
  const lines = problems.slice(0, 10).map((problem) => {
    const place = location(problem);
    const text = asMessage(problem['msg']) ?? 'invalid';
    return place ? `${place}: ${text}` : text;
  });
  return asText(lines.join('; '));
}

function location(problem: JsonObject): string | undefined {
  const path = Array.isArray(problem['loc']) ? (problem['loc'] as unknown[]) : [];
  return asText(path.filter((step, at) => at > 0 || step !== 'body').join('.'));
}

function interpret(
  status: number,
  message: string,
  found: Findings,
): Omit<BackendError, 'message'> {
  return {
    type: found.type ?? typeOf(status),
    param: found.param ?? null,
    code: ownCode(found.code) ?? codeOf(status, message, found),
    ...(found.details && { details: found.details }),
  };
}

/** A code that only repeats the status (vLLM's 404, Azure's "401") carries nothing. */
function ownCode(code: unknown): string | undefined {
  const text = asText(code);
  return text === undefined || /^\d+$/.test(text) ? undefined : text;
}

function codeOf(status: number, message: string, found: Findings): string | null {
  // Gemini answers 400 to a bad key.
  if (status === 401 || found.reasons.includes('API_KEY_INVALID')) return 'invalid_api_key';
  if (status === 400 && BAD_KEY.test(message)) return 'invalid_api_key';
  if (status === 402 || found.type === 'insufficient_quota') return 'insufficient_quota';
  if (status === 429) {
    // Gemini says "quota" of a limit that passes within the minute.
    const passing = found.status === 'RESOURCE_EXHAUSTED';
    if (!passing && /exceeded your current quota/i.test(message)) return 'insufficient_quota';
    return /overloaded/i.test(message) ? null : 'rate_limit_exceeded';
  }
  if (status !== 403 && isContextLength(message)) return 'context_length_exceeded';
  if ((status === 404 || status === 400) && MODEL_MISSING.test(message)) return 'model_not_found';
  return null;
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 400 && status < 500 ? 'invalid_request_error' : 'server_error';
}

/** The sentence for a body that has no message in it. */
function describe(status: number, contentType: string | undefined, body: string): string {
  const text = body.trim();
  if (text === '') {
    return status === 401 || status === 403
      ? `The backend refused the request (${status}) without saying why: check the instance's apiKey and address.`
      : `The backend answered ${status} without a message.`;
  }
  if (/\bhtml\b/i.test(contentType ?? '') || /^<(!doctype|html)/i.test(text)) {
    const title = /<title[^>]*>([^<]{1,200})<\/title>/i.exec(text)?.[1]?.trim();
    return `The backend answered ${status} with an HTML page${title ? ` (“${title}”)` : ''}: is its baseUrl right?`;
  }
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
}

function isError(object: JsonObject): boolean {
  if (object['object'] === 'error' || object['type'] === 'error') return true;
  if (asText(object['error']) !== undefined) return true;
  const error = asObject(object['error']);
  if (!error) return false;
  // An empty or odd `error` beside real content is a field that we don't know.
  const content = 'choices' in object || 'data' in object || 'object' in object;
  return asText(error['message']) !== undefined || (!content && Object.keys(error).length > 0);
}

/** What OpenAI and Anthropic would have answered with, had they known before the stream began. */
const STATUS_OF = new Map<unknown, number>([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
  ['insufficient_quota', 429],
  ['rate_limit_error', 429],
  ['rate_limit_exceeded', 429],
  ['overloaded_error', 529],
]);

function impliedStatus({ code, type, message = '' }: Findings): number {
  return STATUS_OF.get(code) ?? STATUS_OF.get(type) ?? (isContextLength(message) ? 400 : 502);
}

function asStatus(code: unknown): number | undefined {
  const status = typeof code === 'string' && /^\d{3}$/.test(code) ? Number(code) : asNumber(code);
  return status !== undefined && Number.isInteger(status) && status >= 400 && status <= 599
    ? status
    : undefined;
}
