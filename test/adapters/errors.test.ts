import { describe, expect, it } from 'vitest';
import { readError, streamError } from '../../src/adapters/errors.ts';
import { bodyOf, wireSample } from '../support/wire-samples.ts';

const read = (status: number, body: unknown, contentType?: string) =>
  readError(status, contentType, typeof body === 'string' ? body : JSON.stringify(body));
const readSample = (backend: string, name: string) => {
  const sample = wireSample(backend, name);
  return read(sample.response.status, bodyOf(sample).toString('utf8'));
};

describe('an error answer', () => {
  it('keeps what OpenAI says', () => {
    expect(readSample('openai', 'error-400-context')).toEqual({
      message: expect.stringContaining('maximum context length is 128000') as string,
      type: 'invalid_request_error',
      param: 'messages',
      code: 'context_length_exceeded',
    });
  });

  it.each([
    ['openai', 'error-404-model', 'model_not_found'],
    ['openai', 'error-429-quota', 'insufficient_quota'],
    ['ollama', 'error-404-model', 'model_not_found'],
    ['ollama', 'error-400-tools', null],
    ['ollama', 'error-503-queue', null],
    ['ollama', 'rerank-404', null],
    ['vllm', 'error-404-model', 'model_not_found'],
    ['vllm', 'error-404-model-legacy', 'model_not_found'],
    ['vllm', 'error-400-context', 'context_length_exceeded'],
    ['vllm', 'speech-404', null],
    ['xinference', 'error-404-model', 'model_not_found'],
    ['xinference', 'error-401', 'invalid_api_key'],
    ['xinference', 'error-429', 'rate_limit_exceeded'],
    ['localai', 'error-404-model', 'model_not_found'],
    ['localai', 'error-503-loading', 'model_loading'],
    ['localai', 'images-edits-404', null],
    ['gpustack', 'error-404-model', 'model_not_found'],
    ['gpustack', 'error-401', 'invalid_api_key'],
    ['gpustack', 'error-503-no-instance', null],
  ])('of %s (%s) has the code %s', (backend, name, code) => {
    expect(readSample(backend, name).code).toBe(code);
  });

  it('keeps a type of its own, and has one where the backend gives none', () => {
    expect(readSample('vllm', 'error-404-model').type).toBe('NotFoundError');
    expect(readSample('localai', 'error-413').type).toBe('invalid_request_error');
    expect(readSample('xinference', 'error-401').type).toBe('authentication_error');
    expect(readSample('xinference', 'error-429').type).toBe('rate_limit_error');
    expect(readSample('xinference', 'error-500').type).toBe('server_error');
  });

  it('lists what FastAPI found wrong, with the first place as its param', () => {
    const detail = [
      { type: 'missing', loc: ['body', 'file'], msg: 'Field required' },
      { type: 'int', loc: ['body', 'n', 0], msg: 'Not a number' },
    ];
    expect(read(422, { detail })).toEqual({
      message: 'file: Field required; n.0: Not a number',
      type: 'invalid_request_error',
      param: 'file',
      code: null,
    });
  });

  it('is found in arrays, strings and native shapes', () => {
    const gemini = [{ error: { code: 400, message: 'contents is not specified', status: 'X' } }];
    expect(read(400, gemini).message).toBe('contents is not specified');
    expect(read(422, '"documents must not be empty"').message).toBe('documents must not be empty');
    expect(read(401, { error: 'Unauthorized' }).message).toBe('Unauthorized');
    expect(read(424, { error: 'not a re-ranker', error_type: 'Backend' })).toMatchObject({
      message: 'not a re-ranker',
      type: 'Backend',
    });
    const anthropic = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    expect(read(529, anthropic)).toMatchObject({ type: 'overloaded_error', message: 'Overloaded' });
  });

  it('is read as JSON whatever its content type says', () => {
    expect(readError(500, 'text/plain', '{"error":{"message":"boom"}}').message).toBe('boom');
  });

  it('tells a limit that passes from a quota that is used up', () => {
    const message = 'You exceeded your current quota, please check your plan and billing details.';
    expect(read(429, { error: { message } }).code).toBe('insufficient_quota');
    const gemini = [{ error: { code: 429, message, status: 'RESOURCE_EXHAUSTED' } }];
    expect(read(429, gemini).code).toBe('rate_limit_exceeded');
  });

  it("knows Gemini's bad key, which comes with 400", () => {
    const details = [{ reason: 'API_KEY_INVALID' }];
    expect(read(400, [{ error: { code: 400, message: 'x', details } }]).code).toBe(
      'invalid_api_key',
    );
  });

  it('does not take a code that only repeats the status', () => {
    expect(read(404, { error: { code: '404', message: 'gone' } }).code).toBe(null);
    expect(read(404, { error: { code: 'DeploymentNotFound', message: 'gone' } }).code).toBe(
      'DeploymentNotFound',
    );
  });

  it('is a sentence where the body has none', () => {
    expect(read(502, '').message).toBe('The backend answered 502 without a message.');
    expect(readSample('ollama', 'error-403-host').message).toMatch(/refused the request \(403\)/);
    expect(read(404, '404 page not found').message).toBe('404 page not found');
    expect(read(418, '{"odd":1}').message).toBe('{"odd":1}');
    const page = '<html><head><title>502 Bad Gateway</title></head></html>';
    expect(readError(502, 'text/html', page).message).toBe(
      'The backend answered 502 with an HTML page (“502 Bad Gateway”): is its baseUrl right?',
    );
    expect(read(500, 'x'.repeat(100_000)).message.length).toBeLessThan(2100);
  });
});

describe('an event', () => {
  it.each([
    ['an object', '{"error":{"message":"boom","type":"server_error","code":null}}', 502],
    ['a text', '{"error":"CUDA out of memory"}', 502],
    ['with a status', '{"error":{"object":"error","message":"full","code":503}}', 503],
    ['with a status as text', '{"error":{"message":"slow down","code":"429"}}', 429],
    ['flat', '{"object":"error","message":"bad","type":"BadRequestError","code":400}', 400],
    ['of Anthropic', '{"type":"error","error":{"type":"api_error","message":"x"}}', 502],
    ['of Responses', '{"type":"error","code":"server_error","message":"x","param":null}', 502],
    ['of Gemini', '[{"error":{"code":400,"message":"x","status":"INVALID_ARGUMENT"}}]', 400],
    ['beside an empty choice', '{"choices":[{"delta":{}}],"error":{"message":"provider"}}', 502],
    ['with a code that is no status', '{"error":{"message":"x","code":7}}', 502],
  ])('that is an error: %s', (_, data, status) => {
    expect(streamError(data)).toMatchObject({
      status,
      message: expect.stringMatching(/\w/) as string,
    });
  });

  it.each([
    ['a chunk', '{"choices":[{"delta":{"content":"hi"}}]}'],
    ['a chunk with a null error', '{"choices":[],"error":null}'],
    ['an empty error beside content', '{"object":"list","data":[],"error":{}}'],
    ['talk of errors', '{"choices":[{"delta":{"content":"{\\"error\\":\\"x\\"}"}}]}'],
    ['the very word', '{"choices":[{"delta":{"content":"error"}}]}'],
    ['a key of tool arguments', '{"choices":[{"delta":{"x":{"error":"y"}}}]}'],
    ['the end', '[DONE]'],
    ['what is not JSON', 'an "error" in words'],
    ['half an error', '{"error":{"mess'],
  ])('that is none: %s', (_, data) => {
    expect(streamError(data)).toBe(undefined);
  });
});
