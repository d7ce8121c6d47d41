import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fakeBackend, json } from './support/fake-backend.ts';
import { startGateway, until } from './support/gateway.ts';

const CHAT = '/v1/chat/completions';

/** An Ollama that takes its time to load a model, and says so as Ollama does. */
async function slowOllama(loadTime: number) {
  let loaded = false;
  let asked = 0;
  const answer = (response: ServerResponse, body: unknown) => json(response, 200, body);
  const server = createServer((request, response) => {
    request.resume();
    const models = [{ name: 'big:latest', model: 'big:latest', capabilities: ['completion'] }];
    if (request.url === '/api/tags') return answer(response, { models });
    if (request.url === '/api/version') return answer(response, { version: '0.33.0' });
    if (/^\/v1\/(messages|responses)/.test(request.url ?? '')) return json(response, 404, {});
    if (request.url === '/api/generate') {
      loaded = true;
      return answer(response, { done: true, done_reason: 'load' });
    }
    if (request.url === '/api/ps') {
      asked += 1;
      return answer(response, { models: loaded ? models : [] });
    }
    setTimeout(() => {
      loaded = true;
      answer(response, { choices: [], model: 'big' });
    }, loadTime);
    return undefined;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked: () => asked, loaded: () => loaded };
}

describe('a backend that is loading its model', () => {
  it('is waited for beyond the first byte limit, as long as it says so', async () => {
    const ollama = await slowOllama(700);
    const gateway = await startGateway({
      defaults: { timeouts: { firstByte: '200ms' } },
      instances: { a: { adapter: 'ollama', baseUrl: ollama.url } },
    });
    const answer = await gateway.post(CHAT, { model: 'big' });
    expect(answer.status).toBe(200);
    expect(gateway.outcomes[0]!.attempts).toHaveLength(1);
  });

  it('is not waited for beyond timeouts.loading', async () => {
    const ollama = await slowOllama(5000);
    const gateway = await startGateway({
      defaults: { timeouts: { firstByte: '100ms', loading: '400ms' } },
      instances: { a: { adapter: 'ollama', baseUrl: ollama.url } },
    });
    const began = performance.now();
    const answer = await gateway.post(CHAT, { model: 'big' });
    expect(answer.status).toBe(504);
    expect(performance.now() - began).toBeGreaterThan(390);
    expect(performance.now() - began).toBeLessThan(3000);
  });

  it('that answers 503 meanwhile is asked again until it is there', async () => {
    let calls = 0;
    const backend = await fakeBackend((_, response) => {
      calls += 1;
      if (calls > 1) return json(response, 200, { ok: true });
      return json(response, 503, {
        error: { message: 'model m is still loading', code: 'model_loading' },
      });
    });
    const gateway = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    const answer = await gateway.post(CHAT, { model: 'm' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-jairouter-attempts')).toBe('2');
    const [instance] = gateway.gateway.fleet.instances();
    expect(instance!.breaker.view(performance.now()).failuresInARow).toBe(0);
  });

  it('gives its call to another that has the model', async () => {
    const loading = await fakeBackend((_, response) =>
      json(response, 503, { detail: 'Model is loading, please retry later: m' }),
    );
    const ready = await fakeBackend();
    const gateway = await startGateway({
      instances: {
        a: { adapter: 'openai', baseUrl: loading.url },
        b: { adapter: 'openai', baseUrl: ready.url, priority: 1 },
      },
    });
    const answer = await gateway.post(CHAT, { model: 'm' });
    expect(answer.headers.get('x-jairouter-instance')).toBe('b');
    const again = await gateway.post(CHAT, { model: 'm' });
    expect(again.headers.get('x-jairouter-attempts')).toBe('1');
  });

  it('loads what its config wants warm as soon as it is reached', async () => {
    const ollama = await slowOllama(0);
    await startGateway({
      instances: { a: { adapter: 'ollama', baseUrl: ollama.url, warm: ['big'] } },
    });
    await until(() => ollama.loaded());
    expect(ollama.loaded()).toBe(true);
  });

  it('lets a client go that does not wait', async () => {
    const backend = await fakeBackend((_, response) =>
      json(response, 503, { detail: 'Model is loading, please retry later: m' }),
    );
    const gateway = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    const leaving = new AbortController();
    const answer = gateway.post(CHAT, { model: 'm' }, { signal: leaving.signal });
    await until(() => backend.received.length === 1);
    leaving.abort();
    await expect(answer).rejects.toThrow();
    await until(() => gateway.outcomes.length === 1);
    expect(gateway.outcomes[0]!.ending).toBe('aborted');
    expect(gateway.gateway.calls.size).toBe(0);
  });
});
