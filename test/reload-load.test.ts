import { Agent } from 'node:http';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { type ConfigInput } from '../src/config/schema.ts';
import { STRATEGIES } from '../src/config/options/service.ts';
import { KINDS, makeCall, type Fate } from './support/chaos-client.ts';
import { dice } from './support/dice.ts';
import { deadPort } from './support/fake-backend.ts';
import { startOnFile, until, type TestGateway } from './support/gateway.ts';
import { collectGarbage, usedHeap } from './support/memory.ts';
import { moodyBackend, type MoodyBackend } from './support/moody-backend.ts';
import { MOODS } from './support/moods.ts';
import { tempDir } from './support/temp-dir.ts';

/** `npm run chaos` makes the long run. */
const LONG = process.env['CHAOS_CALLS'] !== undefined;
const SEED = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000);
const RELOADS = LONG ? 100 : 30;
/** Calls at least; the load goes on until the last reload is over. */
const CALLS = LONG ? Math.max(20_000, Number(process.env['CHAOS_CALLS'])) : 600;
const CLIENTS = 16;
const LIMIT = LONG ? 1_800_000 : 60_000;

type Instances = NonNullable<ConfigInput['instances']>;

interface Scene {
  readonly random: () => number;
  readonly backends: readonly MoodyBackend[];
  /** Where nobody listens. */
  readonly nowhere: string;
}

function oneOf<T>(items: readonly T[], { random }: Scene): T {
  return items[Math.floor(random() * items.length)]!;
}

/** A config in which the first instance is always good; of the others some are there, and some broken. */
function someConfig(scene: Scene): ConfigInput {
  const { random, backends, nowhere } = scene;
  const instances: Instances = {};
  for (const [index, { url }] of backends.entries()) {
    const stable = index === 0;
    if (!stable && random() < 0.4) continue;
    instances[`i${index}`] = {
      adapter: 'openai',
      baseUrl: stable || random() < 0.7 ? url : nowhere,
      weight: 1 + Math.floor(random() * 5),
      // Another key, or another header, makes it a new one.
      ...(random() < 0.3 && { apiKey: oneOf(['key-1', 'key-2'], scene) }),
      ...(random() < 0.3 && { headers: { 'x-turn': oneOf(['a', 'b'], scene) } }),
      ...(random() < 0.3 && { maxConcurrency: oneOf([2, 5, 10], scene) }),
      ...(random() < 0.3 && { rateLimit: { rate: '100000/s' } }),
      ...(!stable && { priority: oneOf([0, 0, 1], scene), enabled: random() < 0.8 }),
    };
  }
  return {
    defaults: {
      loadBalance: oneOf(STRATEGIES, scene),
      retry: { attempts: 20 },
      queue: { size: 1000 },
      timeouts: { connect: oneOf(['1s', '2s', '5s'], scene) },
      circuitBreaker: { openFor: '100ms', failureThreshold: oneOf([2, 5], scene) },
      health: { interval: oneOf(['300ms', '1s'], scene) },
    },
    instances,
    models: { alias: { targets: Object.keys(instances).map((name) => `${name}/m`) } },
  };
}

/** Brings about one change, by the file or over the API, and waits until it has been taken in. */
async function changeConfig(file: string, { gateway }: TestGateway, scene: Scene): Promise<void> {
  const { live } = gateway;
  const way = scene.random();
  if (way < 0.1) {
    await live.edits.patchInstance('i0', { weight: 1 + Math.floor(scene.random() * 9) });
    return;
  }
  if (way < 0.2) {
    const version = live.status().version - Math.floor(scene.random() * 5);
    await live.edits.rollback(Math.max(1, version));
    return;
  }
  if (way < 0.3) {
    await writeFile(file, '{ "instances": { "i0": { "adaptr": "openai" } } }');
    await until(() => live.status().error !== undefined, 10_000);
  }
  const text = JSON.stringify(someConfig(scene), null, 2);
  if (way < 0.6) await writeFile(file, text);
  else {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  }
  if (way < 0.5) await live.reload('signal');
  await until(() => live.served.text === text, 10_000);
}

