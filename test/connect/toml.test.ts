import fc from 'fast-check';
import { parse } from 'smol-toml';
import { describe, expect, it, test } from 'vitest';
import { setToml } from '../../src/connect/toml.ts';

const CONFIG = `# my settings
model = "gpt-5" # the big one
approval_policy = 'on-request'
notice = """
[not a table]
model = "neither"
"""
list = [
  "a", # [b]
  "c]",
]

# What others offer.
[model_providers.mine]
name = "Mine"
base_url = "http://h/v1"

[[profiles]]
model = "x"

[tools]
web = { search = true, "a.b" = 1 }
`;

describe('a value in TOML', () => {
  it('is replaced where it stands, and nothing else changes', () => {
    expect(setToml(CONFIG, ['model'], 'qwen "3"')).toBe(
      CONFIG.replace('"gpt-5"', String.raw`"qwen \"3\""`),
    );
    expect(setToml(CONFIG, ['model_providers', 'mine', 'name'], 'Yours')).toBe(
      CONFIG.replace('"Mine"', '"Yours"'),
    );
    expect(setToml(CONFIG, ['list'], 3)).toBe(CONFIG.replace(/\[\n {2}"a".*\n.*\n\]/, '3'));
  });

  it('is put behind the last one of its table, before the next table', () => {
    expect(setToml(CONFIG, ['model_provider'], 'jairouter')).toBe(
      CONFIG.replace(']\n\n# What', ']\nmodel_provider = "jairouter"\n\n# What'),
    );
    expect(setToml(CONFIG, ['model_providers', 'mine', 'wire_api'], 'responses')).toBe(
      CONFIG.replace('/v1"\n', '/v1"\nwire_api = "responses"\n'),
    );
    expect(setToml(CONFIG, ['tools', 'shell'], true)).toBe(`${CONFIG}shell = true\n`);
  });

  it('is put above all tables where there is none of its own', () => {
    const tables = '# About a.\n[a]\nb = 1\n';
    expect(setToml(tables, ['model'], 'x')).toBe(`model = "x"\n\n${tables}`);
    expect(setToml('', ['model'], 'x')).toBe('model = "x"\n');
    expect(setToml('a = 1', ['model'], 'x')).toBe('a = 1\nmodel = "x"\n');
  });

  it('is taken out with its line', () => {
    expect(setToml(CONFIG, ['model'], undefined)).toBe(CONFIG.replace(/^model = "gpt-5".*\n/m, ''));
    expect(setToml(CONFIG, ['no-such'], undefined)).toBe(CONFIG);
  });
});

describe('a table in TOML', () => {
  const OURS = { name: 'jairouter', base_url: 'http://h:1/v1' };

  it('is appended', () => {
    expect(setToml(CONFIG, ['model_providers', 'jairouter'], OURS)).toBe(
      `${CONFIG}\n[model_providers.jairouter]\nname = "jairouter"\nbase_url = "http://h:1/v1"\n`,
    );
    expect(setToml('', ['a', 'b c'], { d: 1 })).toBe('[a."b c"]\nd = 1\n');
  });

  it('is changed where it stands, and has nothing else in it afterwards', () => {
    const before = setToml(CONFIG, ['model_providers', 'jairouter'], { ...OURS, env_key: 'K' });
    const after = setToml(`${before}\n[z]\ny = 1\n`, ['model_providers', 'jairouter'], {
      ...OURS,
      base_url: 'http://other/v1',
      wire_api: 'responses',
    });
    expect(parse(after)['model_providers']).toEqual({
      mine: { name: 'Mine', base_url: 'http://h/v1' },
      jairouter: { name: 'jairouter', base_url: 'http://other/v1', wire_api: 'responses' },
    });
    expect(after.startsWith(CONFIG)).toBe(true);
    expect(after).toMatch(/\n\[z\]\ny = 1\n$/);
  });

  it.each([
    ['[model_providers]\njairouter = { name = "old" } # mine\n'],
    ['model_providers.jairouter.name = "old"\n'],
    ['[model_providers]\njairouter.name = "old"\nother = 1\n'],
  ])('is changed in another way of writing it: %j', (text) => {
    const after = setToml(text, ['model_providers', 'jairouter'], OURS);
    const { model_providers: found } = parse(after) as { model_providers: Record<string, unknown> };
    expect(found['jairouter']).toEqual(OURS);
  });
});

test('whatever the text, only what is meant changes', () => {
  const key = fc.constantFrom('a', 'b', 'model', '"x.y"', 'c-d');
  const value = fc.constantFrom(
    '1',
    '"s"',
    "'[t]'",
    '"""\n[a]\nb = 1\n"""',
    '[1, [2], "]"]',
    '{ e = "}" }',
    'true # [no]',
    '1979-05-27',
  );
  const line = fc.oneof(
    fc.constant(''),
    fc.constant('# [comment]'),
    fc.tuple(key, value).map(([name, text]) => `${name} = ${text}`),
    fc.constantFrom('[t]', '[t.u]', '[[l]]', ' [ w . "x" ]'),
  );
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 12 }),
      fc.constantFrom(['model'], ['t', 'model'], ['n', 'model'], ['t', 'u', 'a']),
      fc.boolean(),
      (lines, path, ends) => {
        const text = lines.join('\n') + (ends ? '\n' : '');
        const data = parsed(text);
        fc.pre(data !== undefined);
        const after = setToml(text, path, 'new');
        const expected = said(data) as Record<string, unknown>;
        let block = expected;
        for (const part of path.slice(0, -1)) block = (block[part] ??= {}) as typeof block;
        block[path.at(-1)!] = 'new';
        expect(said(parsed(after))).toEqual(expected);
        // Every line is still there, but the one whose value it was.
        const kept = lines.filter((each) => !after.includes(each));
        expect(kept.length).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 2000 },
  );
});

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    // Keys that stand twice, and the like: no config has them.
    return undefined;
  }
}

function said(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data));
}
