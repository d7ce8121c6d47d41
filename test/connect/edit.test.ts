import { parse as parseJson } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { editConfig, readConfig, Unchangeable } from '../../src/connect/edit.ts';

describe('a config in JSON', () => {
  const SETTINGS = `// mine
{
    "theme": "One", // dark
    /* long
       story */
    "agent": {
        "default_model": { "provider": "x", "model": "y" },
        "tools": [1, 2, 3,],
    },
    "list": [],
}
`;

  it('keeps its comments, its trailing commas and its indentation', () => {
    const edited = editConfig('json', SETTINGS, [
      { path: ['agent', 'default_model'], value: { provider: 'jairouter', model: 'm' } },
      { path: ['language_models', 'openai_compatible', 'jairouter'], value: { api_url: 'u' } },
    ]);
    for (const line of SETTINGS.split('\n').filter((each) => !each.includes('default_model')))
      expect(edited).toContain(line.trimEnd());
    expect(edited).toContain('        "default_model": {');
    expect(parseJson(edited, [], { allowTrailingComma: true })).toMatchObject({
      theme: 'One',
      agent: { default_model: { provider: 'jairouter', model: 'm' }, tools: [1, 2, 3] },
      language_models: { openai_compatible: { jairouter: { api_url: 'u' } } },
    });
  });

  it.each([
    ['{\n\t"a": 1\n}\n', '{\n\t"a": 1,\n\t"b": {\n\t\t"c": 2\n\t}\n}\n'],
    ['{\r\n  "a": 1\r\n}\r\n', '{\r\n  "a": 1,\r\n  "b": {\r\n    "c": 2\r\n  }\r\n}\r\n'],
    ['', '{\n  "b": {\n    "c": 2\n  }\n}\n'],
  ])('goes on in the way it is written: %j', (text, edited) => {
    expect(editConfig('json', text, [{ path: ['b', 'c'], value: 2 }])).toBe(edited);
  });
});

describe('a config in YAML', () => {
  it('keeps its comments and what else is in it', () => {
    const text = `# mine
name: My config # short
models:
  # the big one
  - name: big
    provider: openai
rules:
  - be "brief"   # as ever
odd:   { spaced:1,  list: [ a,b ] }
`;
    const edited = editConfig('yaml', text, [
      { path: ['schema'], value: 'v1' },
      { path: ['models', 1], value: { name: 'jairouter', roles: ['chat'] } },
    ]);
    // What is added stands between lines, or behind them, and no other character is touched.
    const added = '  - name: jairouter\n    roles: [chat]\n';
    expect(edited).toBe(`${text.replace('rules:', `${added}rules:`)}schema: v1\n`);
    expect(parseYaml(edited)).toMatchObject({
      name: 'My config',
      models: [
        { name: 'big', provider: 'openai' },
        { name: 'jairouter', roles: ['chat'] },
      ],
      rules: ['be "brief"'],
      schema: 'v1',
    });
  });
});

describe('a config that is broken, or can’t be changed', () => {
  it.each([
    ['json', '{ "a": ', 'it is no valid JSON (line 1)'],
    ['json', '[]', 'it is no block of keys'],
    ['toml', 'a = 1\nb', 'it is no valid TOML (line 2)'],
    ['yaml', 'a: [', 'it is no valid YAML (line 1)'],
    ['yaml', '- a', 'it is no block of keys'],
  ] as const)('is left alone: %s %j', (format, text, message) => {
    const edit = (): string => editConfig(format, text, [{ path: ['x'], value: 1 }]);
    expect(edit).toThrow(Unchangeable);
    expect(edit).toThrow(message);
  });

  it('is left alone where the change would not say what it should', () => {
    const text = 'model_providers = { mine = { name = "x" } }\n';
    const change = { path: ['model_providers', 'jairouter'], value: { name: 'jairouter' } };
    expect(() => editConfig('toml', text, [change])).toThrow(
      'it is written in a way that only its author can change',
    );
  });

  it('may be empty', () => {
    for (const format of ['json', 'toml', 'yaml'] as const)
      expect(readConfig(format, '')).toEqual({});
  });
});
