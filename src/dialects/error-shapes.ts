import type { BackendError } from '../adapters/errors.ts';
import type { JsonObject } from '../adapters/json.ts';

/** What is told with an error beside itself. */
export interface ErrorPlace {
  readonly status: number;
  /** Of the call, for those dialects that repeat it in the body. */
  readonly requestId?: string | undefined;
  /** The number that comes next in a stream whose events are counted. */
  readonly sequence?: number | undefined;
}

/** How a dialect tells errors. */
export interface ErrorShape {
  /** The body of an error answer. */
  readonly body: (error: BackendError, place: ErrorPlace) => JsonObject;
  /** The last bytes of a stream that breaks. */
  readonly event: (error: BackendError, place: ErrorPlace) => string;
}

export const ERROR_SHAPES = {
  openai: {
    body: openAiBody,
    event: (error) => `data: ${JSON.stringify(openAiBody(error))}\n\n`,
  },
  responses: {
    body: openAiBody,
    event(error, { sequence = 0 }) {
      const { message, param, code, type } = error;
      const data = {
        type: 'error',
        sequence_number: sequence,
        code: code ?? type,
        message,
        param,
      };
      return `event: error\ndata: ${JSON.stringify(data)}\n\n`;
    },
  },
  anthropic: {
    body: anthropicBody,
    event: (error, place) =>
      `event: error\ndata: ${JSON.stringify(anthropicBody(error, place))}\n\n`,
  },
  ollama: {
    body: ollamaBody,
    event: (error) => `${JSON.stringify(ollamaBody(error))}\n`,
  },
} as const satisfies Record<string, ErrorShape>;

function openAiBody({ message, type, param, code }: BackendError): JsonObject {
  return { error: { message, type, param, code } };
}

function ollamaBody({ message }: BackendError): JsonObject {
  return { error: message };
}

/** Anthropic's types, which its SDK's callers look at, by the status that each comes with. */
const ANTHROPIC_TYPES = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [500, 'api_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
]);

/** Upon these words Claude Code makes its conversation shorter, and goes on. */
const TOO_LONG = 'prompt is too long';

function tooLong({ code, message }: BackendError): string {
  const told = code !== 'context_length_exceeded' || message.toLowerCase().includes(TOO_LONG);
  return told ? message : `${TOO_LONG}: ${message}`;
}

function anthropicBody(error: BackendError, { status, requestId }: ErrorPlace): JsonObject {
  const { type, details } = error;
  const known = [...ANTHROPIC_TYPES.values()].includes(type) && !(status === 404 || status === 413);
  const usual = status < 500 ? 'invalid_request_error' : 'api_error';
  return {
    type: 'error',
    error: {
      type: known ? type : (ANTHROPIC_TYPES.get(status) ?? usual),
      message: tooLong(error),
      ...(details && { details }),
    },
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
}
