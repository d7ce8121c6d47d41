import { describe, expect, it } from 'vitest';
import { ADAPTERS } from '../src/adapters/index.ts';
import { schema } from '../src/config/schema.ts';
import { readInstance, readInstances } from '../src/http/instance-status.ts';
import { readStatus } from '../src/http/status.ts';
import { instanceSettings } from '../src/instances/settings.ts';
import type { RunningCall } from '../src/observe/status.ts';
import { chatChunk, fakeBackend, json, startEvents } from './support/fake-backend.ts';
import { VERSION } from '../src/version.ts';
import { oneInstance, startGateway, until } from './support/gateway.ts';

const CHAT = '/v1/chat/completions';
const USAGE = { prompt_tokens: 7, completion_tokens: 3 };

describe('the status', () => {
  it('tells what the server is, and that nothing has happened yet', async () => {
    const backend = await fakeBackend();
    const { gateway, url } = await startGateway(oneInstance(backend.url));
    const status = readStatus(gateway);
    expect(status).toMatchObject({
      version: VERSION,
      pid: process.pid,
      url,
      draining: false,
      inFlight: 0,
      queued: 0,
      totals: { calls: 0, errors: {} },
      recent: { tokensPerSecond: 0, tokensGuessed: false },
      models: [],
      running: [],
      config: { version: 0, restartNeeded: [] },
    });
    expect(status.recent).not.toHaveProperty('errorShare');
    expect(readInstances(gateway)).toMatchObject([{ name: 'a', state: 'healthy' }]);
    expect(status.instances).toMatchObject([
      {
        name: 'a',
        adapter: 'openai',
        baseUrl: backend.url,
        state: 'healthy',
        breaker: { state: 'closed' },
        inFlight: 0,
        queued: 0,
        weight: 1,
        priority: 0,
        models: 1,
        totals: { calls: 0 },
      },
    ]);
    expect(status.instances[0]!.services).toContain('chat');
    expect(status.instances[0]!.nextLookAt).toBeGreaterThan(Date.now());
    // What goes over the wire says the same.
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });

  it('counts a call once it is over: of the whole, its model and its instance', async () => {
    const backend = await fakeBackend((_, response) => json(response, 200, { usage: USAGE }));
    const { gateway, post } = await startGateway(oneInstance(backend.url));
    const body = JSON.stringify({ model: 'm', messages: [] });
    const answer = await (await post(CHAT, body)).text();
    await until(() => readStatus(gateway).totals.calls === 1);
    const { totals, models, instances, recent } = readStatus(gateway);
    expect(totals).toEqual({
      calls: 1,
      ok: 1,
      failed: 0,
      broken: 0,
      aborted: 0,
      errors: {},
      tokensIn: 7,
      tokensOut: 3,
      tokensGuessed: 0,
      bytesIn: body.length,
      bytesOut: answer.length,
    });
    expect(models).toMatchObject([{ model: 'm', inFlight: 0, totals }]);
    expect(instances[0]!.totals).toEqual(totals);
    expect(recent.errorShare).toBe(0);
    expect(recent.duration!.p50).toBeGreaterThan(0);
    expect(recent.firstByte!.p50).toBeLessThanOrEqual(recent.duration!.p99 * 1.1);
  });

  it('counts what is refused before it has a model, and gives unknown names no row', async () => {
    const backend = await fakeBackend();
    const { gateway, post } = await startGateway(oneInstance(backend.url));
    const refused = await (await post(CHAT, '{')).text();
    const unknown = await (await post(CHAT, { model: 'nobody has this' })).text();
    await until(() => readStatus(gateway).totals.calls === 2);
    const { totals, models } = readStatus(gateway);
    expect(totals).toMatchObject({
      failed: 2,
      errors: { invalid_json: 1, model_not_found: 1 },
      bytesOut: refused.length + unknown.length,
    });
    expect(models).toEqual([]);
  });

  it("names the backend's verdict by its status, and shows the code that the client got", async () => {
    const error = { message: 'too long', code: 'context_length_exceeded' };
    const backend = await fakeBackend((_, response) => json(response, 400, { error }));
    const { gateway, post } = await startGateway(oneInstance(backend.url));
    await (await post(CHAT, { model: 'm' })).text();
    await until(() => readStatus(gateway).totals.calls === 1);
    expect(readStatus(gateway).totals.errors).toEqual({ 400: 1 });
    expect(gateway.observe.recent()).toMatchObject([
      { code: 'context_length_exceeded', status: 400, error: 'too long' },
    ]);
    expect(readInstance(gateway, 'a')!.lastErrors).toMatchObject([{ message: 'too long' }]);
  });
});

