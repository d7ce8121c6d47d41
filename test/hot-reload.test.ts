import { mkdir, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../src/config/schema.ts';
import { chatChunk, deadPort, fakeBackend, json, startEvents } from './support/fake-backend.ts';
import { startOnFile, until, type TestGateway } from './support/gateway.ts';
import { tempDir } from './support/temp-dir.ts';

const windows = process.platform === 'win32';
type Instances = NonNullable<ConfigInput['instances']>;

interface Setup {
  readonly folder: string;
  readonly file: string;
  readonly gateway: TestGateway;
  /** Saves the file, as a plain editor does. */
  readonly save: (config: ConfigInput) => Promise<void>;
}

/** A server on a config file of its own. */
async function serve(config: ConfigInput, env: NodeJS.ProcessEnv = {}): Promise<Setup> {
  const folder = await tempDir();
  const file = join(folder, 'conf', 'jairouter.config.json');
  await mkdir(dirname(file));
  const save = (next: ConfigInput) => writeFile(file, JSON.stringify(next, null, 2));
  await save(config);
  const gateway = await startOnFile(file, { env, state: join(folder, 'state') });
  return { folder, file, gateway, save };
}

function weightOf({ gateway }: TestGateway, name = 'a'): number | undefined {
  return gateway.fleet.get(name)?.weight;
}

const openai = (baseUrl: string, more: Partial<Instances[string]> = {}): Instances[string] => ({
  adapter: 'openai',
  baseUrl,
  ...more,
});
const withWeight = (weight: number): string =>
  JSON.stringify({
    instances: { a: { adapter: 'openai', baseUrl: 'http://127.0.0.1:9', weight } },
  });

describe('a config file is read again', () => {
  /** Each brings the weight from 1 to 2. */
  const WAYS: readonly (readonly [string, (file: string) => Promise<void>])[] = Object.entries({
    'written in place': (file: string) => writeFile(file, withWeight(2)),
    'truncated, and written a moment later': async (file: string) => {
      await writeFile(file, '');
      await sleep(300);
      await writeFile(file, withWeight(2));
    },
    'another file is renamed to it': async (file: string) => {
      await writeFile(`${file}.new`, withWeight(2));
      await rename(`${file}.new`, file);
    },
    'an editor moves it out of the way first': async (file: string) => {
      await rename(file, `${file}~`);
      await writeFile(file, withWeight(2));
      await unlink(`${file}~`);
    },
    'deleted, and made again after seconds': async (file: string) => {
      await rm(file);
      await sleep(1500);
      await writeFile(file, withWeight(2));
    },
    'its folder is deleted and made again': async (file: string) => {
      await rm(dirname(file), { recursive: true });
      await sleep(300);
      await mkdir(dirname(file));
      await writeFile(file, withWeight(2));
    },
    'the last of ten saves in a second': async (file: string) => {
      for (let weight = 11; weight > 1; weight--) {
        await writeFile(`${file}.new`, withWeight(weight));
        await rename(`${file}.new`, file);
        await sleep(90);
      }
    },
  });
  it('whatever way it is saved', { timeout: 30_000 }, async () => {
    const unseen = async ([name, way]: (typeof WAYS)[number]): Promise<string[]> => {
      const { file, gateway } = await serve(JSON.parse(withWeight(1)) as ConfigInput);
      await way(file);
      const seen = until(() => weightOf(gateway) === 2, 10_000).then(async () => {
        // And again, since a watch may end with the first change.
        await writeFile(file, withWeight(3));
        await until(() => weightOf(gateway) === 3, 10_000);
      });
      return seen.then(
        () => [],
        () => [`${name}: ${gateway.said.join(' | ')}`],
      );
    };
    // Most of their time is spent waiting.
    expect((await Promise.all(WAYS.map(unseen))).flat()).toEqual([]);
  });

  it.skipIf(windows)('when it is a link, and what it leads to changes', async () => {
    const folder = await tempDir();
    const [first, second, file] = ['1.json', '2.json', 'jairouter.config.json'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    await writeFile(first, withWeight(1));
    await symlink(first, file);
    const gateway = await startOnFile(file, { state: join(folder, 'state') });
    await writeFile(first, withWeight(2));
    await until(() => weightOf(gateway) === 2, 10_000);
    await writeFile(second, withWeight(3));
    await symlink(second, `${file}.new`);
    await rename(`${file}.new`, file);
    await until(() => weightOf(gateway) === 3, 10_000);
    await writeFile(second, withWeight(4));
    await until(() => weightOf(gateway) === 4, 10_000);
    expect(gateway.gateway.live.status().error).toBeUndefined();
  });

  it.skipIf(windows)('when Kubernetes swaps the folder behind it', async () => {
    const folder = await tempDir();
    const publish = async (name: string, weight: number): Promise<void> => {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'jairouter.config.json'), withWeight(weight));
      await symlink(name, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    await publish('..1', 1);
    const file = join(folder, 'jairouter.config.json');
    await symlink(join('..data', 'jairouter.config.json'), file);
    const gateway = await startOnFile(file, { state: join(folder, 'state') });
    for (const weight of [2, 3]) {
      await publish(`..${weight}`, weight);
      await rm(join(folder, `..${weight - 1}`), { recursive: true });
      await until(() => weightOf(gateway) === weight, 10_000);
    }
    expect(gateway.gateway.live.status().error).toBeUndefined();
  });

  it('when what it is made from changes: imports, .env, also one that was missing', async () => {
    const folder = await tempDir();
    const file = join(folder, 'jairouter.config.ts');
    const instance = `{ adapter: 'openai', baseUrl: 'http://127.0.0.1:9', weight: '\${W:-1}', priority }`;
    await writeFile(join(folder, 'priority.ts'), 'export const priority = 1;');
    await writeFile(
      file,
      `import { priority } from './priority.ts';\nexport default { instances: { a: ${instance} } };`,
    );
    const gateway = await startOnFile(file, { state: join(folder, 'state') });
    const of = () => gateway.gateway.fleet.get('a')!;
    await writeFile(join(folder, '.env'), 'W=2');
    await until(() => of().weight === 2, 10_000);
    expect(gateway.said.at(-1)).toMatch(
      /^what jairouter\.config\.ts refers to has changed \(version 1\)\ninstances\.a\.weight: 1 -> 2$/,
    );
    await writeFile(join(folder, 'priority.ts'), 'export const priority = 2;');
    await until(() => of().priority === 2, 10_000);
    // Mended in the file where the mistake is, which the config imports only now.
    await writeFile(
      file,
      `import { priority } from './other.ts';\nexport default { instances: { a: ${instance} } };`,
    );
    await until(() => gateway.gateway.live.status().error !== undefined, 10_000);
    await writeFile(join(folder, 'other.ts'), 'export const priority = 3;');
    await until(() => of().priority === 3, 10_000);
    expect(gateway.gateway.live.status().error).toBeUndefined();
  });
});

describe('an invalid file', () => {
  it('changes nothing, is told once, and again when it is mended', async () => {
    const { file, gateway, save } = await serve(JSON.parse(withWeight(1)) as ConfigInput);
    const { live, fleet } = gateway.gateway;
    const instance = fleet.get('a');
    await writeFile(file, withWeight(0));
    await until(() => live.status().error !== undefined, 10_000);
    const problem = `${file.slice(file.lastIndexOf('/') + 1)}:1:`;
    expect(live.status().error?.problems).toEqual([expect.stringContaining(problem)]);
    expect(live.status().error?.problems[0]).toContain('`instances.a.weight` must be a number');
    expect(fleet.get('a')).toBe(instance);
    expect(weightOf(gateway)).toBe(1);
    const said = (): number => gateway.said.filter((line) => line.includes('not applied')).length;
    expect(said()).toBe(1);
    // The same mistake, saved again.
    await writeFile(file, withWeight(0));
    await live.reload('signal');
    expect(said()).toBe(1);
    // Another one.
    await writeFile(file, `${withWeight(1)}}`);
    expect((await live.reload('signal')).kind).toBe('invalid');
    expect(said()).toBe(2);
    await save(JSON.parse(withWeight(1)) as ConfigInput);
    await until(() => gateway.said.at(-1)!.includes('is valid again'), 10_000);
    expect(live.status().error).toBeUndefined();
    expect(live.status().version).toBe(1);
  });

  it('that is missing, or was emptied, keeps what serves', async () => {
    const { file, gateway } = await serve(JSON.parse(withWeight(1)) as ConfigInput);
    const { live } = gateway.gateway;
    await rm(file);
    await until(() => live.status().error !== undefined, 10_000);
    expect(live.status().error?.problems).toEqual([expect.stringMatching(/no such file$/)]);
    await writeFile(file, '\n');
    await until(() => /is empty/.test(live.status().error?.problems[0] ?? ''), 10_000);
    expect(weightOf(gateway)).toBe(1);
    await writeFile(file, '{}');
    await until(() => live.status().error === undefined, 10_000);
    expect([...gateway.gateway.fleet.instances()]).toEqual([]);
  });

  it('is one that would open the server to other machines', async () => {
    const { file, gateway, save } = await serve(
      { server: { host: '0.0.0.0', apiKeys: [{ name: 'me', key: 'k' }] } },
      {},
    );
    // It still listens on every address until it is started anew.
    await save({ server: { host: '127.0.0.1' } });
    const result = await gateway.gateway.live.reload('signal');
    expect(result).toMatchObject({ kind: 'invalid', problems: [{ path: 'server.host' }] });
    expect(gateway.gateway.snapshot.config.server.apiKeys).toHaveLength(1);
    expect(await readFile(file, 'utf8')).toContain('127.0.0.1');
  });
});

describe('an instance', () => {
  it('keeps connections, counts and breaker through changes that are not about its backend', async () => {
    const backend = await fakeBackend();
    const { gateway, save } = await serve({ instances: { a: openai(backend.url) } });
    const { fleet, live } = gateway.gateway;
    await (await gateway.post('/v1/chat/completions', { model: 'm' })).text();
    const before = fleet.get('a')!;
    const connections = backend.connections();
    before.breaker.force('open', performance.now());
    before.breaker.reset(performance.now());
    await save({
      defaults: { timeouts: { connect: '7s' } },
      instances: {
        a: openai(backend.url, {
          weight: 5,
          priority: 2,
          maxConcurrency: 3,
          models: ['m', 'n'],
          services: ['chat'],
          health: { interval: '1m', timeout: '2s' },
          circuitBreaker: { failureThreshold: 1, window: '30s' },
          timeouts: { idle: '1m' },
          paid: true,
        }),
      },
    });
    const result = await live.reload('signal');
    expect(result).toMatchObject({ kind: 'applied' });
    const after = fleet.get('a')!;
    expect(after).toBe(before);
    expect(after).toMatchObject({ weight: 5, priority: 2, paid: true, state: 'healthy' });
    expect(after.slots.limit).toBe(3);
    expect(after.supports('embeddings')).toBe(false);
    expect(after.breaker.view(performance.now()).history).toHaveLength(2);
    expect([...after.catalogue.models.keys()]).toEqual(['m', 'n']);
    expect((await gateway.post('/v1/chat/completions', { model: 'n' })).status).toBe(200);
    expect(backend.connections()).toBe(connections);
    backend.behave = (_, response) => json(response, 500, {});
    await gateway.post('/v1/chat/completions', { model: 'n' });
    expect(after.breaker.state(performance.now())).toBe('open');
  });

  it('is a new one when its authority is another, and not for what else stands in the file', async () => {
    const { file, gateway, save } = await serve({});
    const ca = join(dirname(file), 'ca.pem');
    const pem = (name: string) =>
      readFile(new URL(`fixtures/tls/${name}`, import.meta.url), 'utf8');
    await writeFile(ca, await pem('ca.pem'));
    await save({ instances: { a: openai('https://127.0.0.1:9', { tls: { ca: './ca.pem' } }) } });
    const { fleet, live } = gateway.gateway;
    await live.reload('signal');
    const first = fleet.get('a')!;
    await save({
      instances: { a: openai('https://127.0.0.1:9', { tls: { ca: 'ca.pem' }, weight: 2 }) },
    });
    await live.reload('signal');
    expect(fleet.get('a')).toBe(first);
    await writeFile(ca, await pem('server.pem'));
    await until(() => fleet.get('a') !== first, 10_000);
    expect(gateway.said).toContainEqual(
      expect.stringContaining('instances.a.tls.ca: the certificate changed'),
    );
  });

  it('is a new one when its backend is another, or wants another key', async () => {
    const [one, other] = [await fakeBackend(), await fakeBackend()];
    const { gateway, save } = await serve({ instances: { a: openai(one.url) } });
    const { fleet, live } = gateway.gateway;
    const first = fleet.get('a')!;
    first.breaker.force('open', performance.now());
    await save({ instances: { a: openai(one.url, { apiKey: 'k2' }) } });
    await live.reload('signal');
    const second = fleet.get('a')!;
    expect(second).not.toBe(first);
    // The same backend: what it serves is known before anybody has asked.
    expect(second.catalogue.known).toBe(true);
    expect((await gateway.post('/v1/chat/completions', { model: 'm' })).status).toBe(200);
    expect(one.received.at(-1)?.headers.authorization).toBe('Bearer k2');
    await save({ instances: { a: openai(other.url) } });
    await live.reload('signal');
    expect((await gateway.post('/v1/chat/completions', { model: 'm' })).status).toBe(200);
    expect(other.received).toHaveLength(1);
    await until(() => one.sockets.size === 0);
  });

  it('that is taken out finishes its calls, then closes its sockets', async () => {
    let finish = (): void => {};
    const backend = await fakeBackend(async (_, response) => {
      startEvents(response);
      response.write(chatChunk('a'));
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      response.end(`${chatChunk('b')}data: [DONE]\n\n`);
    });
    const other = await fakeBackend();
    const { gateway, save } = await serve({ instances: { a: openai(backend.url) } });
    const answer = await gateway.post('/v1/chat/completions', { model: 'm', stream: true });
    await save({ instances: { b: openai(other.url) } });
    await gateway.gateway.live.reload('signal');
    expect(gateway.gateway.fleet.get('a')).toBeUndefined();
    expect((await gateway.post('/v1/chat/completions', { model: 'm' })).status).toBe(200);
    expect(other.received).toHaveLength(1);
    expect(backend.sockets.size).toBeGreaterThan(0);
    finish();
    expect(await answer.text()).toMatch(/"b"[\s\S]*\[DONE\]/);
    await until(() => backend.sockets.size === 0);
  });

  it('that is taken out while a call waits its turn on it still serves that call', async () => {
    const backend = await fakeBackend();
    const slow = { algorithm: 'leaky-bucket', rate: '2/s', capacity: 5 } as const;
    const { gateway, save } = await serve({
      instances: { a: openai(backend.url, { rateLimit: slow }) },
    });
    const calls = [0, 1].map(() => gateway.post('/v1/chat/completions', { model: 'm' }));
    await until(() => backend.received.length === 1);
    await save({ instances: {} });
    await gateway.gateway.live.reload('signal');
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200]);
    await until(() => backend.sockets.size === 0);
  });

  it('obeys orders of the moment, also after a reload', async () => {
    const [a, b] = [await fakeBackend(), await fakeBackend()];
    const instances = { a: openai(a.url), b: openai(b.url, { priority: 1 }) };
    const { gateway, save } = await serve({ instances });
    const { fleet, live } = gateway.gateway;
    const served = async (): Promise<string | null> =>
      (await gateway.post('/v1/chat/completions', { model: 'm' })).headers.get(
        'x-jairouter-instance',
      );
    fleet.get('a')!.order({ draining: true });
    expect(fleet.get('a')!.state).toBe('draining');
    expect(await served()).toBe('b');
    await save({ instances: { ...instances, a: openai(a.url, { weight: 9 }) } });
    await live.reload('signal');
    expect(fleet.get('a')).toMatchObject({ state: 'draining', weight: 9 });
    expect(await served()).toBe('b');
    fleet.get('a')!.order({ draining: false });
    expect(await served()).toBe('a');
    fleet.get('a')!.order({ enabled: false });
    expect(fleet.get('a')).toMatchObject({ state: 'disabled', nextLook: undefined });
    expect(await served()).toBe('b');
    fleet.get('a')!.order({ enabled: true });
    await until(() => fleet.get('a')!.state === 'healthy');
    expect(await served()).toBe('a');
    // The config has the last word when it speaks later.
    fleet.get('b')!.order({ enabled: false });
    await save({ instances: { a: openai(a.url, { enabled: false }), b: openai(b.url) } });
    await live.reload('signal');
    expect(fleet.get('a')!.state).toBe('disabled');
    expect(fleet.get('b')!.state).toBe('disabled');
    await save({ instances: { a: openai(a.url), b: openai(b.url) } });
    await live.reload('signal');
    await until(() => fleet.get('a')!.state === 'healthy');
  });
});

