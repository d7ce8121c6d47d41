import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../src/config/schema.ts';
import { deadPort, fakeBackend, json, type FakeBackend } from './support/fake-backend.ts';
import { startGateway } from './support/gateway.ts';

const CHAT = '/v1/chat/completions';

interface Member {
  readonly models?: string[];
  readonly status?: number;
  readonly weight?: number;
  readonly priority?: number;
  readonly enabled?: boolean;
}

/** One backend an instance; `status` makes it fail with that, 0 makes it go down before the first call. */
async function cluster(setup: Readonly<Record<string, Member>>, more: ConfigInput = {}) {
  const backends: Record<string, FakeBackend> = {};
  const instances: NonNullable<ConfigInput['instances']> = {};
  for (const [name, { models, status = 200, ...rest }] of Object.entries(setup)) {
    const backend = await fakeBackend(
      (_, response) =>
        json(response, status, status < 400 ? { from: name } : { error: { message: name } }),
      { models: models ?? ['m'] },
    );
    backends[name] = backend;
    instances[name] = { adapter: 'openai', baseUrl: backend.url, ...rest };
  }
  const gateway = await startGateway({ ...more, instances });
  for (const [name, { status }] of Object.entries(setup)) {
    if (status === 0) await backends[name]!.close();
  }
  const ask = async (model: string | undefined, fields: object = {}, headers = {}) => {
    const answer = await gateway.post(CHAT, { ...(model && { model }), ...fields }, { headers });
    return {
      status: answer.status,
      instance: answer.headers.get('x-jairouter-instance'),
      model: answer.headers.get('x-jairouter-model'),
      attempts: answer.headers.get('x-jairouter-attempts'),
      retry: answer.headers.get('x-should-retry'),
      body: (await answer.json()) as { error?: { message: string; code: string } },
    };
  };
  return { ...gateway, backends, ask };
}

describe('a model name', () => {
  it('is an alias before it is anything else', async () => {
    const { ask } = await cluster(
      { a: { models: ['m', 'x'] }, b: { models: ['x'] } },
      { models: { x: { targets: ['a/m'] } } },
    );
    expect(await ask('x')).toMatchObject({ instance: 'a', model: 'm' });
  });

  it('may name its instance, also when the model has slashes', async () => {
    const { ask } = await cluster({ a: { models: ['org/m'] }, b: { models: ['org/m'] } });
    for (const name of ['a', 'b', 'a']) {
      expect(await ask(`${name}/org/m`)).toMatchObject({ instance: name, model: 'org/m' });
    }
  });

  it('is looked for in the catalogues before wildcards', async () => {
    const { ask } = await cluster({ a: { models: ['gpt-5'] }, b: { models: ['other'] } });
    expect(await ask('gpt-5')).toMatchObject({ instance: 'a' });
    const wild = await startGateway({
      instances: {
        a: {
          adapter: 'openai',
          baseUrl: `http://127.0.0.1:${await deadPort()}`,
          models: ['gpt-*'],
        },
      },
    });
    const answer = await wild.post(CHAT, { model: 'gpt-9' });
    expect(answer.status).toBe(503);
  });

  it('is taken by a wildcard that it fits', async () => {
    const backend = await fakeBackend(undefined, { models: [] });
    const gateway = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url, models: ['gpt-*', 'whisper-1'] } },
    });
    expect((await gateway.post(CHAT, { model: 'gpt-5-mini' })).status).toBe(200);
    expect((await gateway.post(CHAT, { model: 'claude' })).status).toBe(404);
  });

  it('left out is the default model of the service, which the backend is told', async () => {
    const { ask, backends } = await cluster(
      { a: {} },
      { services: { chat: { defaultModel: 'm' } } },
    );
    expect(await ask(undefined, { user: 'u' })).toMatchObject({ status: 200, model: 'm' });
    expect(backends['a']!.received[0]!.body.toString()).toBe('{"user":"u","model":"m"}');
    expect(await ask('unknown')).toMatchObject({ status: 404 });
  });
});

