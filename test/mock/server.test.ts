import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { OPERATIONS } from '../../src/service.ts';
import { startMock } from '../../src/mock/server.ts';
import { post, started } from './started.ts';

const HELLO = { model: 'mock-chat', messages: [{ role: 'user', content: 'hello' }] };

interface OpenAIError {
  readonly error: { message: string; type: string; param: string | null; code: string | null };
}

async function errorOf(response: Response): Promise<OpenAIError['error']> {
  return ((await response.json()) as OpenAIError).error;
}

describe('the mock backend', () => {
  test('lists its models in the shape of OpenAI', async () => {
    const { url } = await started();
    const list = (await (await fetch(`${url}/v1/models`)).json()) as {
      data: { id: string; object: string }[];
    };
    expect(list.data.map((model) => model.id)).toEqual([
      'mock-chat',
      'mock-embed',
      'mock-rerank',
      'mock-tts',
      'mock-stt',
      'mock-image',
    ]);
    expect(list.data[0]).toEqual({
      id: 'mock-chat',
      object: 'model',
      created: expect.any(Number) as number,
      owned_by: 'jairouter-mock',
      type: 'chat',
    });
  });

  test('may be closed twice', async () => {
    const mock = await startMock();
    await Promise.all([mock.close(), mock.close()]);
    await expect(mock.close()).resolves.toBeUndefined();
  });

  test('serves models of any name and guesses what they do', async () => {
    const ids = ['llama3.2', 'bge-m3', 'bge-reranker-v2', 'whisper-1', 'kokoro-tts', 'flux-dev'];
    const { models } = await started({ models: [...ids, 'gpt-4o-transcribe', 'Qwen/Qwen3-32B'] });
    expect(models.map(({ services }) => services[0])).toEqual([
      'chat',
      'embeddings',
      'rerank',
      'transcription',
      'speech',
      'imageGeneration',
      'transcription',
      'chat',
    ]);
  });

  test('finds one model, with a slash in its name or without', async () => {
    const { url } = await started({ models: ['Qwen/Qwen3-32B'] });
    const one = await fetch(`${url}/v1/models/Qwen/Qwen3-32B`);
    expect(await one.json()).toMatchObject({ id: 'Qwen/Qwen3-32B' });
    const escaped = await fetch(`${url}/v1/models/Qwen%2FQwen3-32B`);
    expect(escaped.status).toBe(200);
    const other = await fetch(`${url}/v1/models/llama`);
    expect(other.status).toBe(404);
    expect((await errorOf(other)).code).toBe('model_not_found');
  });

  test('says that it is well, and who it is', async () => {
    const { url } = await started();
    const health = await fetch(`${url}/health`);
    expect(await health.json()).toEqual({ status: 'ok' });
    expect(health.headers.get('server')).toBe('jairouter-mock');
  });

  const openAi = Object.entries(OPERATIONS).filter(
    ([name]) => !/^(messages|countTokens|responses|inputTokens|ollama.*)$/.test(name),
  );
  test.each(openAi.flatMap(([, { routes }]) => [...routes]))(
    'has %s, and says what is wrong with a call of nothing',
    async (route) => {
      const { url } = await started();
      const response = await post(url + route, {});
      expect(response.status).toBe(400);
      expect(await errorOf(response)).toEqual({
        message: "Missing required parameter: 'model'.",
        type: 'invalid_request_error',
        param: 'model',
        code: 'missing_required_parameter',
      });
    },
  );

  test.each([
    ['a body that is not JSON', '{"model": ', 400, 'invalid_json'],
    ['JSON that is no object', '[]', 400, 'invalid_json'],
    ['an unknown model', '{"model":"gpt-9","messages":[]}', 404, 'model_not_found'],
    ['a model of another kind', '{"model":"mock-tts"}', 400, 'unsupported_model'],
    ['no messages', '{"model":"mock-chat","messages":[]}', 400, 'invalid_value'],
  ])('refuses %s', async (_, body, status, code) => {
    const { url } = await started();
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body });
    expect(response.status).toBe(status);
    expect((await errorOf(response)).code).toBe(code);
  });

  test('refuses a form that is none', async () => {
    const { url } = await started();
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    const response = await fetch(`${url}/v1/audio/transcriptions`, {
      method: 'POST',
      headers,
      body: 'no form',
    });
    expect(response.status).toBe(400);
    expect((await errorOf(response)).code).toBe('invalid_multipart');
  });

  test('knows its paths and their methods', async () => {
    const { url } = await started();
    const unknown = await post(`${url}/v1/moderations`, {});
    expect(unknown.status).toBe(404);
    const get = await fetch(`${url}/v1/embeddings`);
    expect(get.status).toBe(405);
    expect(get.headers.get('allow')).toBe('POST');
  });

  test('fails the share of calls that it is told to', async () => {
    const dice = [0.1, 0.5, 0.29, 0.3];
    const { url } = await started({ fail: 0.3, random: () => dice.shift()! });
    const statuses: number[] = [];
    for (let call = 0; call < 4; call++) {
      statuses.push((await post(`${url}/v1/chat/completions`, HELLO)).status);
    }
    expect(statuses).toEqual([500, 200, 500, 200]);
  });

  test('keeps its models and its health out of that', async () => {
    const { url } = await started({ fail: 1 });
    expect((await fetch(`${url}/v1/models`)).status).toBe(200);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  test('never answers the share of calls that it is told to', async () => {
    const dice = [0.1, 0.5];
    const { url } = await started({ hang: 0.3, random: () => dice.shift()! });
    const signal = AbortSignal.timeout(200);
    await expect(post(`${url}/v1/chat/completions`, HELLO, { signal })).rejects.toThrow(/timeout/);
    expect((await post(`${url}/v1/chat/completions`, HELLO)).status).toBe(200);
  });

  test('takes its time to the first token, and its speed after it', async () => {
    const { url } = await started({ ttft: 150, tps: 50 });
    const begin = performance.now();
    const response = await post(`${url}/v1/chat/completions`, {
      ...HELLO,
      stream: true,
      max_tokens: 11,
    });
    const reader = response.body!.getReader();
    await reader.read();
    const first = performance.now() - begin;
    while (!(await reader.read()).done);
    const whole = performance.now() - begin;
    expect(first).toBeGreaterThanOrEqual(145);
    // Eleven tokens are ten gaps of 20 ms.
    expect(whole).toBeGreaterThanOrEqual(345);
    expect(whole).toBeLessThan(1500);
  });

  test('takes as long when it does not stream', async () => {
    const { url } = await started({ ttft: 100, tps: 100 });
    const begin = performance.now();
    await post(`${url}/v1/chat/completions`, { ...HELLO, max_tokens: 10 });
    expect(performance.now() - begin).toBeGreaterThanOrEqual(195);
  });

  test('stops when the client leaves', async () => {
    const mock = await started({ tps: 1 });
    const left = new AbortController();
    const response = await post(
      `${mock.url}/v1/chat/completions`,
      { ...HELLO, stream: true },
      { signal: left.signal },
    );
    await response.body!.getReader().read();
    expect(mock.active).toBe(1);
    left.abort();
    await vi.waitFor(() => expect(mock.active).toBe(0), { timeout: 500, interval: 5 });
  });

  test('outlives a client that leaves before its request is whole', async () => {
    const mock = await started();
    const socket = connect(mock.port, '127.0.0.1');
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{');
    await vi.waitFor(() => expect(mock.active).toBe(1));
    socket.destroy();
    await vi.waitFor(() => expect(mock.active).toBe(0));
    expect((await fetch(`${mock.url}/health`)).status).toBe(200);
  });

  test('closes at once, whoever it is talking to', async () => {
    const mock = await startMock({ hang: true });
    const call = post(`${mock.url}/v1/chat/completions`, HELLO).catch((error: Error) => error);
    await vi.waitFor(() => expect(mock.active).toBe(1));
    const begin = performance.now();
    await mock.close();
    expect(performance.now() - begin).toBeLessThan(500);
    expect(await call).toBeInstanceOf(Error);
    const socket = connect(mock.port, '127.0.0.1');
    expect(((await once(socket, 'error')) as [NodeJS.ErrnoException])[0].code).toBe('ECONNREFUSED');
  });

  test('reports a port that is taken', async () => {
    const { port } = await started();
    await expect(startMock({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
