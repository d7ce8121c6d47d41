import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../src/config/schema.ts';
import type { Instance } from '../src/instances/instance.ts';
import {
  chatChunk,
  deadPort,
  fakeBackend,
  json,
  startEvents,
  type Behaviour,
  type FakeBackend,
} from './support/fake-backend.ts';
import { list, scripted } from './adapters/exchange.ts';
import { startGateway, until, type TestGateway } from './support/gateway.ts';

const CHAT = '/v1/chat/completions';
const EMBEDDINGS = '/v1/embeddings';

type InstanceInput = NonNullable<ConfigInput['instances']>[string];

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly instance: string | null;
  readonly error: { readonly code: string; readonly message: string } | undefined;
  readonly body: unknown;
}

interface Setting extends TestGateway {
  readonly backends: Readonly<Record<string, FakeBackend>>;
  readonly ask: (
    path?: string,
    fields?: object,
    headers?: Record<string, string>,
  ) => Promise<Answer>;
  readonly instance: (name: string) => Instance;
}

/** A gateway before one backend an instance, in the order of their priority. */
async function setting(
  members: Readonly<Record<string, Partial<InstanceInput> & { behave?: Behaviour }>>,
  config: ConfigInput = {},
): Promise<Setting> {
  const backends: Record<string, FakeBackend> = {};
  const instances: Record<string, InstanceInput> = {};
  for (const [name, { behave, ...rest }] of Object.entries(members)) {
    const backend = await fakeBackend(behave, { models: ['m', 'n'] });
    backends[name] = backend;
    instances[name] = {
      adapter: 'openai',
      baseUrl: backend.url,
      priority: Object.keys(instances).length,
      ...rest,
    };
  }
  const gateway = await startGateway({ ...config, instances });
  return {
    ...gateway,
    backends,
    instance: (name) => [...gateway.gateway.fleet.instances()].find((one) => one.name === name)!,
    async ask(path = CHAT, fields = {}, headers = {}) {
      const answer = await gateway.post(path, { model: 'm', ...fields }, { headers });
      const body = (await answer.json()) as { error?: { code: string; message: string } };
      return {
        status: answer.status,
        headers: answer.headers,
        instance: answer.headers.get('x-jairouter-instance'),
        error: body.error,
        body,
      };
    },
  };
}

/** A call that its client can leave. */
function leavable(
  url: string,
  fields: object = {},
): { leave: () => void; status: Promise<number> } {
  const request = httpRequest(url + CHAT, { method: 'POST' });
  const status = new Promise<number>((resolve) => {
    request.on('error', () => resolve(0));
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
  });
  request.setHeader('content-type', 'application/json');
  request.end(JSON.stringify({ model: 'm', ...fields }));
  return { leave: () => void request.destroy(), status };
}

const failing: Behaviour = (_, response) => json(response, 500, { error: { message: 'no' } });
const ONCE = { rate: '1/h', capacity: 1 } as const;
const pass = (key: string) => ({ authorization: `Bearer ${key}` });

