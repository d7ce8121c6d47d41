import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMPATIBLE } from '../../src/adapters/fingerprint.ts';
import { ADAPTERS } from '../../src/adapters/index.ts';
import { options, type Option } from '../../src/config/json-schema.ts';
import { loadConfig } from '../../src/config/load.ts';
import { tempDir } from '../support/temp-dir.ts';

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

/** The rows of its tables of options. */
const rows = page
  .split('\n')
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .filter(([, path]) => /^`[\w$.*[\]]+`$/.test(path ?? ''))
  .map(([, path = '', value = '', meaning = '']) => ({
    path: path.slice(1, -1),
    default: value,
    meaning,
  }));

const all = options();

describe('docs/configuration.md', () => {
  it('explains every option, each once, and none that is not there', () => {
    expect(rows.map(({ path }) => path).toSorted()).toEqual(all.map(({ path }) => path).toSorted());
  });

  it.each(all)('says the default of $path', (option) => {
    expect(rows.find(({ path }) => path === option.path)?.default).toBe(defaultCell(option));
  });

  it.each(all)('says what $path means', ({ path }) => {
    const row = rows.find((each) => each.path === path);
    expect(row?.meaning.length).toBeGreaterThan(10);
  });

  it('names every port where a backend is looked for', () => {
    const [, table = ''] = /^\| port[\s\S]*?\n([\s\S]*?)\n\n/m.exec(page) ?? [];
    const named = table.split('\n').flatMap((row) => row.split('|')[1]!.match(/\d+/g) ?? []);
    const looked = [...Object.values(ADAPTERS), COMPATIBLE].flatMap(({ ports }) =>
      ports.map(String),
    );
    expect(new Set(named)).toEqual(new Set(looked));
  });

  it.each([
    ['yaml', 'yaml'],
    ['ts', 'ts'],
  ])('has an example in %s that loads', async (language, end) => {
    const [, code = ''] = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(page) ?? [];
    expect(code).toContain('instances');
    const folder = await tempDir();
    await writeFile(join(folder, `jairouter.config.${end}`), code);
    const loaded = await loadConfig({
      file: `jairouter.config.${end}`,
      cwd: folder,
      env: { JAIROUTER_KEY: 'a', VLLM_KEY: 'b', OPENAI_API_KEY: 'c' },
      adapters: ADAPTERS,
    });
    expect(loaded?.warnings).toEqual([]);
  });
});

function defaultCell(option: Option): string {
  const { default: value, required } = option;
  if (required) return 'required';
  const nothing =
    value === undefined || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);
  if (nothing) return '–';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
