/** What is measured, one row each; each gives figures: values by target, and a goal if there is one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ON_LINUX } from './children.mjs';
import { oneByOne, saturate, streams, warmUp } from './client.mjs';
import { against, median, quantile } from './numbers.mjs';
import { chatBody, DIALECTS, MODEL, streamOf } from './shapes.mjs';
import { JAIROUTER, startJairouter } from './targets.mjs';

/**
 * @typedef {object} Figure
 * @property {string} name
 * @property {string} unit
 * @property {Record<string, number | string>} values By target.
 * @property {{ text: string, met: (value: number) => boolean }} [goal] Of the `jairouter` value.
 */

/**
 * @typedef {object} Bench
 * @property {import('./targets.mjs').Running[]} targets Those that came up.
 * @property {boolean} quick
 * @property {{ upstream: string, folder: string }} site
 * @property {(name: string) => Promise<import('./targets.mjs').Running>} start One more of a kind.
 * @property {(target: string, error: Error) => void} leaveOut Says that a target is not measured.
 */

const CONNECTIONS = 32;
const atMost = (limit, text) => ({ text: `≤ ${text}`, met: (value) => value <= limit });
const atLeast = (limit, text) => ({ text: `≥ ${text}`, met: (value) => value >= limit });
const ratio = (own, other) => own / other;
const difference = (own, other) => own - other;

