import { describe, expect, test } from 'vitest';
import type { ConfigInput } from '../src/config/schema.ts';
import { chatChunk, fakeBackend, json, startEvents } from './support/fake-backend.ts';
import { startGateway, until } from './support/gateway.ts';

interface Layers extends Pick<ConfigInput, 'defaults' | 'services'> {
  readonly instance?: Partial<NonNullable<ConfigInput['instances']>[string]>;
}

/** Calls one instance through a gateway with these settings. */
async function call(
  baseUrl: string,
  { instance, ...layers }: Layers,
  body: object = {},
): Promise<{ status: number; text: string }> {
  const gateway = await startGateway({
    ...layers,
    instances: { a: { adapter: 'openai', baseUrl, ...instance } },
  });
  const answer = await gateway.post('/v1/chat/completions', { model: 'm', ...body });
  return { status: answer.status, text: await answer.text() };
}

const short = { firstByte: '150ms' };
const long = { firstByte: '10s' };

describe('a time-out', () => {
  test.each<[string, Layers, number]>([
    ['is what the defaults say', { defaults: { timeouts: short } }, 504],
    [
      'of the service wins over the defaults',
      { defaults: { timeouts: long }, services: { chat: { timeouts: short } } },
      504,
    ],
    [
      'of the instance wins over the service',
      { services: { chat: { timeouts: short } }, instance: { timeouts: long } },
      200,
    ],
    [
      'of one option leaves the others of lower layers',
      { defaults: { timeouts: short }, instance: { timeouts: { idle: '1s' } } },
      504,
    ],
    ['of another service does not matter', { services: { speech: { timeouts: short } } }, 200],
  ])('%s', async (_what, layers, expected) => {
    const backend = await fakeBackend(async (_, response) => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      json(response, 200, { choices: [] });
    });
    expect((await call(backend.url, layers)).status).toBe(expected);
  });

  test('for the first event is its own, and capped by the one for the first byte', async () => {
    const backend = await fakeBackend((_, response) => {
      startEvents(response);
      response.flushHeaders();
    });
    const stream = { stream: true };
    for (const timeouts of [{ firstEvent: '150ms' }, { firstByte: '150ms' }]) {
      const { status, text } = await call(backend.url, { defaults: { timeouts } }, stream);
      expect(status).toBe(504);
      expect(text).toContain('150 ms');
    }
  });

  test('between two bytes ends a stream with an error', async () => {
    const backend = await fakeBackend((_, response) => {
      startEvents(response);
      response.write(chatChunk('a'));
    });
    const { status, text } = await call(
      backend.url,
      { services: { chat: { timeouts: { idle: '150ms' } } } },
      { stream: true },
    );
    expect(status).toBe(200);
    expect(text).toMatch(/data: \{"error":/);
  });

  test('for all of it counts whatever comes', async () => {
    const backend = await fakeBackend(async (_, response) => {
      startEvents(response);
      for (let count = 0; count < 20 && !response.destroyed; count++) {
        response.write(chatChunk('a'));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      response.end('data: [DONE]\n\n');
    });
    const { text } = await call(
      backend.url,
      { instance: { timeouts: { total: '200ms' } } },
      { stream: true },
    );
    expect(text).toMatch(/data: \{"error":/);
    expect(text).not.toContain('[DONE]');
  });
});

describe('the attempts of a call', () => {
  test.each<[string, Layers, number]>([
    ['are three', {}, 3],
    ['are what the defaults say', { defaults: { retry: { attempts: 2 } } }, 2],
    [
      'of the service win over the defaults',
      { defaults: { retry: { attempts: 2 } }, services: { chat: { retry: { attempts: 1 } } } },
      1,
    ],
  ])('%s', async (_what, layers, expected) => {
    const backend = await fakeBackend((_, response) => json(response, 500, {}));
    const names = ['a', 'b', 'c', 'd'];
    const gateway = await startGateway({
      ...layers,
      instances: Object.fromEntries(
        names.map((name) => [name, { adapter: 'openai', baseUrl: backend.url }]),
      ),
    });
    const answer = await gateway.post('/v1/chat/completions', { model: 'm' });
    expect(answer.headers.get('x-jairouter-attempts')).toBe(String(expected));
    expect(backend.received).toHaveLength(expected);
  });
});

describe('the probes of an instance', () => {
  test('come as often as it says, whatever the defaults', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway({
      defaults: { health: { interval: '1h' } },
      instances: {
        often: { adapter: 'openai', baseUrl: backend.url, health: { interval: '50ms' } },
        seldom: { adapter: 'openai', baseUrl: backend.url },
      },
    });
    const [often, seldom] = [...gateway.gateway.fleet.instances()];
    await backend.close();
    await until(() => often!.state === 'unhealthy');
    expect(seldom!.state).toBe('healthy');
  });

  test('may fail as often as the defaults say', async () => {
    const backend = await fakeBackend();
    const { gateway } = await startGateway({
      defaults: { health: { interval: '20ms', unhealthyAfter: 1000 } },
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    await backend.close();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect([...gateway.fleet.instances()][0]!.state).toBe('healthy');
  });

  test('come one soon after the other while it is not clear whether the backend is gone', async () => {
    const backend = await fakeBackend();
    const { gateway } = await startGateway({
      // At that pace it would take six seconds.
      defaults: { health: { interval: '1s', unhealthyAfter: 6 } },
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    await backend.close();
    await until(() => [...gateway.fleet.instances()][0]!.state === 'unhealthy');
  });
});