describe('a rate limit', () => {
  it('at the top of the config holds for all calls together', async () => {
    const { ask } = await setting({ a: {} }, { rateLimit: ONCE });
    expect((await ask(CHAT)).status).toBe(200);
    const refused = await ask(EMBEDDINGS);
    expect(refused).toMatchObject({ status: 429, error: { code: 'rate_limit_exceeded' } });
    expect(refused.error!.message).toContain('1 request per hour for all calls');
  });

  it('of a service leaves other services alone', async () => {
    const { ask } = await setting({ a: {} }, { services: { chat: { rateLimit: ONCE } } });
    expect((await ask(CHAT)).status).toBe(200);
    expect((await ask(CHAT)).status).toBe(429);
    expect((await ask(EMBEDDINGS)).status).toBe(200);
  });

  it('of the defaults holds for each service by itself', async () => {
    const { ask } = await setting({ a: {} }, { defaults: { rateLimit: ONCE } });
    expect((await ask(CHAT)).status).toBe(200);
    expect((await ask(EMBEDDINGS)).status).toBe(200);
    expect((await ask(CHAT)).status).toBe(429);
    expect((await ask(EMBEDDINGS)).status).toBe(429);
  });

  it('of a model holds for calls by that name', async () => {
    const { ask } = await setting(
      { a: {} },
      { models: { mine: { targets: ['a/m'], rateLimit: ONCE } } },
    );
    expect((await ask(CHAT, { model: 'mine' })).status).toBe(200);
    expect((await ask(CHAT, { model: 'mine' })).status).toBe(429);
    expect((await ask(CHAT, { model: 'm' })).status).toBe(200);
  });

  it('of an API key holds for that key', async () => {
    const { ask } = await setting(
      { a: {} },
      {
        server: {
          apiKeys: [
            { name: 'one', key: 'key-one', rateLimit: ONCE },
            { name: 'two', key: 'key-two' },
          ],
        },
      },
    );
    expect((await ask(CHAT, {}, pass('key-one'))).status).toBe(200);
    expect((await ask(CHAT, {}, pass('key-one'))).status).toBe(429);
    expect((await ask(CHAT, {}, pass('key-two'))).status).toBe(200);
  });

  it.each(['key', 'client'] as const)('per %s counts each key by itself', async (per) => {
    const apiKeys = ['one', 'two'].map((name) => ({ name, key: `key-${name}` }));
    const { ask } = await setting({ a: {} }, { server: { apiKeys }, rateLimit: { ...ONCE, per } });
    for (const { key } of apiKeys) expect((await ask(CHAT, {}, pass(key))).status).toBe(200);
    for (const { key } of apiKeys) expect((await ask(CHAT, {}, pass(key))).status).toBe(429);
  });

  it('per model counts each model by itself', async () => {
    const { ask } = await setting({ a: {} }, { rateLimit: { ...ONCE, per: 'model' } });
    for (const model of ['m', 'n']) expect((await ask(CHAT, { model })).status).toBe(200);
    for (const model of ['m', 'n']) expect((await ask(CHAT, { model })).status).toBe(429);
  });

  it.each(['ip', 'client'] as const)('per %s counts keyless callers by address', async (per) => {
    const { url } = await setting({ a: {} }, { rateLimit: { ...ONCE, per } });
    const from = (localAddress: string) =>
      new Promise<number>((resolve, reject) => {
        const request = httpRequest(url + CHAT, { method: 'POST', localAddress }, (response) => {
          response.resume();
          resolve(response.statusCode!);
        });
        request.on('error', reject);
        request.setHeader('content-type', 'application/json');
        request.end('{"model":"m"}');
      });
    expect(await from('127.0.0.1')).toBe(200);
    expect(await from('127.0.0.1')).toBe(429);
    // Elsewhere than on Linux, the loopback interface has but one address.
    if (process.platform === 'linux') expect(await from('127.0.0.2')).toBe(200);
  });

  it('of an instance sends calls to the next candidate, and refuses when there is none', async () => {
    const { ask } = await setting({ a: { rateLimit: ONCE }, b: { rateLimit: ONCE } });
    expect(await ask()).toMatchObject({ status: 200, instance: 'a' });
    expect(await ask()).toMatchObject({ status: 200, instance: 'b' });
    const refused = await ask();
    expect(refused).toMatchObject({ status: 429, error: { code: 'rate_limit_exceeded' } });
    expect(refused.error!.message).toMatch(/a is at its limit.*b is at its limit/);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3000);
  });

  it('per instance counts each instance by itself', async () => {
    const { ask } = await setting(
      { a: {}, b: {} },
      { services: { chat: { rateLimit: { ...ONCE, per: 'instance' } } } },
    );
    expect((await ask()).instance).toBe('a');
    expect((await ask()).instance).toBe('b');
    expect((await ask()).status).toBe(429);
    expect((await ask(EMBEDDINGS)).status).toBe(200);
  });

  it.each(['token-bucket', 'leaky-bucket', 'sliding-window', 'fixed-window', 'warm-up'] as const)(
    '(%s) admits who waits for exactly as long as Retry-After says',
    async (algorithm) => {
      // A cold warm-up goes at a third of its rate.
      const rate = algorithm === 'warm-up' ? '3/s' : '1/s';
      const { ask } = await setting({ a: {} }, { rateLimit: { algorithm, rate, capacity: 1 } });
      // What a shaper holds back is on its way, and not refused.
      const answers = await Promise.all(Array.from({ length: 4 }, () => ask()));
      const refused = answers.find(({ status }) => status === 429)!;
      expect(answers.some(({ status }) => status === 200)).toBe(true);
      const wait = refused.headers.get('retry-after')!;
      expect(wait).toMatch(/^[12]$/);
      await sleep(Number(wait) * 1000);
      expect((await ask()).status).toBe(200);
    },
  );

  it('is told in x-ratelimit headers, on answers and refusals', async () => {
    const { ask } = await setting({ a: {} }, { rateLimit: { rate: '2/h', capacity: 2 } });
    const told = ({ headers }: Answer) => [
      headers.get('x-ratelimit-limit-requests'),
      headers.get('x-ratelimit-remaining-requests'),
    ];
    expect(told(await ask())).toEqual(['2', '1']);
    expect(told(await ask())).toEqual(['2', '0']);
    const refused = await ask();
    expect(refused.status).toBe(429);
    expect(told(refused)).toEqual(['2', '0']);
    expect(refused.headers.get('x-ratelimit-reset-requests')).toMatch(/^(59m|1h0m)/);
  });

  it('that is a leaky bucket lets calls go evenly', async () => {
    const arrivals: number[] = [];
    const { ask } = await setting(
      {
        a: {
          behave: (_, response) => {
            arrivals.push(performance.now());
            json(response, 200, {});
          },
        },
      },
      { rateLimit: { algorithm: 'leaky-bucket', rate: '4/s', capacity: 3 } },
    );
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask()));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(4);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(2);
    const gaps = arrivals.slice(1).map((at, index) => at - arrivals[index]!);
    for (const gap of gaps) expect(gap).toBeGreaterThan(200);
  });

  it('gives back the turn of a client that leaves a leaky bucket', async () => {
    const { url, ask, backends, gateway } = await setting(
      { a: {} },
      { rateLimit: { algorithm: 'leaky-bucket', rate: '1/s', capacity: 1 } },
    );
    expect((await ask()).status).toBe(200);
    const { leave } = leavable(url);
    await until(() => gateway.calls.size === 1);
    await sleep(50);
    expect((await ask()).status).toBe(429);
    leave();
    await until(() => gateway.calls.size === 0);
    expect((await ask()).status).toBe(200);
    expect(backends['a']!.received).toHaveLength(2);
  });

  it('on tokens charges an estimate, and then what was really used', async () => {
    const used = { prompt_tokens: 80, completion_tokens: 10, total_tokens: 90 };
    const { ask } = await setting(
      { a: { behave: (_, response) => json(response, 200, { usage: used }) } },
      { rateLimit: { rate: '100/h', capacity: 100, cost: 'tokens' } },
    );
    const remaining = ({ headers }: Answer) => Number(headers.get('x-ratelimit-remaining-tokens'));
    const first = await ask(CHAT, { prompt: 'x'.repeat(40) });
    expect(first.headers.get('x-ratelimit-limit-tokens')).toBe('100');
    expect(remaining(first)).toBe(90);
    const second = await ask(CHAT, { max_tokens: 5 });
    expect(second.status).toBe(200);
    expect(remaining(second)).toBe(5);
    // Now more is owed than there is.
    expect((await ask(CHAT, { max_tokens: 1 })).status).toBe(429);
  });

  it('on tokens gives back what a stream did not use', async () => {
    const gateway = await setting(
      {
        a: {
          behave: (_, response) => {
            startEvents(response);
            response.write(chatChunk('x'));
            const usage = { prompt_tokens: 5, completion_tokens: 5 };
            response.end(`data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`);
          },
        },
      },
      { rateLimit: { rate: '100/h', capacity: 100, cost: 'tokens' } },
    );
    const stream = await gateway.post(CHAT, { model: 'm', stream: true, max_tokens: 90 });
    await stream.text();
    const refused = await gateway.ask(CHAT, { max_tokens: 95 });
    expect(refused.status).toBe(429);
    expect(refused.headers.get('x-ratelimit-remaining-tokens')).toBe('90');
  });

  it('charges nothing for a model that is not there, or a call that another limit refuses', async () => {
    const { ask } = await setting(
      { a: {} },
      { rateLimit: { rate: '2/h', capacity: 2 }, services: { chat: { rateLimit: ONCE } } },
    );
    expect((await ask(CHAT, { model: 'nowhere' })).status).toBe(404);
    expect((await ask(CHAT)).status).toBe(200);
    for (let call = 0; call < 3; call++) expect((await ask(CHAT)).status).toBe(429);
    expect((await ask(EMBEDDINGS)).status).toBe(200);
    expect((await ask(EMBEDDINGS)).status).toBe(429);
  });

  it('charges nothing for a call that nobody could serve', async () => {
    const { ask, backends } = await setting({ a: {} }, { rateLimit: ONCE });
    await backends['a']!.close();
    // The first one reaches for the backend, and finds that it is gone.
    const statuses = [(await ask()).status, (await ask()).status];
    expect(statuses).toEqual([502, 429]);
  });

  it('charges a call once, however many attempts it takes', async () => {
    const { ask } = await setting(
      { a: { behave: failing }, b: {} },
      { rateLimit: { rate: '2/h', capacity: 2 } },
    );
    expect(await ask()).toMatchObject({ status: 200, instance: 'b' });
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
  });
});