/** @type {Record<string, (bench: Bench) => Promise<Figure[]>>} */
export const MEASURES = {
  async throughput(bench) {
    const body = chatBody();
    const ms = bench.quick ? 400 : 1500;
    const samples = await rounds(bench, bench.quick ? 2 : 5, bench.targets, async (target) => {
      const before = cpu(target);
      const { calls, perSecond } = await saturate(target, { body, connections: CONNECTIONS, ms });
      return { perSecond, cpu: (cpu(target) - before) / calls };
    });
    return [
      figure('calls at 32 connections', '/s', medians(samples, 'perSecond')),
      figure(
        'of the relay',
        '×',
        relative(samples, 'perSecond', 'relay', ratio),
        atLeast(0.8, '0.8'),
      ),
      ...cpuFigures('CPU of a call', samples),
    ];
  },

  async latency(bench) {
    const body = chatBody();
    const calls = bench.quick ? 200 : 1000;
    const samples = await rounds(bench, bench.quick ? 2 : 5, bench.targets, async (target) => {
      const { total } = await oneByOne(target, { body, calls });
      return { p50: quantile(total, 0.5), p99: quantile(total, 0.99) };
    });
    return [
      figure('call on one connection, p50', 'ms', medians(samples, 'p50')),
      figure(
        'added, p50',
        'ms',
        relative(samples, 'p50', 'direct', difference),
        atMost(0.3, '0.3'),
      ),
      figure('added, p99', 'ms', relative(samples, 'p99', 'direct', difference)),
    ];
  },

  async 'first-token'(bench) {
    const body = chatBody({ chunks: 3 });
    const calls = bench.quick ? 100 : 500;
    const samples = await rounds(bench, bench.quick ? 2 : 5, bench.targets, async (target) => ({
      first: quantile((await oneByOne(target, { body, calls })).first, 0.5),
    }));
    return [
      figure('first token of a stream, p50', 'ms', medians(samples, 'first')),
      figure('added', 'ms', relative(samples, 'first', 'direct', difference), atMost(1, '1')),
    ];
  },

  async 'chunk-cpu'(bench) {
    if (!ON_LINUX) return [];
    const [count, chunks] = bench.quick ? [50, 40] : [50, 150];
    const expected = Buffer.concat(streamOf(chunks));
    const proxies = bench.targets.filter(({ child }) => child);
    const samples = await rounds(bench, bench.quick ? 2 : 4, proxies, async (target) => {
      const before = cpu(target);
      const body = chatBody({ chunks, every: 10 });
      const { broken } = await streams(target, { body, count, expected });
      if (broken) throw broken;
      return { chunk: (cpu(target) - before) / (count * (chunks + 2)) };
    });
    return [
      figure('CPU of a streamed chunk', 'µs', medians(samples, 'chunk')),
      figure('of the relay', '×', relative(samples, 'chunk', 'relay', ratio), atMost(1.2, '1.2')),
    ];
  },

  async 'translated-chunk-cpu'(bench) {
    const target = bench.targets.find(({ name }) => name === 'jairouter');
    if (!ON_LINUX || !target) return [];
    const [count, chunks] = bench.quick ? [50, 40] : [50, 150];
    const cases = Object.entries(DIALECTS).map(([name, { path }]) => ({ ...target, name, path }));
    // A dialect's code is compiled while it is first used.
    for (const each of cases) await streams(each, { body: DIALECTS[each.name].body(50), count });
    const samples = await rounds(bench, bench.quick ? 2 : 4, cases, async (each) => {
      const before = cpu(each);
      const { broken } = await streams(each, { body: DIALECTS[each.name].body(chunks), count });
      if (broken) throw broken;
      return { chunk: (cpu(each) - before) / (count * (chunks + 2)) };
    });
    return [
      figure('CPU of a streamed chunk', 'µs', medians(samples, 'chunk')),
      figure('of chat', '×', relative(samples, 'chunk', 'chat', ratio), {
        ...atMost(3, '3'),
        of: Object.keys(DIALECTS).filter((name) => name !== 'chat'),
      }),
    ];
  },

  async prompt(bench) {
    const body = chatBody({ promptBytes: 256 * 1024 });
    const calls = bench.quick ? 40 : 150;
    const samples = await rounds(bench, bench.quick ? 2 : 5, bench.targets, async (target) => {
      const before = cpu(target);
      const { total } = await oneByOne(target, { body, calls });
      // The 5 calls that open the connection are paid for too.
      return { p50: quantile(total, 0.5), cpu: (cpu(target) - before) / (calls + 5) };
    });
    return [
      figure('256 KB prompt, added p50', 'ms', relative(samples, 'p50', 'direct', difference)),
      ...cpuFigures('CPU of it', samples, atMost(1.2, '1.2: the relay reads it once')),
    ];
  },

  async streams(bench) {
    const [count, chunks] = bench.quick ? [200, 5] : [1000, 20];
    const expected = Buffer.concat(streamOf(chunks));
    const samples = await rounds(bench, bench.quick ? 1 : 3, bench.targets, async (shared) => {
      // A process that has had other work has room left over from it: this needs a fresh one.
      const target = shared.child ? await bench.start(shared.name) : shared;
      try {
        await warmUp(target);
        const before = rss(target);
        let open = 0;
        const result = await streams(target, {
          body: chatBody({ chunks, every: 200 }),
          count,
          expected,
          onOpen: () => (open = rss(target)),
        });
        if (result.lost === count * expected.length)
          throw new Error('no stream came', { cause: result.broken });
        return { ...result, each: (Math.max(open, rss(target)) - before) / count };
      } finally {
        if (shared.child) await target.child.close();
      }
    });
    const lost = map(samples, (own) =>
      own.some(({ rewritten, broken }) => rewritten && !broken)
        ? 'rewritten'
        : Math.max(...own.map((sample) => sample.lost)),
    );
    return [
      figure(`bytes lost over ${count} streams`, '', lost, atMost(0, '0')),
      ...(ON_LINUX
        ? [
            figure(
              'memory of an open stream',
              'KB',
              medians(ofProcesses(samples, 'each'), 'each'),
              atMost(60, '60'),
            ),
          ]
        : []),
    ];
  },

  async instances(bench) {
    if (!bench.targets.some(({ name }) => name === 'jairouter')) return [];
    const { upstream, folder } = bench.site;
    const body = chatBody();
    const kinds = [
      { name: '3 of 3', size: 3, serving: 3 },
      { name: '3 of 1,000', size: 1000, serving: 3 },
      { name: '1,000 of 1,000', size: 1000, serving: 1000 },
    ];
    const instances = ({ size, serving }) =>
      Array.from({ length: size }, (_, n) => [
        `gpu-${n}`,
        {
          baseUrl: upstream,
          models: [
            ...(n < serving ? [MODEL] : []),
            ...Array.from({ length: 10 }, (__, model) => `model-${n}-${model}`),
          ],
        },
      ]);
    /** @type {import('./targets.mjs').Running[]} */
    const cases = [];
    try {
      for (const kind of kinds) {
        const started = await startJairouter(folder, Object.fromEntries(instances(kind)));
        cases.push({ ...started, name: kind.name });
      }
      // The first health checks of all instances, and their connections, are a matter of the start.
      await sleep(bench.quick ? 2000 : 8000);
      // Long enough for each instance to have its connections, and for the compiler.
      for (const target of cases) {
        await saturate(target, { body, connections: 32, ms: bench.quick ? 1500 : 4000 });
      }
      const samples = await rounds(bench, bench.quick ? 2 : 5, cases, async (target) => {
        const before = cpu(target);
        const { calls, perSecond } = await saturate(target, {
          body,
          connections: CONNECTIONS,
          ms: bench.quick ? 400 : 1500,
        });
        return { perSecond, cpu: (cpu(target) - before) / calls };
      });
      const goal = atLeast(0.9, '0.9');
      return [
        figure('calls at 32 connections', '/s', medians(samples, 'perSecond')),
        figure('of 3 of 3', '×', relative(samples, 'perSecond', '3 of 3', ratio), {
          ...goal,
          of: ['3 of 1,000', '1,000 of 1,000'],
        }),
        ...(ON_LINUX ? [figure('CPU of a call', 'µs', medians(samples, 'cpu'))] : []),
      ];
    } finally {
      for (const { child } of cases) await child.close();
    }
  },

  async protections(bench) {
    if (!bench.targets.some(({ name }) => name === 'jairouter')) return [];
    const { upstream, folder } = bench.site;
    const plain = { baseUrl: upstream, models: [MODEL] };
    const limit = (algorithm) => ({ algorithm, rate: '1000000/s' });
    const all = { ...plain, maxConcurrency: 1000, rateLimit: limit('token-bucket') };
    const settings = {
      rateLimit: limit('token-bucket'),
      services: {
        chat: {
          rateLimit: { ...limit('token-bucket'), per: 'client', cost: 'tokens' },
          queue: { size: 100 },
          hedge: { after: '10s' },
          keepAlive: '15s',
        },
      },
    };
    const cases = [];
    try {
      cases.push({ ...(await startJairouter(folder, { a: plain, b: plain })), name: 'without' });
      const started = await startJairouter(folder, { a: all, b: all }, settings);
      cases.push({ ...started, name: 'with all' });
      const body = chatBody();
      for (const target of cases) {
        await saturate(target, { body, connections: CONNECTIONS, ms: bench.quick ? 500 : 3000 });
      }
      const samples = await rounds(bench, bench.quick ? 2 : 7, cases, async (target) => {
        const before = cpu(target);
        const { calls, perSecond } = await saturate(target, {
          body,
          connections: CONNECTIONS,
          ms: bench.quick ? 400 : 1500,
        });
        return { perSecond, cpu: (cpu(target) - before) / calls };
      });
      return [
        figure('calls at 32 connections', '/s', medians(samples, 'perSecond')),
        figure('of without', '×', relative(samples, 'perSecond', 'without', ratio), {
          ...atLeast(0.9, '0.9'),
          of: ['with all'],
        }),
        ...(ON_LINUX ? [figure('CPU of a call', 'µs', medians(samples, 'cpu'))] : []),
      ];
    } finally {
      for (const { child } of cases) await child.close();
    }
  },

  async idle(bench) {
    if (!ON_LINUX) return [];
    const values = {};
    for (const { name, child } of bench.targets) {
      if (!child) continue;
      const fresh = await bench.start(name);
      await sleep(bench.quick ? 1000 : 3000);
      values[name] = fresh.child.rss() / 1024;
      await fresh.child.close();
    }
    return [figure('memory when idle', 'MB', values, atMost(70, '70'))];
  },

  async ready(bench) {
    const proxies = bench.targets.filter(({ child }) => child);
    const samples = await rounds(bench, bench.quick ? 2 : 7, proxies, async ({ name }) => {
      const fresh = await bench.start(name);
      await fresh.child.close();
      return { ready: fresh.ready };
    });
    return [
      figure('first answer after start', 'ms', medians(samples, 'ready'), atMost(400, '400')),
    ];
  },

  async version(bench) {
    const commands = [
      { name: 'bare Node', args: ['-e', '0'] },
      { name: 'jairouter', args: [JAIROUTER, '--version'] },
    ];
    const samples = await rounds(bench, bench.quick ? 5 : 15, commands, async ({ args }) => ({
      ms: await runTime(args),
    }));
    return [
      figure('--version', 'ms', medians(samples, 'ms')),
      figure(
        'over bare Node',
        'ms',
        relative(samples, 'ms', 'bare Node', difference),
        atMost(40, '40'),
      ),
    ];
  },
};