describe('what serves', () => {
  it('takes in the server’s own settings, and says which need a restart', async () => {
    const backend = await fakeBackend();
    const instances = { a: openai(backend.url) };
    const { gateway, save } = await serve({ instances });
    const { live } = gateway.gateway;
    await save({ server: { apiKeys: [{ name: 'me', key: 'k' }], maxBodySize: '20b' }, instances });
    expect(await live.reload('signal')).toMatchObject({
      diff: ['+ server.apiKeys.me', 'server.maxBodySize: 100mb -> 20b'],
    });
    const call = (key: string, body: unknown) =>
      gateway.post('/v1/chat/completions', body, { headers: { authorization: `Bearer ${key}` } });
    expect((await call('x', { model: 'm' })).status).toBe(401);
    expect((await call('k', { model: 'm' })).status).toBe(200);
    expect((await call('k', { model: 'm', padding: 'x'.repeat(20) })).status).toBe(413);
    await save({ server: { port: 5999, host: '127.0.0.2' }, instances });
    const { port } = gateway.gateway.snapshot.config.server;
    expect(await live.reload('signal')).toMatchObject({
      restartNeeded: ['server.host', 'server.port'],
    });
    expect(live.status().restartNeeded).toEqual(['server.host', 'server.port']);
    expect(gateway.gateway.snapshot.config.server).toMatchObject({ port, host: '127.0.0.1' });
    expect(gateway.said.filter((line) => line.includes('needs a restart'))).toHaveLength(2);
    await save({ instances });
    expect(await live.reload('signal')).toMatchObject({ restartNeeded: [] });
  });

  it('keeps what limits have counted where they mean the same', async () => {
    const backend = await fakeBackend();
    const config: ConfigInput = {
      services: { chat: { rateLimit: { rate: '2/h' } } },
      instances: { a: openai(backend.url) },
    };
    const { gateway, save } = await serve(config);
    const statusOf = async () =>
      (await gateway.post('/v1/chat/completions', { model: 'm' })).status;
    expect([await statusOf(), await statusOf(), await statusOf()]).toEqual([200, 200, 429]);
    await save({ ...config, instances: { a: openai(backend.url, { weight: 2 }) } });
    await gateway.gateway.live.reload('signal');
    expect(await statusOf()).toBe(429);
    await save({ ...config, services: { chat: { rateLimit: { rate: '3/h' } } } });
    await gateway.gateway.live.reload('signal');
    expect(await statusOf()).toBe(200);
  });

  it('keeps them wherever a limit stands', async () => {
    const backend = await fakeBackend();
    const rateLimit = { rate: '1/h' } as const;
    const apiKeys = [{ name: 'me', key: 'k' }];
    const instances = { a: openai(backend.url) };
    const places: Readonly<Record<string, ConfigInput>> = {
      all: { instances, rateLimit },
      service: { instances, services: { chat: { rateLimit } } },
      instance: { instances: { a: openai(backend.url, { rateLimit }) } },
      model: { instances, models: { m: { targets: ['a/m'], rateLimit } } },
      key: { instances, server: { apiKeys: [{ ...apiKeys[0]!, rateLimit }] } },
      client: { instances, services: { chat: { rateLimit: { ...rateLimit, per: 'client' } } } },
    };
    for (const [place, config] of Object.entries(places)) {
      const { gateway, save } = await serve({ server: { apiKeys }, ...config });
      const headers = { authorization: 'Bearer k' };
      const statusOf = async () =>
        (await gateway.post('/v1/chat/completions', { model: 'm' }, { headers })).status;
      const before = [await statusOf(), await statusOf()];
      await save({ server: { apiKeys }, ...config, defaults: { retry: { attempts: 2 } } });
      const { kind } = await gateway.gateway.live.reload('signal');
      expect([place, kind, ...before, await statusOf()]).toEqual([place, 'applied', 200, 429, 429]);
    }
  });

  it('has those who wait look again', async () => {
    const [full, free] = [await fakeBackend(() => {}), await fakeBackend()];
    const instances = { a: openai(full.url, { maxConcurrency: 1 }) };
    const { gateway, save } = await serve({ instances });
    const first = gateway.post('/v1/chat/completions', { model: 'm' }).catch(() => undefined);
    await until(() => full.received.length === 1);
    const second = gateway.post('/v1/chat/completions', { model: 'm' });
    await until(() => gateway.gateway.fleet.queue.length('chat') === 1);
    await save({ instances: { ...instances, b: openai(free.url) } });
    await gateway.gateway.live.reload('signal');
    expect((await second).headers.get('x-jairouter-instance')).toBe('b');
    await gateway.close(0);
    await first;
  });

  it('lets a call go on that met an instance newer than itself', async () => {
    const dead = `http://127.0.0.1:${await deadPort()}`;
    let arrived = (): void => {};
    const once = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    let fail = (): void => {};
    const failing = await fakeBackend(async (_, response) => {
      arrived();
      await new Promise<void>((resolve) => {
        fail = resolve;
      });
      json(response, 503, {});
    });
    const good = await fakeBackend();
    const { gateway, save } = await serve({
      models: { m: { targets: ['a/m', 'b/m'] } },
      instances: { a: openai(failing.url), b: openai(dead) },
    });
    const call = gateway.post('/v1/chat/completions', { model: 'm' });
    await once;
    await save({
      models: { m: { targets: ['a/m', 'b/m'] } },
      instances: { a: openai(failing.url), b: openai(good.url) },
    });
    await gateway.gateway.live.reload('signal');
    fail();
    expect((await call).status).toBeLessThan(504);
    expect((await gateway.post('/v1/chat/completions', { model: 'b/m' })).status).toBe(200);
  });
});

it('takes effect within a tenth of a second of the save, with a hundred instances', async () => {
  const backend = await fakeBackend();
  const many = (weight: number): ConfigInput => ({
    instances: Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`i${index}`, openai(backend.url, { weight })]),
    ),
  });
  const { gateway, save } = await serve(many(1));
  let fastest = Infinity;
  // Where much else runs, one save or another may have to wait for its turn.
  for (let weight = 2; fastest >= 100 && weight < 12; weight++) {
    // Who saves again and again is waited for.
    await sleep(1100);
    await save(many(weight));
    const saved = performance.now();
    await until(() => weightOf(gateway, 'i99') === weight, 10_000);
    fastest = Math.min(fastest, performance.now() - saved);
  }
  expect(fastest).toBeLessThan(100);
}, 30_000);
