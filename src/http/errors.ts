import type { OutgoingHttpHeaders } from 'node:http';
import { ERROR_SHAPES, type ErrorShape } from '../dialects/error-shapes.ts';
import { errorsOf, type Operation } from '../service.ts';
import type { Problem } from '../config/problem.ts';

/** Every error that is the gateway's own: its status and OpenAI type, by its code. */
export const ERRORS = {
  invalid_json: { status: 400, type: 'invalid_request_error' },
  missing_model: { status: 400, type: 'invalid_request_error' },
  invalid_multipart: { status: 400, type: 'invalid_request_error' },
  unsupported_parameter: { status: 400, type: 'invalid_request_error' },
  previous_response_not_found: { status: 400, type: 'invalid_request_error' },
  response_not_running: { status: 400, type: 'invalid_request_error' },
  invalid_http: { status: 400, type: 'invalid_request_error' },
  invalid_url: { status: 400, type: 'invalid_request_error' },
  invalid_request: { status: 400, type: 'invalid_request_error' },
  invalid_api_key: { status: 401, type: 'authentication_error' },
  invalid_admin_token: { status: 401, type: 'authentication_error' },
  model_not_allowed: { status: 403, type: 'permission_error' },
  host_not_allowed: { status: 403, type: 'permission_error' },
  origin_not_allowed: { status: 403, type: 'permission_error' },
  model_not_found: { status: 404, type: 'invalid_request_error' },
  instance_not_found: { status: 404, type: 'invalid_request_error' },
  recording_not_found: { status: 404, type: 'invalid_request_error' },
  call_not_found: { status: 404, type: 'invalid_request_error' },
  response_not_found: { status: 404, type: 'invalid_request_error' },
  version_not_found: { status: 404, type: 'invalid_request_error' },
  unknown_route: { status: 404, type: 'invalid_request_error' },
  method_not_allowed: { status: 405, type: 'invalid_request_error' },
  request_timeout: { status: 408, type: 'invalid_request_error' },
  config_conflict: { status: 409, type: 'invalid_request_error' },
  config_not_editable: { status: 409, type: 'invalid_request_error' },
  response_cancelled: { status: 409, type: 'invalid_request_error' },
  request_too_large: { status: 413, type: 'invalid_request_error' },
  unsupported_encoding: { status: 415, type: 'invalid_request_error' },
  unsupported_media_type: { status: 415, type: 'invalid_request_error' },
  invalid_config: { status: 422, type: 'invalid_request_error' },
  websocket_unsupported: { status: 426, type: 'invalid_request_error' },
  rate_limit_exceeded: { status: 429, type: 'rate_limit_error' },
  queue_full: { status: 429, type: 'rate_limit_error' },
  queue_timeout: { status: 429, type: 'rate_limit_error' },
  headers_too_large: { status: 431, type: 'invalid_request_error' },
  internal_error: { status: 500, type: 'server_error' },
  unsupported_service: { status: 501, type: 'invalid_request_error' },
  upstream_unreachable: { status: 502, type: 'server_error' },
  embedding_mismatch: { status: 502, type: 'server_error' },
  no_instance_available: { status: 503, type: 'server_error' },
  shutting_down: { status: 503, type: 'server_error' },
  upstream_timeout: { status: 504, type: 'server_error' },
} as const satisfies Record<string, { status: number; type: string }>;
export type ErrorCode = keyof typeof ERRORS;

/** The inside of OpenAI's `{"error": …}`. */
export interface ErrorBody {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
  /** Each mistake of a config, with its place; of the management API alone. */
  readonly problems?: readonly Problem[];
  /** Told in those dialects that have a place for them. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** What a client gets instead of an answer. */
export class HttpError extends Error {
  readonly status: number;
  readonly body: ErrorBody;
  /** What it counts as: our own error's code, or the backend's status. */
  readonly errorKind: string;
  /** Of a rate limit's refusal: where that limit stands in the config. */
  readonly limit: string | undefined;
  readonly headers: OutgoingHttpHeaders;

  constructor(
    told: Pick<HttpError, 'status' | 'body' | 'errorKind' | 'headers'> & {
      limit?: string | undefined;
    },
  ) {
    const { status, body, errorKind, limit, headers } = told;
    super(body.message);
    this.name = 'HttpError';
    this.status = status;
    this.body = body;
    this.errorKind = errorKind;
    this.limit = limit;
    this.headers = headers;
  }
}

/** An error of the gateway's own, by its row in the table. */
export function gatewayError(
  code: ErrorCode,
  message: string,
  options: {
    readonly param?: string | null;
    readonly headers?: OutgoingHttpHeaders;
    readonly problems?: readonly Problem[];
    readonly limit?: string | undefined;
    readonly details?: ErrorBody['details'];
  } = {},
): HttpError {
  const { status, type } = ERRORS[code];
  const { param = null, headers = {}, problems, limit, details } = options;
  return new HttpError({
    status,
    body: {
      message,
      type,
      param,
      code,
      ...(problems && { problems }),
      ...(details && { details }),
    },
    errorKind: code,
    limit,
    headers,
  });
}

/** The error as JSON text, in OpenAI's shape. */
export function renderError(body: ErrorBody): string {
  return JSON.stringify(ERROR_SHAPES.openai.body(body));
}

/** How those who ask for an operation are told errors. */
export function errorShapeOf(operation: Operation): ErrorShape {
  return ERROR_SHAPES[errorsOf(operation)];
}
