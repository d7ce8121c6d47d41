import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../src/config/schema.ts';
import { expectDescribed, openApi } from './support/admin.ts';
import { deadPort, fakeBackend, json, type FakeBackend } from './support/fake-backend.ts';
import { startGateway, until, type TestGateway } from './support/gateway.ts';

interface Candidate {
  readonly instance: string;
  readonly chosen: boolean;
  readonly reason: string;
  readonly standing?: { readonly text: string; readonly chance: number };
  readonly filters: readonly { name: string; passes: boolean; text: string; changesIn?: number }[];
}
interface Explained {
  readonly service: string;
  readonly operation: string;
  readonly model?: string;
  readonly isDefault: boolean;
  readonly limits: readonly { text: string; remaining: number; admits: boolean }[];
  readonly steps: readonly {
    readonly model: string;
    readonly via: string;
    readonly fallback: boolean;
    readonly candidates: readonly Candidate[];
  }[];
  readonly outcome: {
    readonly kind: string;
    readonly instance?: string;
    readonly model?: string;
    readonly status?: number;
    readonly code?: string;
    readonly message?: string;
    readonly reason?: string;
  };
}

/** Asks with a GET, and holds the answer to the API's description. */
async function explain(gateway: TestGateway, query: Record<string, string>): Promise<Explained> {
  const answer = await gateway.admin(`GET /admin/explain?${new URLSearchParams(query).toString()}`);
  const body: unknown = await answer.json();
  expectDescribed(await openApi(gateway), 'GET /admin/explain', answer.status, body);
  expect(answer.status).toBe(200);
  return body as Explained;
}

async function call(gateway: TestGateway, model: string | undefined, headers = {}) {
  const answer = await gateway.post('/v1/chat/completions', model ? { model } : {}, { headers });
  const body = (await answer.json()) as { error?: { code: string; message: string } };
  return {
    status: answer.status,
    instance: answer.headers.get('x-jairouter-instance'),
    model: answer.headers.get('x-jairouter-model'),
    error: body.error,
  };
}

const backends = (count: number): Promise<FakeBackend[]> =>
  Promise.all(Array.from({ length: count }, () => fakeBackend()));

function instances(
  names: Readonly<Record<string, string>>,
  more: Readonly<Record<string, object>> = {},
): Pick<ConfigInput, 'instances'> {
  return {
    instances: Object.fromEntries(
      Object.entries(names).map(([name, baseUrl]) => [
        name,
        { adapter: 'openai', baseUrl, ...more[name] },
      ]),
    ),
  };
}

