import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { METRICS } from '../src/observe/metrics/index.ts';
import { MOST_MODELS } from '../src/observe/statistics.ts';
import { chatChunk, fakeBackend, json, startEvents } from './support/fake-backend.ts';
import { parseExposition, type Exposition } from './support/exposition.ts';
import { ADMIN_TOKEN, oneInstance, startGateway, startOnFile, until } from './support/gateway.ts';
import { tempDir } from './support/temp-dir.ts';

const CHAT = '/v1/chat/completions';

async function scrape(url: string): Promise<Exposition> {
  const answer = await fetch(`${url}/metrics`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return parseExposition(await answer.text());
}

describe('what Prometheus is told', () => {
  it('has every metric with its type, before anything has happened', async () => {
    const backend = await fakeBackend();
    const { url } = await startGateway(oneInstance(backend.url));
    const { types, sum } = await scrape(url);
    expect(Object.fromEntries(types)).toEqual(
      Object.fromEntries(Object.entries(METRICS).map(([name, { type }]) => [name, type])),
    );
    expect(sum('jairouter_instance_up', { backend: 'a' })).toBe(1);
    expect(sum('jairouter_instance_state', { backend: 'a' })).toBe(1);
    expect(sum('jairouter_breaker_state', { backend: 'a', state: 'closed' })).toBe(1);
    expect(sum('process_resident_memory_bytes')).toBeGreaterThan(10e6);
    expect(sum('process_start_time_seconds')).toBeLessThanOrEqual(Date.now() / 1000);
  });

  it('carries the labels that its table names, and no others', async () => {
    const backend = await fakeBackend((received, response) => {
      if (received.body.includes('bad')) {
        json(response, 500, {});
        return;
      }
      startEvents(response);
      response.end(`${chatChunk('one')}data: [DONE]\n\n`);
    });
    const { url, post } = await startGateway({
      defaults: { circuitBreaker: { failureThreshold: 1 }, retry: { attempts: 1 } },
      instances: { a: { adapter: 'openai', baseUrl: backend.url, maxConcurrency: 1 } },
      services: { embeddings: { rateLimit: { rate: '1/h' } } },
    });
    const both = [1, 2].map(() => post(CHAT, { model: 'm', stream: true }));
    for (const answer of both) await (await answer).text();
    for (let call = 0; call < 2; call++)
      await (await post('/v1/embeddings', { model: 'm' })).text();
    await (await post(CHAT, { model: 'm', bad: true })).text();
    const { samples, sum } = await scrape(url);
    for (const { name, labels } of samples) {
      const plain = name.replace(/_(bucket|sum|count)$/, '');
      const { labels: own } = METRICS[name] ?? METRICS[plain]!;
      const le = name.endsWith('_bucket') ? ['le'] : [];
      expect(Object.keys(labels)).toEqual([...own, ...le]);
    }
    // Each of them has been told of something by now.
    const told = new Set(samples.map(({ name }) => name.replace(/_(bucket|sum|count)$/, '')));
    expect(Object.keys(METRICS).filter((name) => !told.has(name))).toEqual([]);
    expect(
      sum('jairouter_rate_limit_refusals_total', { scope: 'service', name: 'embeddings' }),
    ).toBe(1);
    expect(sum('jairouter_breaker_transitions_total', { backend: 'a', state: 'open' })).toBe(1);
    expect(sum('jairouter_wait_seconds_count', { service: 'chat' })).toBe(1);
    expect(sum('jairouter_guessed_tokens_total', { model: 'm' })).toBe(4);
    expect(sum('jairouter_errors_total', { code: '500' })).toBe(1);
    expect(sum('jairouter_attempt_errors_total', { backend: 'a', code: '500' })).toBe(1);
  });

  it('stays bounded, whatever names clients make up', async () => {
    const backend = await fakeBackend(undefined, { models: ['m', 'other', 'a"b\\c\nd'] });
    const { url, post, gateway } = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url, models: ['*'] } },
    });
    const names = Array.from({ length: MOST_MODELS + 50 }, (_, index) => `junk-${index}`);
    for (const name of ['m', 'other', 'a"b\\c\nd', ...names]) {
      await (await post(CHAT, { model: name })).text();
    }
    await until(() => gateway.observe.statistics.whole.totals().calls === names.length + 3);
    const { samples, sum } = await scrape(url);
    const models = new Set(samples.map(({ labels }) => labels['model']).filter(Boolean));
    expect(models.size).toBe(MOST_MODELS + 1);
    expect(models).toContain('a"b\\c\nd');
    expect(sum('jairouter_requests_total')).toBe(names.length + 3);
    expect(sum('jairouter_requests_total', { model: 'other' })).toBe(
      names.length + 3 - MOST_MODELS,
    );
  });

  it('counts reloads, and says when the file is not what holds', async () => {
    const backend = await fakeBackend();
    const folder = await tempDir();
    const file = join(folder, 'jairouter.config.yaml');
    const write = (rest: string) =>
      writeFile(file, `instances: { a: { adapter: openai, baseUrl: ${backend.url}${rest} } }`);
    await write('');
    const { url } = await startOnFile(file, { state: folder });
    const reloads = async () => {
      const { sum } = await scrape(url);
      const of = (result: string) => sum('jairouter_config_reloads_total', { result });
      return [of('applied'), of('refused'), sum('jairouter_config_valid')];
    };
    expect(await reloads()).toEqual([0, 0, 1]);
    await write(', weigth: 3');
    await vi.waitFor(async () => expect(await reloads()).toEqual([0, 1, 0]), 10_000);
    await write(', weight: 3');
    await vi.waitFor(async () => expect(await reloads()).toEqual([1, 1, 1]), 10_000);
    await write(', "weight": 3');
    await vi.waitFor(async () => expect(await reloads()).toEqual([2, 1, 1]), 10_000);
  });

  it('has no series of what was removed from the config, and those of the others go on', async () => {
    const backend = await fakeBackend();
    const folder = await tempDir();
    const file = join(folder, 'jairouter.config.json');
    const save = (...names: string[]) => {
      const instance = { adapter: 'openai', baseUrl: backend.url };
      const instances = Object.fromEntries(names.map((name) => [name, instance]));
      return writeFile(file, JSON.stringify({ instances }));
    };
    await save('stays', 'goes');
    const { url, post, gateway } = await startOnFile(file, { state: folder });
    const call = async (name: string) =>
      void (await (await post(CHAT, { model: `${name}/m` })).text());
    for (const name of ['stays', 'goes', 'goes']) await call(name);
    await until(() => gateway.observe.statistics.whole.totals().calls === 3);
    const backends = async () => {
      const { samples } = await scrape(url);
      return new Set(samples.map(({ labels }) => labels['backend']).filter(Boolean));
    };
    const count = async (backend: string) =>
      (await scrape(url)).sum('jairouter_attempts_total', { backend, outcome: 'ok' });
    expect(await backends()).toEqual(new Set(['stays', 'goes']));
    await save('stays');
    await gateway.live.reload('signal');
    expect(await backends()).toEqual(new Set(['stays']));
    await call('stays');
    await save('stays', 'goes');
    await gateway.live.reload('signal');
    await call('goes');
    await until(() => gateway.observe.statistics.whole.totals().calls === 5);
    expect([await count('stays'), await count('goes')]).toEqual([2, 1]);
  });

  it('is told without a body to a HEAD', async () => {
    const backend = await fakeBackend();
    const { url } = await startGateway(oneInstance(backend.url));
    const answer = await fetch(`${url}/metrics`, { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(1000);
    expect(await answer.text()).toBe('');
  });

  it('wants a key where keys are set: any of them, or the admin token', async () => {
    const backend = await fakeBackend();
    const { url } = await startGateway(
      oneInstance(backend.url, { server: { apiKeys: [{ name: 'me', key: 'sk-1' }] } }),
    );
    const status = async (token?: string) =>
      (
        await fetch(
          `${url}/metrics`,
          token ? { headers: { authorization: `Bearer ${token}` } } : {},
        )
      ).status;
    expect(await status()).toBe(401);
    expect(await status('wrong')).toBe(401);
    expect(await status('sk-1')).toBe(200);
    expect(await status(ADMIN_TOKEN)).toBe(200);
  });

  it('is not for pages of other sites', async () => {
    const backend = await fakeBackend();
    const { url } = await startGateway(oneInstance(backend.url));
    const answer = await fetch(`${url}/metrics`, { headers: { origin: 'http://evil.test' } });
    expect(answer.status).toBe(403);
  });
});