describe('the choice among instances', () => {
  it('stays in the lowest priority tier that has a candidate', async () => {
    const { ask } = await cluster({
      a: { priority: 5 },
      b: { priority: 1 },
      c: { priority: 1, enabled: false },
    });
    for (let i = 0; i < 4; i++) expect(await ask('m')).toMatchObject({ instance: 'b' });
  });

  it('follows the weights in smooth turns', async () => {
    const { ask } = await cluster(
      { a: { weight: 3 }, b: { weight: 1 } },
      { defaults: { loadBalance: 'round-robin' } },
    );
    const turns: (string | null)[] = [];
    for (let i = 0; i < 8; i++) turns.push((await ask('m')).instance);
    expect(turns.join('')).toBe('aabaaaba');
  });

  it('keeps a conversation where it began, with consistent-hash', async () => {
    const { ask } = await cluster(
      { a: {}, b: {}, c: {}, d: {} },
      { services: { chat: { loadBalance: { strategy: 'consistent-hash' } } } },
    );
    const used = new Set<string | null>();
    for (let chat = 0; chat < 12; chat++) {
      const messages = [{ role: 'user', content: `conversation ${chat}` }];
      const first = await ask('m', { messages });
      const later = await ask('m', {
        messages: [
          ...messages,
          { role: 'assistant', content: 'x' },
          { role: 'user', content: 'y' },
        ],
      });
      expect(later.instance).toBe(first.instance);
      used.add(first.instance);
    }
    expect(used.size).toBeGreaterThan(1);
  });

  it('keeps a header together where that is the key', async () => {
    const { ask } = await cluster(
      { a: {}, b: {}, c: {}, d: {} },
      { defaults: { loadBalance: { strategy: 'consistent-hash', key: 'header:x-session' } } },
    );
    const of = async (session: string) => (await ask('m', {}, { 'x-session': session })).instance;
    const sessions = Array.from({ length: 12 }, (_, index) => `s${index}`);
    const first = await Promise.all(sessions.map(of));
    expect(await Promise.all(sessions.map(of))).toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(1);
  });

  it('leaves no count behind, whatever way the calls end', async () => {
    const { ask, gateway } = await cluster({ a: {}, b: { status: 500 }, c: { status: 400 } });
    await Promise.all(Array.from({ length: 30 }, () => ask('m')));
    for (const instance of gateway.fleet.instances()) expect(instance.inFlight).toBe(0);
    expect(gateway.calls.size).toBe(0);
  });
});

describe('an attempt that fails', () => {
  it.each([0, 408, 429, 500, 502, 503, 504, 529])(
    'with %i is made good on another instance',
    async (status) => {
      const { ask } = await cluster({ bad: { status, priority: 0 }, good: { priority: 1 } });
      expect(await ask('m')).toMatchObject({ status: 200, instance: 'good', attempts: '2' });
    },
  );

  it.each([400, 401, 404, 413, 422])('with %i is the answer', async (status) => {
    const { ask, backends } = await cluster({ bad: { status }, good: { priority: 1 } });
    expect(await ask('m')).toMatchObject({ status, instance: 'bad', attempts: '1' });
    expect(backends['good']!.received).toHaveLength(0);
  });

  it('is not repeated beyond retry.attempts, nor on the same instance', async () => {
    const { ask, backends } = await cluster(
      { a: { status: 500 }, b: { status: 500 }, c: { status: 500 }, d: { status: 500 } },
      { defaults: { retry: { attempts: 3 } } },
    );
    expect(await ask('m')).toMatchObject({ status: 500, attempts: '3', retry: 'false' });
    const calls = Object.values(backends).map(({ received }) => received.length);
    expect(calls.toSorted((x, y) => x - y)).toEqual([0, 1, 1, 1]);
  });

  it('leaves the most telling error of all', async () => {
    const { ask } = await cluster({
      a: { status: 429, priority: 0 },
      b: { status: 0, priority: 1 },
    });
    expect(await ask('m')).toMatchObject({ status: 429, body: { error: { message: 'a' } } });
  });

  it('is recorded with the call, attempt by attempt', async () => {
    const { ask, outcomes } = await cluster({ bad: { status: 500 }, good: { priority: 1 } });
    await ask('m');
    expect(outcomes).toMatchObject([
      {
        ending: 'ok',
        status: 200,
        instance: 'good',
        attempts: [{ instance: 'bad', status: 500, error: 'bad' }, { instance: 'good' }],
      },
    ]);
  });
});

describe('fallback models', () => {
  const models = { coder: { targets: ['a/big'], fallback: ['small'] } };

  it('are taken when no target is there', async () => {
    const { ask } = await cluster(
      { a: { models: ['big'], enabled: false }, b: { models: ['small'] } },
      { models },
    );
    expect(await ask('coder')).toMatchObject({ status: 200, instance: 'b', model: 'small' });
  });

  it('are taken after the targets have failed, also on the same instance', async () => {
    const backend = await fakeBackend(
      ({ body }, response) =>
        body.includes('"big"')
          ? json(response, 503, { error: { message: 'no' } })
          : json(response, 200, { ok: true }),
      { models: ['big', 'small'] },
    );
    const gateway = await startGateway({
      models,
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    const answer = await gateway.post(CHAT, { model: 'coder' });
    expect(answer.headers.get('x-jairouter-model')).toBe('small');
    expect(answer.headers.get('x-jairouter-attempts')).toBe('2');
  });

  it('may be aliases, and may go in circles without harm', async () => {
    const { ask } = await cluster(
      { a: { models: ['big'], enabled: false }, b: { models: ['small'] } },
      {
        models: {
          one: { targets: ['a/big'], fallback: ['two'] },
          two: { targets: ['a/big'], fallback: ['one', 'small'] },
        },
      },
    );
    expect(await ask('one')).toMatchObject({ status: 200, instance: 'b' });
  });

  it('are not taken for a client error', async () => {
    const { ask } = await cluster(
      { a: { models: ['big'], status: 400 }, b: { models: ['small'] } },
      { models },
    );
    expect(await ask('coder')).toMatchObject({ status: 400, instance: 'a' });
  });
});