/** Makes calls until it is told to end. */
async function load(
  { url }: TestGateway,
  { random }: Scene,
  { agent, goesOn, each }: { agent: Agent; goesOn: () => boolean; each: (fate: Fate) => void },
): Promise<void> {
  let made = 0;
  const client = async (): Promise<void> => {
    while (goesOn()) {
      made += 1;
      const kind = KINDS[Math.floor(random() * KINDS.length)]!;
      const size = random() < 0.1 ? 200_000 : Math.floor(random() * 3000);
      each(await makeCall(url, { id: `call-${made}`, kind, leaves: undefined, size, agent }));
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

it(
  `reloads under load lose no call, cut no stream and leave nothing behind (CHAOS_SEED=${SEED})`,
  async () => {
    const random = dice(SEED);
    const backends: MoodyBackend[] = [];
    for (let index = 0; index < 6; index++) {
      const backend = await moodyBackend(index % 2 === 0 ? MOODS.good : MOODS.slow, random);
      onTestFinished(() => backend.down());
      backends.push(backend);
    }
    const scene: Scene = { random, backends, nowhere: `http://127.0.0.1:${await deadPort()}` };
    const folder = await tempDir();
    const file = join(folder, 'jairouter.config.json');
    await writeFile(file, JSON.stringify(someConfig(scene)));
    const gateway = await startOnFile(file, { state: join(folder, 'state') });
    const { live, fleet, calls } = gateway.gateway;

    const wrong: string[] = [];
    let whole = 0;
    let reloads = 0;
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const done = load(gateway, scene, {
      agent,
      goesOn: () => reloads < RELOADS || whole < CALLS,
      each({ kind, status, detail }) {
        if (kind === 'whole') whole += 1;
        else wrong.push(`${kind} ${status}: ${detail.slice(0, 300)}`);
        // What the tests keep of each call is no leak of the gateway's.
        (gateway.outcomes as unknown[]).length = 0;
      },
    });
    const heaps: number[] = [];
    for (; reloads < RELOADS; reloads++) {
      // Spread over the calls.
      await until(() => whole >= (reloads / RELOADS) * CALLS || wrong.length > 0, LIMIT);
      await changeConfig(file, gateway, scene);
      if (LONG && reloads % 10 === 9) heaps.push(await heap(backends));
    }
    await done;
    expect(wrong).toEqual([]);
    expect(whole).toBeGreaterThanOrEqual(CALLS);
    expect(live.status().error).toBeUndefined();

    await writeFile(
      file,
      JSON.stringify({ instances: { i0: { adapter: 'openai', baseUrl: backends[0]!.url } } }),
    );
    expect((await live.reload('signal')).kind).toBe('applied');
    await until(() => backends.slice(1).every(({ sockets }) => sockets.size === 0), 10_000);
    expect([...fleet.instances()].map(({ name, inFlight }) => [name, inFlight])).toEqual([
      ['i0', 0],
    ]);
    expect(calls.size).toBe(0);
    expect(fleet.queue.length('chat')).toBe(0);
    if (!LONG) return;
    const shown = heaps.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(', ');
    console.log(`${whole} calls, ${RELOADS} reloads; heap in MB: ${shown}`);
    // The first tens of reloads fill caches, rings and windows.
    expect(Math.min(...heaps.slice(-3)) - heaps[2]!).toBeLessThan(5 * 2 ** 20);
  },
  LIMIT,
);

/** Bytes that are in use, after what is not has been thrown away. */
async function heap(backends: readonly MoodyBackend[]): Promise<number> {
  for (const { endedAt } of backends) endedAt.clear();
  collectGarbage();
  await sleep(20);
  return usedHeap();
}