describe('an explanation', () => {
  it.each(['round-robin', 'least-connections', 'ip-hash', 'consistent-hash'] as const)(
    'foretells where the next call goes: %s',
    async (strategy) => {
      const [a, b, c] = await backends(3);
      const gateway = await startGateway({
        defaults: { loadBalance: strategy },
        ...instances({ a: a!.url, b: b!.url, c: c!.url }, { b: { weight: 2 } }),
      });
      for (let round = 0; round < 8; round++) {
        const { outcome, steps } = await explain(gateway, { model: 'm' });
        expect(outcome.kind).toBe('served');
        const chosen = steps[0]!.candidates.filter((one) => one.chosen);
        expect(chosen.map(({ instance }) => instance)).toEqual([outcome.instance]);
        expect(await call(gateway, 'm')).toMatchObject({
          status: 200,
          instance: outcome.instance,
          model: outcome.model,
        });
      }
    },
  );

  it('tells the chances where the strategy draws', async () => {
    const [a, b] = await backends(2);
    const gateway = await startGateway({
      defaults: { loadBalance: 'random' },
      ...instances({ a: a!.url, b: b!.url }, { b: { weight: 3 } }),
    });
    const { outcome, steps } = await explain(gateway, { model: 'm' });
    expect(outcome).toMatchObject({ kind: 'served', instance: 'b', chance: 0.75 });
    expect(steps[0]!.candidates.map(({ standing }) => standing?.chance)).toEqual([0.25, 0.75]);
  });

  it('calls nobody, charges nothing and moves no turn', async () => {
    const [a, b] = await backends(2);
    const gateway = await startGateway({
      rateLimit: { rate: '2/h' },
      defaults: { loadBalance: 'round-robin' },
      ...instances({ a: a!.url, b: b!.url }, { a: { rateLimit: { rate: '1/h' } } }),
    });
    for (let times = 0; times < 5; times++) {
      const told = await explain(gateway, { model: 'm' });
      expect(told.outcome).toMatchObject({ kind: 'served', instance: 'a' });
      expect(told.limits).toMatchObject([{ remaining: 2, admits: true }]);
    }
    expect([a!.received, b!.received]).toEqual([[], []]);
    expect((await call(gateway, 'm')).instance).toBe('a');
    const next = await explain(gateway, { model: 'm' });
    expect(next.outcome).toMatchObject({ kind: 'served', instance: 'b' });
    expect(next.limits).toMatchObject([{ remaining: 1 }]);
    const [candidate] = next.steps[0]!.candidates;
    expect(candidate!.reason).toBe('is at its limit of 1 request per hour for instance a');
    expect(candidate!.filters.find(({ passes }) => !passes)?.changesIn).toBeGreaterThan(3_000_000);
    expect((await call(gateway, 'm')).instance).toBe('b');
    expect((await explain(gateway, { model: 'm' })).limits).toMatchObject([
      { remaining: 0, admits: false },
    ]);
  });

  it('tells each candidate’s verdict on every count', async () => {
    const [up, full, off] = await backends(3);
    const gateway = await startGateway({
      ...instances(
        {
          up: up!.url,
          full: full!.url,
          off: off!.url,
          gone: `http://127.0.0.1:${await deadPort()}`,
        },
        {
          full: { priority: 1 },
          off: { enabled: false },
          gone: { models: ['m'] },
        },
      ),
      models: { x: { targets: ['up/m', 'full/m', 'off/m', 'gone/m'] } },
    });
    const { steps } = await explain(gateway, { model: 'x' });
    const [step] = steps;
    expect(step).toMatchObject({ model: 'x', via: 'alias', fallback: false });
    const names = ['service', 'state', 'model', 'breaker', 'rest', 'loading', 'room', 'limit'];
    for (const { filters } of step!.candidates) {
      expect(filters.map(({ name }) => name)).toEqual(names);
      for (const { text } of filters) expect(text).toMatch(/\w+ \w+/);
    }
    expect(step!.candidates.map(({ instance, reason }) => [instance, reason])).toEqual([
      ['up', 'lowest priority of 2'],
      ['full', 'waits behind priority 0'],
      ['off', 'is disabled (enabled: false)'],
      [
        'gone',
        expect.stringMatching(
          /^is unhealthy \(connection refused\), and is looked at again in \d+ s$/,
        ),
      ],
    ]);
    const failing = ({ filters }: Candidate) =>
      filters.filter(({ passes }) => !passes).map(({ name }) => name);
    expect(step!.candidates.map(failing)).toEqual([[], [], ['state'], ['state']]);
  });

  it('goes on to the fallback models, and says so', async () => {
    const [b] = await backends(1);
    const gateway = await startGateway({
      ...instances(
        { a: `http://127.0.0.1:${await deadPort()}`, b: b!.url },
        { a: { models: ['big'] } },
      ),
      models: { x: { targets: ['a/big'], fallback: ['m', 'b/m'] } },
    });
    const { steps, outcome } = await explain(gateway, { model: 'x' });
    expect(steps.map(({ model, via, fallback }) => [model, via, fallback])).toEqual([
      ['x', 'alias', false],
      ['m', 'catalogue', true],
      ['b/m', 'instance', true],
    ]);
    expect(outcome).toMatchObject({ kind: 'served', instance: 'b', reason: 'only candidate' });
    expect(steps[2]!.candidates[0]).toMatchObject({
      chosen: false,
      reason: 'is for when b and all others before it fail',
    });
  });

  it('says that the call would wait, while all are busy', async () => {
    const [a] = await backends(1);
    a!.behave = () => {};
    const gateway = await startGateway({
      services: { chat: { queue: { size: 1, maxWait: '20s' } } },
      ...instances({ a: a!.url }, { a: { maxConcurrency: 1 } }),
    });
    const leave = new AbortController();
    const send = () =>
      gateway
        .post('/v1/chat/completions', { model: 'm' }, { signal: leave.signal })
        .catch(() => 'left');
    const first = send();
    await until(() => a!.received.length === 1);
    const { outcome, steps } = await explain(gateway, { model: 'm' });
    expect(outcome).toMatchObject({ kind: 'waits', upTo: 20_000 });
    expect(outcome.reason).toContain('queue of chat as the first');
    expect(steps[0]!.candidates[0]!.reason).toBe('is busy with 1 of 1 calls');
    const second = send();
    await until(() => gateway.gateway.fleet.queue.length('chat') === 1);
    expect((await explain(gateway, { model: 'm' })).outcome).toMatchObject({
      kind: 'refused',
      status: 429,
      code: 'queue_full',
    });
    leave.abort();
    expect(await Promise.all([first, second])).toEqual(['left', 'left']);
  });
});

