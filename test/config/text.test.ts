import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ADAPTERS } from '../../src/adapters/index.ts';
import { escapeVariables } from '../../src/config/interpolate.ts';
import { loadConfig } from '../../src/config/load.ts';
import { schema, type ConfigInput } from '../../src/config/schema.ts';
import { configText, type ConfigFormat } from '../../src/config/text.ts';
import { tempDir } from '../support/temp-dir.ts';

const FORMATS: readonly ConfigFormat[] = ['yaml', 'json', 'ts'];

describe.each(FORMATS)('a whole config in %s', (format) => {
  async function loaded(config: ConfigInput): Promise<unknown> {
    const cwd = await tempDir();
    const file = `jairouter.config.${format}`;
    await writeFile(join(cwd, file), configText(config, { format, comment: ['Made by hand.'] }));
    const loaded = await loadConfig({ file, cwd, env: {}, adapters: ADAPTERS });
    const { $schema: _, ...read } = loaded!.config;
    return read;
  }

  it('loads as what it was', async () => {
    const config: ConfigInput = {
      server: { port: 1, apiKeys: [{ name: "it's", key: 'a"b' }] },
      services: { chat: { rateLimit: { rate: '5/s', capacity: 2 } } },
      instances: {
        'gpu-1': { adapter: 'vllm', baseUrl: 'http://h', models: ['a', '*', 'yes', '1'] },
        b: { adapter: 'ollama', baseUrl: 'http://h', headers: { 'x-a': '# no comment' } },
      },
      models: { coder: { targets: ['gpu-1/a', 'b/c:d'], fallback: ['a'] } },
    };
    expect(await loaded(config)).toEqual(schema.parse(config));
  });

  it('keeps every text as it is, whatever signs are in it', async () => {
    const text = fc.string({ minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(text, { minLength: 1 }), text, async (models, alias) => {
        const config = (escape: (text: string) => string): ConfigInput => ({
          instances: { b: { adapter: 'ollama', baseUrl: 'http://h', models: models.map(escape) } },
          models: { [`a${alias}`]: { targets: ['b/x'] } },
        });
        expect(await loaded(config(escapeVariables))).toEqual(schema.parse(config((as) => as)));
      }),
      { numRuns: 15 },
    );
  });
});

describe('short blocks', () => {
  it('stand on one line in YAML, and variables in quotes', () => {
    const config: ConfigInput = {
      instances: { a: { adapter: 'vllm', apiKey: '${KEY}', rateLimit: { rate: '5/s' } } },
    };
    expect(configText(config, { format: 'yaml', comment: ['', 'Why.'] })).toBe(
      [
        '# yaml-language-server: $schema=./node_modules/jairouter/schema.json',
        '#',
        '# Why.',
        '',
        'instances:',
        '  a:',
        '    adapter: vllm',
        '    apiKey: "${KEY}"',
        '    rateLimit: { rate: 5/s }',
        '',
      ].join('\n'),
    );
  });
});