/** A backend that answers when it is told to, with the content that it was asked with. */
function held(): { behave: Behaviour; open: (() => void)[]; order: string[] } {
  const open: (() => void)[] = [];
  const order: string[] = [];
  return {
    open,
    order,
    behave: ({ body }, response) => {
      order.push((JSON.parse(body.toString()) as { user: string }).user);
      open.push(() => json(response, 200, {}));
    },
  };
}

describe('an instance with maxConcurrency', () => {
  it('is never sent more, and serves those who wait in their order', async () => {
    const { behave, open, order } = held();
    const { ask, gateway, instance } = await setting({ a: { behave, maxConcurrency: 2 } });
    const answers: Promise<Answer>[] = [];
    for (let call = 0; call < 6; call++) {
      answers.push(ask(CHAT, { user: `u${call}` }));
      await until(() => gateway.calls.size === call + 1);
      await until(() => order.length + gateway.fleet.queue.length('chat') === call + 1);
    }
    expect(order).toEqual(['u0', 'u1']);
    for (let done = 0; done < 6; done++) {
      await until(() => open.length > done);
      expect(instance('a').inFlight).toBeLessThanOrEqual(2);
      open[done]!();
      await answers[done];
    }
    expect(order).toEqual(['u0', 'u1', 'u2', 'u3', 'u4', 'u5']);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(
      Array.from({ length: 6 }, () => 200),
    );
    await until(() => gateway.calls.size === 0);
    expect(instance('a').inFlight).toBe(0);
    expect(gateway.fleet.queue.length('chat')).toBe(0);
  });

  it('refuses with queue_full what its queue has no place for', async () => {
    const { behave, open } = held();
    const { ask, gateway } = await setting(
      { a: { behave, maxConcurrency: 1 } },
      { services: { chat: { queue: { size: 1 } } } },
    );
    const first = ask();
    await until(() => open.length === 1);
    const second = ask();
    await until(() => gateway.fleet.queue.length('chat') === 1);
    const third = await ask();
    expect(third).toMatchObject({ status: 429, error: { code: 'queue_full' } });
    expect(third.headers.get('retry-after')).toBe('1');
    open[0]!();
    await until(() => open.length === 2);
    open[1]!();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
  });

  it('refuses with queue_timeout who has waited for maxWait', async () => {
    const { behave, open } = held();
    const { ask, gateway } = await setting(
      { a: { behave, maxConcurrency: 1 } },
      { defaults: { queue: { maxWait: '100ms' } } },
    );
    const first = ask();
    await until(() => open.length === 1);
    const began = performance.now();
    const late = await ask();
    expect(performance.now() - began).toBeGreaterThan(90);
    expect(late).toMatchObject({ status: 429, error: { code: 'queue_timeout' } });
    expect(late.headers.get('retry-after')).toBe('1');
    expect(gateway.fleet.queue.length('chat')).toBe(0);
    open[0]!();
    expect((await first).status).toBe(200);
  });

  it('frees the place of a client that leaves the queue, and does not serve it', async () => {
    const { behave, open, order } = held();
    const { ask, url, gateway, outcomes } = await setting(
      { a: { behave, maxConcurrency: 1 } },
      { defaults: { queue: { size: 1 } } },
    );
    const first = ask(CHAT, { user: 'first' });
    await until(() => open.length === 1);
    const { leave } = leavable(url, { user: 'left' });
    await until(() => gateway.fleet.queue.length('chat') === 1);
    const left = performance.now();
    leave();
    await until(() => gateway.fleet.queue.length('chat') === 0);
    expect(performance.now() - left).toBeLessThan(500);
    const last = ask(CHAT, { user: 'last' });
    await until(() => gateway.fleet.queue.length('chat') === 1);
    open[0]!();
    await until(() => open.length === 2);
    open[1]!();
    expect([(await first).status, (await last).status]).toEqual([200, 200]);
    expect(order).toEqual(['first', 'last']);
    expect(outcomes.find(({ ending }) => ending === 'aborted')?.attempts).toEqual([]);
  });

  it('gives the slot of an aborted or failed call to who waits', async () => {
    let calls = 0;
    const { url, ask, instance, gateway } = await setting({
      a: {
        maxConcurrency: 1,
        behave: async (_, response) => {
          calls += 1;
          if (calls === 1) return;
          await sleep(30);
          json(response, calls === 2 ? 400 : 200, { error: null });
        },
      },
    });
    const { leave } = leavable(url);
    await until(() => calls === 1);
    const second = ask();
    await until(() => gateway.fleet.queue.length('chat') === 1);
    const third = ask();
    await until(() => gateway.fleet.queue.length('chat') === 2);
    leave();
    expect((await second).status).toBe(400);
    expect((await third).status).toBe(200);
    await until(() => gateway.calls.size === 0);
    expect(instance('a').inFlight).toBe(0);
  });

  it('is passed by while another instance has room', async () => {
    const { behave, open } = held();
    const { ask } = await setting({ a: { behave, maxConcurrency: 1 }, b: {} });
    const first = ask();
    await until(() => open.length === 1);
    expect(await ask()).toMatchObject({ status: 200, instance: 'b' });
    open[0]!();
    expect((await first).instance).toBe('a');
  });

  it('is waited for when the others fail, also after the budget for retries is spent', async () => {
    const { behave, open } = held();
    const { ask } = await setting(
      { bad: { behave: failing }, worse: { behave: failing }, good: { behave, maxConcurrency: 1 } },
      { defaults: { circuitBreaker: { failureThreshold: 1000, minimumCalls: 1000 } } },
    );
    const answers = Array.from({ length: 12 }, () => ask());
    await until(() => open.length > 0);
    const finishing = setInterval(() => open.shift()?.(), 5);
    await Promise.all(answers).finally(() => clearInterval(finishing));
    expect((await Promise.all(answers)).map(({ status, instance }) => [status, instance])).toEqual(
      Array.from({ length: 12 }, () => [200, 'good']),
    );
  });
});