/** What changes from one moment to the next. */
const timeless = (text: string | undefined) => text?.replaceAll(/\d+ s\b/g, 'N s');

describe('a refusal is foretold word for word', () => {
  const server = {
    apiKeys: [
      { name: 'me', key: 'sk-me' },
      { name: 'guest', key: 'sk-guest', models: ['small'], rateLimit: { rate: '1/h' as const } },
    ],
  };

  async function compare(
    gateway: TestGateway,
    model: string | undefined,
    key: 'me' | 'guest' = 'me',
  ): Promise<string> {
    const query = { ...(model && { model }), key };
    const { outcome } = await explain(gateway, query);
    const real = await call(gateway, model, { authorization: `Bearer sk-${key}` });
    expect(outcome).toMatchObject({ kind: 'refused', status: real.status, code: real.error!.code });
    expect(timeless(outcome.message)).toBe(timeless(real.error!.message));
    return outcome.code!;
  }

  it('when the model or the service is not there', async () => {
    const [a] = await backends(1);
    const gateway = await startGateway({
      server,
      ...instances({ a: a!.url, e: a!.url }, { e: { services: ['embeddings'], models: ['vec'] } }),
    });
    expect(await compare(gateway, 'mm')).toBe('model_not_found');
    expect(await compare(gateway, undefined)).toBe('missing_model');
    expect(await compare(gateway, 'vec')).toBe('unsupported_service');
    expect(await compare(gateway, 'm', 'guest')).toBe('model_not_allowed');
  });

  it('when nobody can serve', async () => {
    const dead = `http://127.0.0.1:${await deadPort()}`;
    const gateway = await startGateway({
      server,
      ...instances({ a: dead, b: dead, c: dead }, { b: { models: ['m'] }, c: { enabled: false } }),
      models: { x: { targets: ['b/m', 'c/m'] } },
    });
    expect(await compare(gateway, 'x')).toBe('no_instance_available');
    expect(await compare(gateway, 'never-seen')).toBe('no_instance_available');
  });

  it('when a limit is reached', async () => {
    const backend = await fakeBackend((_, response) => json(response, 200, {}), {
      models: ['small', 'm'],
    });
    const gateway = await startGateway({
      server,
      ...instances({ a: backend.url }, { a: { rateLimit: { rate: '2/h' } } }),
    });
    const guest = { authorization: 'Bearer sk-guest' };
    expect((await call(gateway, 'small', guest)).status).toBe(200);
    expect(await compare(gateway, 'small', 'guest')).toBe('rate_limit_exceeded');
    expect((await call(gateway, 'm', { authorization: 'Bearer sk-me' })).status).toBe(200);
    expect(await compare(gateway, 'm')).toBe('rate_limit_exceeded');
  });
});

