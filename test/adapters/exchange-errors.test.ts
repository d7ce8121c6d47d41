import { expect, it } from 'vitest';
import { type OwnName, scene, type Scripted } from './exchange.ts';

const chat = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const TEXT = { 'content-type': 'text/plain' };

interface Told {
  status: number;
  message: string | RegExp;
  type?: string;
  param?: string | null;
  code?: string | null;
}

/** Backend, what it answers, what the client is told. */
const ANSWERS: readonly (readonly [OwnName, Scripted, Told])[] = [
  // vLLM before 0.10 and SGLang
  [
    'vllm',
    {
      status: 404,
      body: {
        code: 404,
        param: null,
        type: 'NotFoundError',
        message: 'The model `x` does not exist.',
        object: 'error',
      },
    },
    {
      status: 404,
      message: 'The model `x` does not exist.',
      type: 'NotFoundError',
      code: 'model_not_found',
    },
  ],
  [
    'vllm',
    {
      status: 400,
      body: {
        error: {
          code: 400,
          param: 'input_tokens',
          type: 'BadRequestError',
          message:
            "This model's maximum context length is 4096 tokens. However, you requested 5000.",
        },
      },
    },
    {
      status: 400,
      message: /maximum context/,
      param: 'input_tokens',
      code: 'context_length_exceeded',
    },
  ],
  [
    'vllm',
    {
      status: 400,
      body: {
        error: {
          message: [{ loc: ['body'], msg: 'x' }],
          type: 'Bad Request',
          param: null,
          code: 400,
        },
      },
    },
    { status: 400, message: /"msg":"x"/, type: 'Bad Request', code: null },
  ],
  [
    'vllm',
    { status: 401, body: { error: 'Unauthorized' } },
    { status: 401, message: /^Unauthorized.*apiKey/, code: 'invalid_api_key' },
  ],
  [
    'vllm',
    { status: 503, body: { error: 'The model is currently scaling' } },
    { status: 503, message: 'The model is currently scaling' },
  ],
  [
    'vllm',
    { status: 404, body: { detail: 'Not Found' } },
    { status: 404, message: 'Not Found', code: null },
  ],
  [
    'vllm',
    {
      status: 501,
      body: { error: { message: 'no', type: 'NotImplementedError', param: null, code: 501 } },
    },
    { status: 501, message: 'no', type: 'NotImplementedError' },
  ],
  // Xinference
  [
    'xinference',
    {
      status: 400,
      body: { detail: '[address=0.0.0.0:1, pid=2] Model not found in the model list, uid: x' },
    },
    { status: 400, message: /uid: x$/, code: 'model_not_found' },
  ],
  [
    'xinference',
    { status: 500, body: { detail: '[address=1, pid=2] Model not support tools' } },
    { status: 400, message: /not support tools/ },
  ],
  [
    'xinference',
    { status: 500, body: 'Internal Server Error: boom', headers: TEXT },
    { status: 500, message: 'Internal Server Error: boom', type: 'server_error' },
  ],
  [
    'xinference',
    {
      status: 503,
      headers: { 'retry-after': '30' },
      body: { detail: 'Model is loading, please retry' },
    },
    { status: 503, message: /loading/ },
  ],
  [
    'xinference',
    {
      status: 422,
      body: {
        detail: [{ type: 'missing', loc: ['body', 'messages'], msg: 'Field required', input: {} }],
      },
    },
    { status: 422, message: 'messages: Field required', param: 'messages' },
  ],
  [
    'xinference',
    { status: 409, body: { detail: 'cancelled' } },
    { status: 409, message: 'cancelled' },
  ],
  [
    'xinference',
    { status: 403, body: { detail: 'Not enough permissions' } },
    { status: 403, message: /Not enough permissions.*apiKey/, type: 'permission_error' },
  ],
  // LocalAI
  [
    'localai',
    {
      status: 422,
      body: '"documents must not be empty"',
      headers: { 'content-type': 'application/json' },
    },
    { status: 422, message: 'documents must not be empty', type: 'invalid_request_error' },
  ],
  ['localai', { status: 500, body: '' }, { status: 500, message: /500 without a message/ }],
  [
    'localai',
    {
      status: 429,
      headers: { 'retry-after': '7' },
      body: { error: { code: 429, message: 'quota', type: 'quota_exceeded' } },
    },
    { status: 429, message: 'quota', type: 'quota_exceeded', code: 'rate_limit_exceeded' },
  ],
  [
    'localai',
    {
      status: 500,
      body: {
        error: {
          code: 500,
          message:
            'rpc error: code = Unknown desc = the request exceeds the available context size',
          type: '',
        },
      },
    },
    { status: 400, message: /available context/, code: 'context_length_exceeded' },
  ],
  [
    'localai',
    { status: 413, body: { error: { code: 413, message: 'Request Entity Too Large', type: '' } } },
    { status: 413, message: 'Request Entity Too Large', type: 'invalid_request_error', code: null },
  ],
  // GPUStack
  [
    'gpustack',
    {
      status: 503,
      body: '{"error":{"message":"No running instances available","code":503,"type":"ServiceUnavailable"}}',
    },
    { status: 503, message: 'No running instances available', type: 'ServiceUnavailable' },
  ],
  [
    'gpustack',
    { status: 422, body: { code: 422, reason: 'Invalid', message: "Missing 'model' field" } },
    { status: 422, message: "Missing 'model' field" },
  ],
  [
    'gpustack',
    { status: 503, body: 'no healthy upstream', headers: TEXT },
    { status: 503, message: 'no healthy upstream' },
  ],
  [
    'gpustack',
    { status: 404, body: { error: { message: 'Model not found', code: 404, type: 'NotFound' } } },
    { status: 404, message: 'Model not found', code: 'model_not_found' },
  ],
  // Ollama
  [
    'ollama',
    { status: 404, body: '404 page not found', headers: TEXT },
    { status: 404, message: '404 page not found', type: 'invalid_request_error' },
  ],
  [
    'ollama',
    { status: 401, body: { error: 'unauthorized', signin_url: 'https://x' } },
    { status: 401, message: /^unauthorized/, code: 'invalid_api_key' },
  ],
  ['ollama', { status: 403, body: '' }, { status: 403, message: /refused the request \(403\)/ }],
  [
    'ollama',
    {
      status: 400,
      body: {
        error: {
          message: "[] is too short - 'messages'",
          type: 'invalid_request_error',
          param: null,
          code: null,
        },
      },
    },
    { status: 400, message: "[] is too short - 'messages'", code: null },
  ],
  // OpenAI and what stands behind its adapter
  [
    'openai',
    {
      status: 400,
      body: {
        error: {
          code: 'unsupported_value',
          param: 'messages[0].role',
          type: 'invalid_request_error',
          message: 'No.',
        },
      },
    },
    { status: 400, message: 'No.', param: 'messages[0].role', code: 'unsupported_value' },
  ],
  [
    'openai',
    {
      status: 400,
      body: [
        {
          error: {
            code: 400,
            message: 'API key not valid.',
            status: 'INVALID_ARGUMENT',
            details: [{ reason: 'API_KEY_INVALID' }],
          },
        },
      ],
    },
    { status: 400, message: 'API key not valid.', code: 'invalid_api_key' },
  ],
  [
    'openai',
    {
      status: 501,
      body: {
        error: {
          code: 501,
          message: 'This server does not support embeddings',
          type: 'not_supported_error',
        },
      },
    },
    { status: 501, message: /does not support/, type: 'not_supported_error' },
  ],
  [
    'openai',
    { status: 200, body: { error: 'Unexpected endpoint or method. (POST /v1/chat/completions)' } },
    { status: 502, message: /Unexpected endpoint/ },
  ],
  [
    'openai',
    {
      status: 529,
      body: {
        type: 'error',
        request_id: 'r',
        error: { type: 'overloaded_error', message: 'Overloaded' },
      },
    },
    { status: 529, message: 'Overloaded', type: 'overloaded_error' },
  ],
  // llama.cpp
  [
    'llamacpp',
    {
      status: 400,
      body: {
        error: {
          code: 400,
          message: 'the request exceeds the available context size, try increasing it',
          type: 'exceed_context_size_error',
          n_prompt_tokens: 9000,
          n_ctx: 4096,
        },
      },
    },
    {
      status: 400,
      message: /available context size/,
      type: 'exceed_context_size_error',
      code: 'context_length_exceeded',
    },
  ],
  [
    'llamacpp',
    {
      status: 401,
      headers: { connection: 'close' },
      body: { error: { message: 'Invalid API Key', type: 'authentication_error', code: 401 } },
    },
    { status: 401, message: /^Invalid API Key.*apiKey/, code: 'invalid_api_key' },
  ],
  [
    'llamacpp',
    {
      status: 501,
      headers: { connection: 'close' },
      body: {
        error: {
          code: 501,
          message: 'This server does not support completions',
          type: 'not_supported_error',
        },
      },
    },
    { status: 501, message: /does not support/, type: 'not_supported_error' },
  ],
  // LM Studio
  [
    'lmstudio',
    {
      status: 404,
      body: {
        error: {
          message: 'Model "x" not found. Try loading it.',
          type: 'invalid_request_error',
          param: 'model',
          code: 'model_not_found',
        },
      },
    },
    { status: 404, message: /not found/, param: 'model', code: 'model_not_found' },
  ],
  // SGLang
  [
    'sglang',
    {
      status: 400,
      body: {
        object: 'error',
        message: "The input (140000 tokens) is longer than the model's context length (131072).",
        type: 'BadRequestError',
        param: null,
        code: 400,
      },
    },
    { status: 400, message: /longer than/, code: 'context_length_exceeded' },
  ],
  [
    'sglang',
    { status: 503, body: { error: { message: 'The request queue is full.', code: 503 } } },
    { status: 503, message: 'The request queue is full.', type: 'server_error' },
  ],
  // Azure
  [
    'azure',
    {
      status: 404,
      body: {
        error: {
          code: 'DeploymentNotFound',
          message: 'The API deployment for this resource does not exist.',
        },
      },
    },
    { status: 404, message: /does not exist/, code: 'DeploymentNotFound' },
  ],
  [
    'azure',
    {
      status: 400,
      body: {
        error: {
          message: 'The response was filtered due to the prompt triggering a policy.',
          type: null,
          param: 'prompt',
          code: 'content_filter',
          status: 400,
          innererror: { code: 'ResponsibleAIPolicyViolation' },
        },
      },
    },
    { status: 400, message: /filtered/, param: 'prompt', code: 'content_filter' },
  ],
  [
    'azure',
    { status: 401, body: { error: { code: '401', message: 'Access denied.' } } },
    { status: 401, message: /^Access denied\..*apiKey/, code: 'invalid_api_key' },
  ],
  [
    'azure',
    {
      status: 429,
      headers: { 'retry-after': '6', 'retry-after-ms': '6000' },
      body: { error: { code: '429', message: 'Requests have exceeded the call rate limit.' } },
    },
    { status: 429, message: /exceeded/, code: 'rate_limit_exceeded' },
  ],
  // Gemini
  [
    'gemini',
    {
      status: 400,
      body: [
        {
          error: {
            code: 400,
            message: 'GenerateContentRequest.contents: contents is not specified',
            status: 'INVALID_ARGUMENT',
          },
        },
      ],
    },
    { status: 400, message: /not specified/, type: 'invalid_request_error', code: null },
  ],
  [
    'gemini',
    {
      status: 503,
      body: [
        {
          error: {
            code: 503,
            message: 'The model is overloaded. Please try again later.',
            status: 'UNAVAILABLE',
          },
        },
      ],
    },
    { status: 503, message: /overloaded/, type: 'server_error' },
  ],
];

it.each(ANSWERS)('%s: %j', async (adapter, answer, told) => {
  const { post } = await scene(adapter, { 'POST *': answer });
  const reply = await post('/v1/chat/completions', chat);
  const { message, status, ...rest } = told;
  const { error } = (await reply.json()) as { error: Record<string, unknown> };
  expect(reply.status).toBe(status);
  expect(reply.headers.get('content-type')).toBe('application/json');
  expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type']);
  if (typeof message === 'string') expect(error['message']).toBe(message);
  else expect(error['message']).toMatch(message);
  expect(error).toMatchObject(rest);
  const { 'retry-after': wait } = answer.headers ?? {};
  if (wait) expect(reply.headers.get('retry-after')).toBe(wait);
});