describe('a circuit breaker', () => {
  it('opens after five failures, and calls go elsewhere without trying', async () => {
    const { ask, backends } = await setting({ a: { behave: failing }, b: {} });
    for (let call = 0; call < 8; call++) {
      expect(await ask()).toMatchObject({ status: 200, instance: 'b' });
    }
    expect(backends['a']!.received).toHaveLength(5);
  });

  it('is named by a 503 with Retry-After when nobody else is left', async () => {
    const { ask, backends } = await setting(
      { a: { behave: failing } },
      { defaults: { circuitBreaker: { openFor: '20s' } } },
    );
    for (let call = 0; call < 5; call++) expect((await ask()).status).toBe(500);
    const refused = await ask();
    expect(refused).toMatchObject({ status: 503, error: { code: 'no_instance_available' } });
    expect(refused.error!.message).toContain('a fails (its circuit breaker is open)');
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThanOrEqual(17);
    expect(wait).toBeLessThanOrEqual(22);
    expect(backends['a']!.received).toHaveLength(5);
  });

  it('lets a few trials through after its open time, and closes when they go well', async () => {
    let broken = true;
    const open: (() => void)[] = [];
    const { ask, instance } = await setting(
      {
        a: {
          behave: (received, response) => {
            if (broken) void failing(received, response);
            else open.push(() => json(response, 200, {}));
          },
        },
        b: {},
      },
      { defaults: { circuitBreaker: { openFor: '200ms' } } },
    );
    for (let call = 0; call < 5; call++) await ask();
    const state = () => instance('a').breaker.state(performance.now());
    expect(state()).toBe('open');
    broken = false;
    await until(() => state() === 'half-open');
    const trials = [ask(), ask()];
    await until(() => open.length === 2);
    expect(instance('a').breaker.view(performance.now()).trials).toBe(2);
    // No third one.
    expect((await ask()).instance).toBe('b');
    for (const finish of open) finish();
    expect((await Promise.all(trials)).map(({ instance }) => instance)).toEqual(['a', 'a']);
    expect(state()).toBe('closed');
  });

  it('opens again after a trial that fails, and a trial whose client leaves gives its place back', async () => {
    let silent = false;
    const { ask, url, instance, backends } = await setting(
      { a: { behave: (received, response) => (silent ? undefined : failing(received, response)) } },
      { defaults: { circuitBreaker: { openFor: '150ms', trials: 1 } } },
    );
    const state = () => instance('a').breaker.state(performance.now());
    for (let call = 0; call < 5; call++) await ask();
    await until(() => state() === 'half-open');
    silent = true;
    const { leave } = leavable(url);
    await until(() => backends['a']!.received.length === 6);
    leave();
    await until(() => instance('a').breaker.view(performance.now()).trials === 0);
    expect(state()).toBe('half-open');
    silent = false;
    await ask();
    expect(state()).toBe('open');
  });

  it.each([400, 404, 413, 422, 429])('is not opened by %i', async (status) => {
    const { ask, instance, backends } = await setting(
      { a: { behave: (_, response) => json(response, status, { error: { message: 'you' } }) } },
      { defaults: { retry: { attempts: 1 } } },
    );
    for (let call = 0; call < 7; call++) {
      instance('a').cooling.reset();
      expect((await ask()).status).toBe(status);
    }
    expect(instance('a').breaker.state(performance.now())).toBe('closed');
    expect(backends['a']!.received).toHaveLength(7);
  });

  it('is not opened by clients that leave', async () => {
    const { url, instance, backends, gateway } = await setting({ a: { behave: () => {} } });
    for (let call = 1; call <= 7; call++) {
      const { leave } = leavable(url);
      await until(() => backends['a']!.received.length === call);
      leave();
      await until(() => gateway.calls.size === 0);
    }
    await until(() => backends['a']!.aborted() === 7);
    expect(instance('a').breaker.view(performance.now())).toMatchObject({
      state: 'closed',
      failuresInARow: 0,
    });
  });

  it.each([
    ['breaks off', (response) => void setTimeout(() => response.destroy(), 10)],
    [
      'carries an error',
      (response) => void response.end('data: {"error":{"message":"out of memory"}}\n\n'),
    ],
  ] as [string, (response: Parameters<Behaviour>[1]) => void][])(
    'is opened by streams of which each %s',
    async (_, end) => {
      const gateway = await setting({
        a: {
          behave: async (_, response) => {
            startEvents(response);
            response.write(chatChunk('1'));
            await sleep(10);
            end(response);
          },
        },
      });
      for (let call = 0; call < 5; call++) {
        const text = await (await gateway.post(CHAT, { model: 'm', stream: true })).text();
        expect(text.split('\n\n').at(-2)).toContain('"error"');
      }
      expect(gateway.instance('a').breaker.state(performance.now())).toBe('open');
    },
  );
});