describe('a question', () => {
  it('may be about a request at hand', async () => {
    const [a, b] = await backends(2);
    const gateway = await startGateway({
      rateLimit: { rate: '100/m', cost: 'tokens' },
      services: { chat: { loadBalance: { strategy: 'consistent-hash', key: 'header:x-session' } } },
      ...instances({ a: a!.url, b: b!.url }),
    });
    const ask = async (body: object) => {
      const answer = await gateway.admin('POST /admin/explain', body);
      const told: unknown = await answer.json();
      expectDescribed(await openApi(gateway), 'POST /admin/explain', answer.status, told);
      return told as Explained;
    };
    for (const session of ['1', '2', '3', '4', '5']) {
      const { outcome } = await ask({
        request: { model: 'm' },
        headers: { 'X-Session': session },
      });
      const answer = await call(gateway, 'm', { 'x-session': session });
      expect(answer.instance).toBe(outcome.instance);
    }
    const large = { model: 'm', messages: [{ role: 'user', content: 'word '.repeat(2000) }] };
    expect((await ask({ request: large })).outcome).toMatchObject({ status: 429 });
  });

  it('is about the service that the model is for', async () => {
    const [a] = await backends(1);
    const gateway = await startGateway({
      ...instances({ a: a!.url }, { a: { services: ['embeddings', 'chat'] } }),
    });
    expect(await explain(gateway, { model: 'm' })).toMatchObject({ operation: 'chat' });
    expect(await explain(gateway, { model: 'm', service: 'embeddings' })).toMatchObject({
      operation: 'embeddings',
      outcome: { kind: 'served' },
    });
    expect(await explain(gateway, { model: 'm', operation: 'translations' })).toMatchObject({
      service: 'transcription',
      outcome: { kind: 'refused', code: 'unsupported_service' },
    });
  });

  it('that names nothing is about the default model', async () => {
    const [a] = await backends(1);
    const gateway = await startGateway({
      services: { chat: { defaultModel: 'm' } },
      ...instances({ a: a!.url }),
    });
    expect(await explain(gateway, {})).toMatchObject({ model: 'm', isDefault: true });
  });

  it.each<[string, object | undefined, RegExp]>([
    ['GET /admin/explain?modle=m', undefined, /has `modle`, which is not known \(known: model, /],
    ['GET /admin/explain?service=chats', undefined, /`service` in the query must be one of chat, /],
    ['GET /admin/explain?key=you', undefined, /no API key "you" \(known: none is configured\)/],
    ['POST /admin/explain', undefined, /the body is missing/],
    ['POST /admin/explain', [], /the body must be a JSON object/],
    ['POST /admin/explain', { model: 1 }, /`model` must be text/],
    ['POST /admin/explain', { headers: { a: 1 } }, /`headers\.a` must be text/],
  ])('is refused with what is wrong: %s %j', async (route, body, message) => {
    const gateway = await startGateway({});
    const answer = await gateway.admin(route, body);
    const told = (await answer.json()) as { error: { code: string; message: string } };
    expect(answer.status).toBe(400);
    expect(told.error.code).toBe('invalid_request');
    expect(told.error.message).toMatch(message);
    expectDescribed(await openApi(gateway), route.replace(/\?.*/, ''), 400, told);
  });

  it('that is no JSON is refused', async () => {
    const gateway = await startGateway({});
    const answer = await fetch(`${gateway.url}/admin/explain`, {
      method: 'POST',
      headers: { authorization: 'Bearer admin-token-of-the-tests' },
      body: '{"apiKey": sk-secret}',
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: 'invalid_json' } });
    expect(gateway.said.join('\n')).toMatch(/400 POST \/admin\/explain: .* not valid JSON/);
    expect(gateway.said.join('\n')).not.toContain('secret');
  });
});