/**
 * Measures the targets in turns, each round beginning with another one. One that fails is left out
 * of this measure.
 * @returns {Promise<Map<string, Record<string, number>[]>>} The samples by target, round by round.
 */
async function rounds(bench, count, targets, measure) {
  const samples = new Map(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < count; round++) {
    for (let turn = 0; turn < targets.length; turn++) {
      const target = targets[(round + turn) % targets.length];
      try {
        // Left out in an earlier round.
        if (!samples.has(target.name)) continue;
        samples.get(target.name).push(await measure(target));
      } catch (error) {
        samples.delete(target.name);
        bench.leaveOut(target.name, error);
      }
    }
  }
  return samples;
}

function figure(name, unit, values, goal) {
  return { name, unit, values, ...(goal && { goal: { of: ['jairouter'], ...goal } }) };
}

function medians(samples, key) {
  return map(samples, (own) => median(own.map((sample) => sample[key])));
}

/** Each target against one of them; nothing when that one is not there. */
function relative(samples, key, base, how) {
  const pick = (all) => all.map((sample) => sample[key]);
  const other = samples.get(base);
  if (!other) return {};
  return map(samples, (own) => against(pick(own), pick(other), how));
}

function map(samples, value) {
  return Object.fromEntries([...samples].map(([name, own]) => [name, value(own)]));
}

function cpuFigures(name, samples, goal) {
  if (!ON_LINUX) return [];
  const proxies = ofProcesses(samples, 'cpu');
  return [
    figure(name, 'µs', medians(proxies, 'cpu')),
    figure('of the relay', '×', relative(proxies, 'cpu', 'relay', ratio), goal),
  ];
}

/** Those that have a process of their own to look at. */
function ofProcesses(samples, key) {
  return new Map([...samples].filter(([, own]) => !Number.isNaN(own[0][key])));
}

/** @returns {number} Microseconds; NaN where nothing can be told. */
function cpu({ child }) {
  return child && ON_LINUX ? child.cpu() : NaN;
}

function rss({ child }) {
  return child && ON_LINUX ? child.rss() : NaN;
}

async function runTime(args) {
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${code}`);
  return performance.now() - start;
}