describe('a running call', () => {
  it('is shown in each of its phases, with how far it has come', async () => {
    let proceed = () => {};
    const backend = await fakeBackend(async (_, response) => {
      await new Promise<void>((resolve) => (proceed = resolve));
      startEvents(response);
      response.write(chatChunk('one'));
      await new Promise<void>((resolve) => (proceed = resolve));
      response.end(`${chatChunk('two')}data: [DONE]\n\n`);
    });
    const { gateway, post } = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url, maxConcurrency: 1 } },
    });
    const running = () => readStatus(gateway).running;
    const phases = () => running().map(({ phase }) => phase);
    const first = post(CHAT, { model: 'm', stream: true });
    await until(() => backend.received.length === 1);
    expect(running()).toMatchObject([
      { model: 'm', instance: 'a', operation: 'chat', stream: true, phase: 'waiting', attempts: 1 },
    ] satisfies Partial<RunningCall>[]);
    const second = post(CHAT, { model: 'm' });
    await until(() => phases().includes('queued'));
    expect(readStatus(gateway)).toMatchObject({
      inFlight: 2,
      queued: 1,
      instances: [{ inFlight: 1, queued: 1, maxConcurrency: 1, connections: 1 }],
    });
    proceed();
    const answer = await first;
    await until(() => running()[0]!.events === 1);
    expect(running()[0]).toMatchObject({ phase: 'answering', bytesOut: chatChunk('one').length });
    expect(running()[0]!.firstByte).toBeGreaterThan(0);
    // Its tokens so far are part of the flow, though nobody has counted them.
    expect(readStatus(gateway).recent.tokensGuessed).toBe(true);
    expect(readStatus(gateway).instances[0]!.recent.tokensPerSecond).toBeGreaterThan(0);
    proceed();
    await answer.text();
    await until(() => backend.received.length === 2);
    await until(() => readStatus(gateway).totals.calls === 1);
    expect(readStatus(gateway).models).toMatchObject([{ model: 'm', inFlight: 1 }]);
    proceed();
    await until(() => backend.received.length === 2 && phases()[0] === 'answering');
    proceed();
    await (await second).text();
    await until(() => readStatus(gateway).totals.calls === 2);
    expect(running()).toEqual([]);
    const [latest] = gateway.observe.recent();
    expect(latest!.waited).toBeGreaterThan(0);
    expect(latest!.attempts).toMatchObject([{ why: 'first to have room' }]);
  });
});

describe('what went wrong', () => {
  it('is told of each attempt: why it went there, and where it ended', async () => {
    const first = await fakeBackend((_, response) => json(response, 500, {}));
    const torn = await fakeBackend((_, response) => void response.destroy());
    const well = await fakeBackend();
    const { gateway, post } = await startGateway({
      defaults: { loadBalance: 'round-robin' },
      instances: {
        first: { adapter: 'openai', baseUrl: first.url },
        torn: { adapter: 'openai', baseUrl: torn.url, priority: 1, weight: 9 },
        well: { adapter: 'openai', baseUrl: well.url, priority: 1 },
      },
    });
    await (await post(CHAT, { model: 'm' })).text();
    await until(() => gateway.observe.recent().length === 1);
    const [call] = gateway.observe.recent();
    expect(call!.attempts).toMatchObject([
      { instance: 'first', why: 'lowest priority of 3', phase: 'answering', status: 500 },
      { instance: 'torn', why: 'first failed; round robin of 2', phase: 'waiting' },
      { instance: 'well', why: 'torn failed; only candidate left', phase: 'done', status: 200 },
    ]);
    const [one, two, three] = call!.attempts;
    expect(two!.startedAfter).toBeGreaterThanOrEqual(one!.startedAfter + one!.duration);
    expect(three!.startedAfter + three!.duration).toBeLessThanOrEqual(call!.duration);
    expect(readInstances(gateway).map(({ totals }) => totals)).toMatchObject([
      { calls: 1, failed: 1, errors: { 500: 1 } },
      { calls: 1, failed: 1, errors: { upstream_unreachable: 1 } },
      { calls: 1, ok: 1, errors: {} },
    ]);
    expect(readStatus(gateway).totals).toMatchObject({ calls: 1, ok: 1, failed: 0, errors: {} });
  });

  it('is in the news: an instance that fails, its breaker, and its return', async () => {
    const backend = await fakeBackend((_, response) => json(response, 500, {}));
    const { gateway, post, said } = await startGateway(
      oneInstance(backend.url, {
        defaults: { circuitBreaker: { failureThreshold: 2, openFor: '200ms' } },
        services: { chat: { retry: { attempts: 1 } } },
      }),
    );
    for (let call = 0; call < 2; call++) await (await post(CHAT, { model: 'm' })).text();
    await until(() => readInstances(gateway)[0]!.breaker.state === 'open');
    const { breaker } = readInstances(gateway)[0]!;
    expect(breaker.triesAgainAt).toBeGreaterThan(breaker.since);
    expect(breaker.reason).toContain('2 failures in a row');
    await until(() => readInstances(gateway)[0]!.breaker.state === 'half-open');
    backend.behave = (_, response) => json(response, 200, {});
    for (let call = 0; call < 2; call++) await (await post(CHAT, { model: 'm' })).text();
    await until(() => readInstances(gateway)[0]!.breaker.state === 'closed');
    const told = gateway.observe
      .recentNews()
      .filter(({ kind }) => kind === 'breaker')
      .map(({ level, message }) => `${level} ${message.split(':')[0]}`);
    expect(told).toEqual([
      'info circuit breaker of a is closed',
      'info circuit breaker of a is half-open',
      'warn circuit breaker of a is open',
    ]);
    expect(said.filter((line) => line.startsWith('circuit breaker'))).toHaveLength(3);
    const [half] = gateway.observe.recentNews().filter(({ message }) => message.includes('half'));
    expect(half!.at).toBeCloseTo(breaker.triesAgainAt!, -2);
    expect(readInstance(gateway, 'a')!.breakerHistory.map(({ state }) => state)).toEqual([
      'open',
      'half-open',
      'closed',
    ]);
  });
});

