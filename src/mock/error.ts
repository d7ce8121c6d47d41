/** What the mock answers instead of a success, in OpenAI's shape. */
export class MockError extends Error {
  readonly status: number;
  readonly code: string | null;
  readonly param: string | null;
  /** Seconds. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    message: string,
    {
      code = null,
      param = null,
      retryAfter,
    }: { code?: string | null; param?: string | null; retryAfter?: number } = {},
  ) {
    super(message);
    this.retryAfter = retryAfter;
    this.name = 'MockError';
    this.status = status;
    this.code = code;
    this.param = param;
  }

  toJSON(): unknown {
    const type = this.status >= 500 ? 'server_error' : 'invalid_request_error';
    return { error: { message: this.message, type, param: this.param, code: this.code } };
  }
}
