import { bodyOf, wireSample } from '../../support/wire-samples.ts';

/** An error answer as it is on the wire. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Of backends and clouds that have no recorded exchanges beside these. */
const MORE: Readonly<Record<string, readonly [number, Record<string, string>, unknown]>> = {
  'anthropic/error-413': [
    413,
    {},
    {
      type: 'error',
      error: {
        type: 'request_too_large',
        message: 'Request exceeds the maximum allowed number of bytes.',
      },
    },
  ],
  'anthropic/error-429': [
    429,
    {
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2026-08-22T10:00:01Z',
      'retry-after': '12',
      'x-should-retry': 'true',
    },
    {
      type: 'error',
      error: {
        type: 'rate_limit_error',
        message:
          "This request would exceed your organization's rate limit of 50 requests per minute.",
      },
    },
  ],
  'anthropic/error-529': [
    529,
    { 'x-should-retry': 'true' },
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
  ],
  'azure/error-400-content-filter': [
    400,
    {},
    {
      error: {
        message: "The response was filtered due to Azure OpenAI's content management policy.",
        type: null,
        param: 'prompt',
        code: 'content_filter',
        status: 400,
      },
    },
  ],
  'azure/error-429': [
    429,
    { 'retry-after': '17', 'retry-after-ms': '16824', 'x-ratelimit-reset-requests': '17' },
    { error: { code: '429', message: 'Requests have exceeded token rate limit.' } },
  ],
  'gemini/error-401': [
    400,
    {},
    [
      {
        error: {
          code: 400,
          message: 'API key not valid. Please pass a valid API key.',
          status: 'INVALID_ARGUMENT',
          details: [
            { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' },
          ],
        },
      },
    ],
  ],
  'gemini/error-429': [
    429,
    {},
    [
      {
        error: {
          code: 429,
          message: 'You exceeded your current quota, please check your plan and billing details.',
          status: 'RESOURCE_EXHAUSTED',
          details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34s' }],
        },
      },
    ],
  ],
  'gemini/error-503': [
    503,
    {},
    [
      {
        error: {
          code: 503,
          message: 'The model is overloaded. Please try again later.',
          status: 'UNAVAILABLE',
        },
      },
    ],
  ],
  'infinity/error-400-model': [
    400,
    {},
    {
      error: {
        message: 'Invalid model: Engine for model name `nope` not found.',
        type: null,
        param: null,
        code: 400,
      },
    },
  ],
  'llamacpp/error-503-loading': [
    503,
    {},
    { error: { message: 'Loading model', type: 'unavailable_error', code: 503 } },
  ],
  'sglang/error-503-queue': [
    503,
    {},
    {
      object: 'error',
      message: 'The request queue is full.',
      type: 'ServiceUnavailable',
      code: 503,
    },
  ],
  'tei/error-429': [429, {}, { message: 'Model is overloaded', code: 429, type: 'Overloaded' }],
};

/** A backend's error answer by the name of its sample. */
export function refusal(backend: string, name: string): Refusal {
  const more = MORE[`${backend}/${name}`];
  if (more) return { status: more[0], headers: more[1], text: JSON.stringify(more[2]) };
  const sample = wireSample(backend, name);
  const { status, headers } = sample.response;
  return { status, headers, text: bodyOf(sample).toString('utf8') };
}