describe('statistics over reloads', () => {
  it('stay with an instance that stays, and go with one that goes', async () => {
    const backend = await fakeBackend();
    const settings = (names: readonly string[], weight: number) =>
      instanceSettings(
        schema.parse({
          instances: Object.fromEntries(
            names.map((name) => [name, { adapter: 'openai', baseUrl: backend.url, weight }]),
          ),
        }),
        { adapters: ADAPTERS, unset: new Map(), certificates: new Map(), env: {} },
      );
    const { gateway, post } = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url } },
    });
    await (await post(CHAT, { model: 'm' })).text();
    await until(() => readStatus(gateway).totals.calls === 1);
    const counts = () => readInstances(gateway).map(({ name, totals }) => [name, totals.calls]);
    gateway.fleet.apply(settings(['b', 'a'], 1));
    expect(counts()).toEqual([
      ['b', 0],
      ['a', 1],
    ]);
    // Also where something about it has changed.
    gateway.fleet.apply(settings(['a'], 5));
    expect(counts()).toEqual([['a', 1]]);
    gateway.fleet.apply(settings(['b'], 1));
    gateway.fleet.apply(settings(['a'], 1));
    expect(counts()).toEqual([['a', 0]]);
    expect(readStatus(gateway).totals.calls).toBe(1);
  });
});

describe('an instance with all that is known of it', () => {
  it('has its catalogue, its config without secrets, and its histogram', async () => {
    const backend = await fakeBackend(undefined, { models: ['m', 'n'] });
    const { gateway, post } = await startGateway({
      defaults: { timeouts: { idle: '7s' } },
      instances: {
        a: {
          adapter: 'openai',
          baseUrl: backend.url,
          apiKey: 'sk-very-secret',
          headers: { 'x-team': 'dev', 'x-token': 'hidden' },
          models: ['m', 'x-*'],
        },
      },
    });
    for (let call = 0; call < 3; call++) await (await post(CHAT, { model: 'm' })).text();
    await until(() => readStatus(gateway).totals.calls === 3);
    const detail = readInstance(gateway, 'a')!;
    expect(detail.catalogue.map(({ id }) => id)).toEqual(['m']);
    expect(detail.wildcards).toEqual(['x-*']);
    expect(detail.operations).toContain('chat');
    expect(detail.histogram.reduce((sum, { count }) => sum + count, 0)).toBe(3);
    expect(detail.config).toMatchObject({
      adapter: 'openai',
      apiKey: '***',
      headers: { 'x-team': 'dev', 'x-token': '***' },
      timeouts: { idle: '7s', connect: '3s' },
      circuitBreaker: { failureThreshold: 5, openFor: '30s' },
    });
    expect(JSON.stringify(detail)).not.toMatch(/secret|hidden/);
    expect(readInstance(gateway, 'nobody')).toBeUndefined();
  });

  it('has its config as one would write it, service by service only where they differ', async () => {
    const backend = await fakeBackend();
    const { gateway } = await startGateway({
      services: { embeddings: { timeouts: { firstByte: '20s' } } },
      instances: {
        a: {
          adapter: 'openai',
          baseUrl: backend.url,
          services: ['chat', 'embeddings'],
          rateLimit: { rate: '90/m', capacity: 5 },
          tls: { rejectUnauthorized: false },
        },
      },
    });
    const { config } = readInstance(gateway, 'a')!;
    expect(config).toMatchObject({
      timeouts: { chat: { firstByte: '10m' }, embeddings: { firstByte: '20s' } },
      rateLimit: { rate: '90/m', capacity: 5 },
      tls: { rejectUnauthorized: false },
      health: { interval: '10s' },
    });
    // But for the time-outs of services, it could stand in a config just so.
    const again = await startGateway({
      instances: { a: { ...(config as { adapter: string }), timeouts: { idle: '7s' } } },
    });
    expect(readInstance(again.gateway, 'a')!.config['rateLimit']).toEqual(config['rateLimit']);
  });
});
