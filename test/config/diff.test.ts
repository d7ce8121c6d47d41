import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ADAPTERS } from '../../src/adapters/index.ts';
import { diffConfigs } from '../../src/config/diff.ts';
import { loadConfig, type LoadedConfig } from '../../src/config/load.ts';
import { tempDir } from '../support/temp-dir.ts';

async function load(text: string, env: NodeJS.ProcessEnv = {}): Promise<LoadedConfig> {
  const cwd = await tempDir();
  await writeFile(join(cwd, 'c.yaml'), text);
  return (await loadConfig({ file: 'c.yaml', cwd, env, adapters: ADAPTERS }))!;
}

async function diff(before: string, after: string): Promise<string[]> {
  return diffConfigs(await load(before), await load(after));
}

const instance = (more = ''): string =>
  `instances:\n  a: { adapter: openai, baseUrl: http://h${more && `, ${more}`} }\n`;

describe('what changed between two configs', () => {
  it.each<[string, string, string, string[]]>([
    ['a number', instance('weight: 3'), instance('weight: 5'), ['instances.a.weight: 3 -> 5']],
    ['from a default', instance(), instance('weight: 5'), ['instances.a.weight: 1 -> 5']],
    ['to a default', instance('weight: 5'), instance(), ['instances.a.weight: 5 -> 1']],
    [
      'an option more',
      instance(),
      instance('maxConcurrency: 2'),
      ['+ instances.a.maxConcurrency: 2'],
    ],
    [
      'an option less',
      instance('maxConcurrency: 2'),
      instance(),
      ['- instances.a.maxConcurrency: 2'],
    ],
    [
      'a block more',
      instance(),
      instance('timeouts: { connect: 3s, idle: 1m }'),
      ['+ instances.a.timeouts.connect: 3s', '+ instances.a.timeouts.idle: 1m'],
    ],
    [
      'instances, by what they are',
      instance(),
      'instances:\n  b: { adapter: vllm, baseUrl: "http://10.0.0.7:8000" }\n  c: { adapter: openai }\n',
      ['- instances.a', '+ instances.b (vllm at http://10.0.0.7:8000)', '+ instances.c (openai)'],
    ],
    [
      'models, by what they stand for',
      `${instance()}models: { old: { targets: [a/x] } }\n`,
      `${instance()}models: { coder: { targets: [a/x, a/y] } }\n`,
      ['- models.old', '+ models.coder (a/x, a/y)'],
    ],
    [
      'lists, by what came and went',
      instance('models: [x, y, z]'),
      instance('models: [x, z, q]'),
      ['instances.a.models: + q, - y'],
    ],
    [
      'the order of a list',
      instance('models: [x, y]'),
      instance('models: [y, x]'),
      ['instances.a.models: [x, y] -> [y, x]'],
    ],
    [
      'a rate',
      'rateLimit: { rate: 10/s }\n',
      'rateLimit: { rate: 60/m }\n',
      ['rateLimit.rate: 10/s -> 60/m'],
    ],
    [
      'a strategy, by its name or in its block',
      'defaults: { loadBalance: random }\n',
      'defaults: { loadBalance: { strategy: latency } }\n',
      ['defaults.loadBalance.strategy: random -> latency'],
    ],
    ['a switch', '', 'capture: true\n', ['+ capture: true']],
    ['a switch that is off', 'telemetry: { traces: true }\n', '', ['- telemetry.traces: true']],
    [
      'a block in the place of a switch',
      'capture: true\n',
      'capture: { calls: 5, maxBytes: 1mb }\n',
      ['capture.calls: 100 -> 5', 'capture.maxBytes: 64kb -> 1mb'],
    ],
    ['a size', '', 'server: { maxBodySize: 1mb }\n', ['server.maxBodySize: 100mb -> 1mb']],
    [
      'keys, by their names',
      'server: { apiKeys: [{ name: me, key: k1 }, { name: you, key: k2 }] }\n',
      'server: { apiKeys: [{ name: you, key: k3, models: [x] }, { name: she, key: k4 }] }\n',
      [
        '- server.apiKeys.me',
        'server.apiKeys.you.key: changed',
        'server.apiKeys.you.models: + x, - *',
        '+ server.apiKeys.she',
      ],
    ],
    [
      'secrets, but not what they are',
      instance('apiKey: geheim1, headers: { x-key: geheim2 }, proxy: "http://u:geheim3@p:1"'),
      instance(
        'apiKey: geheim4, headers: { x-key: geheim5, x-more: geheim6 }, proxy: "http://u:geheim7@p:2"',
      ),
      [
        'instances.a.apiKey: changed',
        'instances.a.headers.x-key: changed',
        '+ instances.a.headers.x-more: ***',
        'instances.a.proxy: http://***@p:1 -> http://***@p:2',
      ],
    ],
    [
      'headers for the collector, but not what they are',
      'telemetry: { traces: { headers: { x-key: geheim1 } } }\n',
      'telemetry: { traces: { headers: { x-key: geheim2 } } }\n',
      ['telemetry.traces.headers.x-key: changed'],
    ],
    [
      'adapters of one’s own',
      'adapters: { mine: { extends: openai, baseUrl: "http://h" } }\n',
      'adapters: { mine: { extends: openai, baseUrl: "http://i" }, more: { extends: vllm } }\n',
      ['adapters.mine.baseUrl: http://h -> http://i', '+ adapters.more (extends vllm)'],
    ],
    [
      'nothing, when it is only written otherwise',
      instance('weight: 1'),
      `# c\n${instance('"weight": "1"')}`,
      [],
    ],
    [
      'names that are no plain words',
      'models: {}\n',
      `${instance()}models: { "gpt-4.1": { targets: [a/x] } }\n`,
      ['+ instances.a (openai at http://h)', '+ models["gpt-4.1"] (a/x)'],
    ],
  ])('tells %s', async (_what, before, after, expected) => {
    expect(await diff(before, after)).toEqual(expected);
  });

  it('tells that a variable is set now, and is not any more', async () => {
    const text = instance('apiKey: "${A_KEY}"');
    const [without, withKey] = [await load(text), await load(text, { A_KEY: 'geheim' })];
    expect(diffConfigs(without, withKey)).toEqual([
      '+ instances.a.apiKey: ***',
      'instances.a: A_KEY is set now',
    ]);
    expect(diffConfigs(withKey, without)).toEqual([
      '- instances.a.apiKey: ***',
      'instances.a: off, A_KEY is not set',
    ]);
  });
});