describe('an instance', () => {
  it('that answers 429 rests for as long as it asks, and is asked again then', async () => {
    let limited = true;
    const { ask, backends } = await setting({
      a: {
        behave: (_, response) => {
          if (!limited) return json(response, 200, {});
          response.setHeader('retry-after', '1');
          json(response, 429, { error: { message: 'slow down' } });
        },
      },
      b: {},
    });
    const began = performance.now();
    for (let call = 0; call < 3; call++) expect((await ask()).instance).toBe('b');
    expect(backends['a']!.received).toHaveLength(1);
    limited = false;
    await sleep(1000 - (performance.now() - began) + 50);
    expect((await ask()).instance).toBe('a');
  });

  it('that rests alone is told in a 503 with the time that is left', async () => {
    const { ask } = await setting({
      a: {
        behave: (_, response) => {
          response.setHeader('retry-after', '20');
          json(response, 429, { error: { message: 'slow down' } });
        },
      },
    });
    const first = await ask();
    expect([first.status, first.headers.get('retry-after')]).toEqual([429, '20']);
    const second = await ask();
    expect(second).toMatchObject({ status: 503, error: { code: 'no_instance_available' } });
    expect(second.headers.get('retry-after')).toBe('20');
    expect(second.error!.message).toContain('rests for 20 s');
  });

  it('that refuses our credentials is misconfigured, and says so', async () => {
    const { ask, instance, backends } = await setting({
      a: {
        behave: (_, response) => json(response, 401, { error: { message: 'Incorrect API key' } }),
      },
      b: {},
    });
    const first = await ask();
    expect(first.status).toBe(401);
    expect(first.error!.message).toContain('check instances.a.apiKey');
    expect(instance('a').state).toBe('misconfigured');
    expect(instance('a').breaker.view(performance.now()).failuresInARow).toBe(0);
    expect((await ask()).instance).toBe('b');
    expect(backends['a']!.received).toHaveLength(1);
  });

  it('that was never there is not tried', async () => {
    const baseUrl = `http://127.0.0.1:${await deadPort()}`;
    const { ask, instance } = await setting({ a: { baseUrl, models: ['m'] }, b: {} });
    expect(instance('a').state).toBe('unhealthy');
    const answer = await ask();
    expect([answer.instance, answer.headers.get('x-jairouter-attempts')]).toEqual(['b', '1']);
  });

  it('that goes down is left at the first refused connection, and its recovery is noticed', async () => {
    const { ask, instance, backends, gateway } = await setting(
      { a: {}, b: {} },
      { defaults: { health: { interval: '200ms' } } },
    );
    expect((await ask()).instance).toBe('a');
    await backends['a']!.close();
    const answer = await ask();
    expect(answer).toMatchObject({ status: 200, instance: 'b' });
    expect(instance('a').state).toBe('unhealthy');
    expect(gateway.calls.size).toBe(0);
    await backends['a']!.reopen();
    const back = performance.now();
    await until(() => instance('a').state === 'healthy');
    // One interval with its jitter, and what a busy machine may add.
    expect(performance.now() - back).toBeLessThan(200 * 1.1 + 500);
    expect((await ask()).instance).toBe('a');
  });

  it('that hangs when it is asked what it has beside the usual serves all the same', async () => {
    const hangs = () => undefined;
    const { url: baseUrl } = await scripted({
      'GET /v1/models': list({ id: 'm' }),
      'POST /v1/messages': hangs,
      'POST /v1/messages/count_tokens': hangs,
      'POST /v1/responses': hangs,
      [`POST ${CHAT}`]: { body: {} },
    });
    const instances = { a: { adapter: 'openai', baseUrl } } as const;
    const gateway = await startGateway({ instances }, { probed: false });
    const [a] = [...gateway.gateway.fleet.instances()];
    await until(() => a!.state === 'healthy', 1500);
    expect((await gateway.post(CHAT, { model: 'm' })).status).toBe(200);
  });

  it('that comes back gets no call whose client has left while it was looked for', async () => {
    const { url, backends, instance, gateway, outcomes } = await setting(
      { a: { behave: () => {} } },
      { defaults: { health: { interval: '50ms' } } },
    );
    // A probe that takes its time, so that a call waits for its result.
    backends['a']!.delayProbes(400);
    instance('a').breaker.force('open', performance.now());
    await sleep(100);
    const { leave } = leavable(url);
    await until(() => gateway.calls.size === 1);
    await sleep(50);
    leave();
    instance('a').breaker.reset(performance.now());
    await until(() => outcomes.length === 1, 1000).catch(() => {});
    expect(backends['a']!.received).toHaveLength(0);
    expect(outcomes).toMatchObject([{ ending: 'aborted', attempts: [] }]);
    expect(instance('a').inFlight).toBe(0);
  });
});
