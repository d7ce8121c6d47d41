import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ADAPTERS } from '../../src/adapters/index.ts';
import { loadConfig, type LoadedConfig } from '../../src/config/load.ts';
import type { ConfigFormat } from '../../src/config/text.ts';
import { renderConfig, type NewInstance } from '../../src/config/write.ts';
import { tempDir } from '../support/temp-dir.ts';

const FORMATS: readonly ConfigFormat[] = ['yaml', 'json', 'ts'];
const template = (format: ConfigFormat): string =>
  readFileSync(new URL(`../../templates/jairouter.config.${format}`, import.meta.url), 'utf8');

async function load(format: ConfigFormat, text: string, env = {}): Promise<LoadedConfig> {
  const folder = await tempDir();
  const file = `jairouter.config.${format}`;
  await writeFile(join(folder, file), text);
  return (await loadConfig({ file, cwd: folder, env, adapters: ADAPTERS }))!;
}

const INSTANCES: readonly NewInstance[] = [
  { name: 'ollama', adapter: 'ollama', baseUrl: 'http://127.0.0.1:11434', comment: '3 models' },
  {
    name: 'openai-2',
    adapter: 'openai',
    apiKeyVariable: 'OPENAI_API_KEY',
    models: ['gpt-*', 'qwen3:30b', "it's", '*'],
  },
];

describe.each(FORMATS)('a template in %s', (format) => {
  it('loads as it is, without a word', async () => {
    const { config, warnings } = await load(format, template(format));
    expect(warnings).toEqual([]);
    expect(Object.keys(config.instances)).toEqual(['laptop']);
    expect(config.server.port).toBe(4747);
  });

  it('is what a new config with its instance looks like', () => {
    const laptop = { name: 'laptop', adapter: 'ollama', baseUrl: 'http://127.0.0.1:11434' };
    expect(renderConfig({ format, port: 4747, instances: [laptop] })).toBe(template(format));
  });
});

describe.each(['yaml', 'ts'] as const)('the comments of the template in %s', (format) => {
  it('are a config that loads, when they are taken for real', async () => {
    const mark = format === 'yaml' ? /^(\s*)# ?/ : /^(\s*)\/\/ ?/;
    // Prose has a comment's mark too, but no key, bracket or list item.
    const text = template(format)
      .split('\n')
      .map((line) => {
        const bare = line.replace(mark, '$1');
        const code =
          format === 'yaml'
            ? /^\s*(- |[\w-]+:( |$))/.test(bare) &&
              !/^yaml-language|^(jairouter|Adapters):/.test(bare)
            : /^\s*([\w-]+: [^`]*[{[,]|[}\]]+\)?,?$|[}\]],$)/.test(bare) &&
              !/^\s*(jairouter|Adapters):/.test(bare);
        return code ? bare : line;
      })
      .join('\n');
    const { config, warnings } = await load(format, text, {
      JAIROUTER_KEY: 'a',
      VLLM_KEY: 'b',
      OPENAI_API_KEY: 'c',
    });
    expect(warnings).toEqual([]);
    expect(Object.keys(config.instances)).toEqual(['laptop', 'gpu', 'cloud']);
    expect(Object.keys(config.models)).toEqual(['coder']);
    expect(config.server).toMatchObject({ host: '0.0.0.0', apiKeys: [{ name: 'me' }] });
    expect(config.services.chat?.defaultModel).toBe('coder');
    expect(config.defaults.retry?.attempts).toBe(3);
  });
});

describe.each(FORMATS)('a new config in %s', (format) => {
  it('loads, with these instances and this port', async () => {
    const text = renderConfig({ format, port: 5001, instances: INSTANCES });
    const { config, warnings } = await load(format, text, { OPENAI_API_KEY: 'key' });
    expect(warnings).toEqual([]);
    expect(config.server.port).toBe(5001);
    expect(config.instances).toMatchObject({
      ollama: { adapter: 'ollama', baseUrl: 'http://127.0.0.1:11434' },
      'openai-2': {
        adapter: 'openai',
        apiKey: 'key',
        models: ['gpt-*', 'qwen3:30b', "it's", '*'],
      },
    });
    expect(Object.keys(config.instances)).toHaveLength(2);
    expect(text).not.toContain('4747');
  });

  it('loads without any instance', async () => {
    const { config } = await load(format, renderConfig({ format, port: 4747, instances: [] }));
    expect(config.instances).toEqual({});
  });

  it('keeps every name as it is, whatever signs are in it', async () => {
    const model = fc.string({ minLength: 1 }).filter((name) => name.trim() === name);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(model, { minLength: 1 }), model, async (models, comment) => {
        const instance = { name: 'a', adapter: 'ollama', baseUrl: 'http://h', models, comment };
        const text = renderConfig({ format, port: 1, instances: [instance] });
        expect((await load(format, text)).config.instances['a']?.models).toEqual(models);
      }),
      { numRuns: 25 },
    );
  });

  it('refuses to write a secret down', () => {
    const write = (instance: Partial<NewInstance>) => () =>
      renderConfig({ format, port: 1, instances: [{ name: 'a', adapter: 'openai', ...instance }] });
    expect(write({ baseUrl: 'http://me:pw@host' })).toThrow(TypeError);
    expect(write({ apiKeyVariable: 'sk-123456' })).toThrow(TypeError);
  });
});

describe('a comment', () => {
  it('stands above its instance, on one line', () => {
    const instances = [{ ...INSTANCES[0]!, comment: 'two\nlines' }];
    expect(renderConfig({ format: 'yaml', port: 1, instances })).toContain(
      '  # two lines\n  ollama:\n',
    );
    expect(renderConfig({ format: 'ts', port: 1, instances })).toContain(
      '    // two lines\n    ollama: {\n',
    );
  });
});
