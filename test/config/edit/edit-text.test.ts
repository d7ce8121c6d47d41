import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { editText, type Change } from '../../../src/config/edit/edit-text.ts';
import type { Path } from '../../../src/config/problem.ts';

const set = (path: string, value: unknown): Change => ({ path: path.split('.'), value });
const unset = (path: string): Change => ({ path: path.split('.'), value: undefined });

const YAML = `# Ours.
server:   # the server
  port: 4747   # port here

instances:
  # The box under the desk.
  box: &box
    adapter: openai   # kind
    baseUrl: "http://127.0.0.1:1"
    models: [x, y]   # two
    weight: 1

  same: *box
  flow: { adapter: vllm, baseUrl: 'http://x' } # flow
  merged:
    <<: *box
    weight: 3
models:
    # four columns
    m:
        targets:
            - box/x   # first
            - flow/y
# The end.
`;

/** The lines that an edit took out (-) and put in (+). */
function diffOf(text: string, ...changes: readonly Change[]): string[] {
  const before = text.split('\n');
  const after = editText('c.yaml', text, changes).split('\n');
  const out: string[] = [];
  let at = 0;
  for (const line of before) {
    const found = after.indexOf(line, at);
    if (found < 0) out.push(`-${line}`);
    else {
      out.push(...after.slice(at, found).map((added) => `+${added}`));
      at = found + 1;
    }
  }
  out.push(...after.slice(at).map((added) => `+${added}`));
  return out;
}

describe('an edit of YAML', () => {
  it.each<[string, Change, string[]]>([
    [
      'a number, and the comment behind it',
      set('server.port', 5000),
      ['-  port: 4747   # port here', '+  port: 5000   # port here'],
    ],
    [
      'a text in its quotes',
      set('instances.box.baseUrl', 'http://y'),
      ['-    baseUrl: "http://127.0.0.1:1"', '+    baseUrl: "http://y"'],
    ],
    [
      'a text in single quotes, between braces',
      set('instances.flow.baseUrl', "http://it's"),
      [
        "-  flow: { adapter: vllm, baseUrl: 'http://x' } # flow",
        "+  flow: { adapter: vllm, baseUrl: 'http://it''s' } # flow",
      ],
    ],
    ['an option more', set('instances.box.maxConcurrency', 2), ['+    maxConcurrency: 2']],
    [
      'an option more between braces',
      set('instances.flow.timeouts', { connect: '1s' }),
      [
        "-  flow: { adapter: vllm, baseUrl: 'http://x' } # flow",
        "+  flow: { adapter: vllm, baseUrl: 'http://x', timeouts: { connect: 1s } } # flow",
      ],
    ],
    [
      'a list',
      { path: ['instances', 'box', 'models'], value: ['q', 'x'] },
      ['-    models: [x, y]   # two', '+    models: [q, x]   # two'],
    ],
    [
      'an item more in a list of lines',
      set('models.m.targets', ['box/x', 'flow/y', 'box/z']),
      ['+            - box/z'],
    ],
    ['an item less', set('models.m.targets', ['flow/y']), ['-            - box/x   # first']],
    ['an option less', unset('instances.box.weight'), ['-    weight: 1']],
    [
      'an instance less',
      unset('instances.flow'),
      ["-  flow: { adapter: vllm, baseUrl: 'http://x' } # flow"],
    ],
    [
      'an instance more, its variable in quotes',
      set('instances.new', { adapter: 'openai', apiKey: '${KEY}', models: ['a'] }),
      ['+  new:', '+    adapter: openai', '+    apiKey: "${KEY}"', '+    models: [a]'],
    ],
    [
      'a block that was not there',
      set('services.chat.queue.size', 5),
      ['+services:', '+  chat:', '+    queue:', '+      size: 5'],
    ],
    [
      'an alias, which then differs from its anchor',
      set('instances.same.weight', 9),
      ['-  same: *box', '+  same:', '+    <<: *box', '+    weight: 9'],
    ],
    [
      'what is merged in, in its own place',
      set('instances.merged.adapter', 'ollama'),
      ['+    adapter: ollama'],
    ],
    [
      'an anchor, whose aliases follow',
      set('instances.box.weight', 2),
      ['-    weight: 1', '+    weight: 2'],
    ],
  ])('changes %s', (_what, change, expected) => {
    expect(diffOf(YAML, change)).toEqual(expected);
  });

  it.each<[string, string, Change, string]>([
    ['an empty file', '', set('a.b', 1), 'a:\n  b: 1\n'],
    ['only a comment', '# c\n', set('a.b', 1), '# c\na:\n  b: 1\n'],
    ['a key without anything', 'a:\n# c\n', set('a.b', 1), 'a:\n  b: 1\n# c\n'],
    ['an empty block', 'a: {} # c\n', set('a.b', 1), 'a: # c\n  b: 1\n'],
    ['no line break at its end', 'a: 1', set('b', 2), 'a: 1\nb: 2'],
    [
      'lines as on Windows',
      'a:\r\n  b: 1\r\n',
      set('a.c', { d: 2 }),
      'a:\r\n  b: 1\r\n  c:\r\n    d: 2\r\n',
    ],
    ['a block of four columns', 'a:\n    b: 1\n', set('c.d', 2), 'a:\n    b: 1\nc:\n    d: 2\n'],
    ['nothing left but a comment', 'a:\n  # c\n  b: 1\n', unset('a.b'), 'a:\n  # c\n'],
    ['nothing left', 'a:\n  b: 1\nc: 2\n', unset('a.b'), 'a: {}\nc: 2\n'],
    ['a text over lines', 'a: |\n  x\n  y\nb: 1\n', set('a', 'z'), 'a: z\nb: 1\n'],
    [
      'a block in the place of a text',
      'a: 1 # c\nb: 2\n',
      set('a', { d: 3 }),
      'a: # c\n  d: 3\nb: 2\n',
    ],
    ['a text in the place of a block', 'a: # c\n  d: 3\nb: 2\n', set('a', 1), 'a: 1 # c\nb: 2\n'],
    [
      'blocks in a list',
      'l:\n  - name: x # n\n    key: k\n  - { name: y, key: z }\n',
      { path: ['l', 0, 'key'], value: 'q' },
      'l:\n  - name: x # n\n    key: q\n  - { name: y, key: z }\n',
    ],
    [
      'braces over lines, with comments',
      'a: {\n  b: 1, # one\n  c: 2 # two\n}\n',
      set('a.d', 3),
      'a: {\n  b: 1, # one\n  c: 2, # two\n  d: 3\n}\n',
    ],
    [
      'braces over lines, with one less',
      'a: {\n  b: 1, # one\n  c: 2 # two\n}\n',
      unset('a.b'),
      'a: {\n  c: 2 # two\n}\n',
    ],
    ['two empty lines that meet', 'a: 1\n\nb: 2\n\nc: 3\n', unset('b'), 'a: 1\n\nc: 3\n'],
  ])('copes with %s', (_what, text, change, expected) => {
    expect(editText('c.yaml', text, [change])).toBe(expected);
  });

  it('leaves a file as it is when it says that already', () => {
    expect(editText('c.yaml', YAML, [set('instances.box.models', ['x', 'y'])])).toBe(YAML);
    expect(editText('c.yaml', YAML, [unset('instances.nobody')])).toBe(YAML);
  });

  it.each<[string, string, Change, RegExp]>([
    ['what can’t be parsed', 'a: [', set('b', 1), /has mistakes/],
    ['an anchor that others need', YAML, unset('instances.box'), /anchor/],
    ['what only an anchor says', YAML, unset('instances.merged.adapter'), /anchor/],
  ])('refuses %s', (_what, text, change, reason) => {
    expect(() => editText('c.ts', text, [change])).toThrow(/is code/);
    expect(() => editText('c.yaml', text, [change])).toThrow(
      expect.objectContaining({ reason: 'uneditable', message: expect.stringMatching(reason) }),
    );
  });
});

describe('an edit of JSON', () => {
  const JSON_TEXT = `{
    "server": { "port": 4747 },
    "instances": {
        "a": { "adapter": "openai", "models": ["x"] }
    }
}
`;
  it.each<[string, Change, string]>([
    ['a value', set('server.port', 1), '"server": { "port": 1 }'],
    ['a pair more in a line', set('server.host', 'h'), '"server": { "port": 4747, "host": "h" }'],
    [
      'a block more',
      set('instances.b', { adapter: 'vllm', models: ['y', 'z'] }),
      `"a": { "adapter": "openai", "models": ["x"] },
        "b": {
            "adapter": "vllm",
            "models": ["y", "z"]
        }
    }`,
    ],
    ['the only pair less', unset('instances.a'), '"instances": {}\n}'],
    ['a pair less', unset('server'), '{\n    "instances"'],
  ])('changes %s', (_what, change, expected) => {
    const text = editText('c.json', JSON_TEXT, [change]);
    expect(text).toContain(expected);
    expect(() => JSON.parse(text) as unknown).not.toThrow();
  });

  it('is of our own part in a package.json', () => {
    const text = '{\n\t"name": "x",\n\t"jairouter": { "server": { "port": 1 } },\n\t"b": 1\n}\n';
    expect(editText('/x/package.json', text, [set('server.port', 2)])).toBe(
      text.replace('"port": 1', '"port": 2'),
    );
  });
});

describe('whatever is written how, and changed to what', () => {
  /** A pair of the file: its key, its value, and how it is written. */
  interface Entry {
    readonly key: string;
    readonly value: string | readonly string[] | readonly Entry[];
    readonly comment: boolean;
    readonly above: boolean;
    readonly style: 'plain' | 'single' | 'double' | 'flow' | 'block';
  }
  const name = fc.constantFrom('a', 'b', 'c-1', 'd e', 'gpt-4.1', '1', 'true');
  const word = fc.oneof(
    fc.constantFrom('x', 'http://127.0.0.1:8000', '3', 'no', '${KEY}', '# no comment', "it's", ''),
    fc.string({ maxLength: 8 }),
  );
  const { entries } = fc.letrec<{ entries: Entry[]; entry: Entry }>((tie) => ({
    entries: fc.uniqueArray(tie('entry'), { maxLength: 4, selector: ({ key }) => key }),
    entry: fc.record({
      key: name,
      value: fc.oneof(
        { depthSize: 'small' },
        word,
        fc.array(word, { maxLength: 3 }),
        tie('entries'),
      ),
      comment: fc.boolean(),
      above: fc.boolean(),
      style: fc.constantFrom('plain', 'single', 'double', 'flow', 'block'),
    }),
  }));

  const quoted = (text: string, style: Entry['style']): string =>
    style === 'single' && !/[^ -~]/.test(text)
      ? `'${text.replaceAll("'", "''")}'`
      : JSON.stringify(text);
  const isEntries = (value: Entry['value']): value is readonly Entry[] =>
    Array.isArray(value) && typeof value[0] === 'object';

  /** Each comment names the path that it is about, and whether it stands above or behind. */
  function write(list: readonly Entry[], path: Path, step: string): string[] {
    const indent = step.repeat(path.length);
    return list.flatMap(({ key, value, comment, above, style }): string[] => {
      const own = [...path, key];
      const tail = comment ? `  #behind ${JSON.stringify(own)}` : '';
      const head = above ? [`${indent}#above ${JSON.stringify(own)}`] : [];
      const start = `${indent}${JSON.stringify(key)}:`;
      if (typeof value === 'string') return [...head, `${start} ${quoted(value, style)}${tail}`];
      if (isEntries(value)) {
        if (style === 'flow') return [...head, `${start} ${JSON.stringify(data(value))}${tail}`];
        return [...head, `${start}${tail}`, ...write(value, own, step)];
      }
      const items = value;
      if (style !== 'block' || items.length === 0) {
        return [
          ...head,
          `${start} [${items.map((item) => quoted(item, style)).join(', ')}]${tail}`,
        ];
      }
      const lines = items.map((item) => `${indent}${step}- ${quoted(item, 'double')}`);
      return [...head, `${start}${tail}`, ...lines];
    });
  }
  function data(list: readonly Entry[]): Record<string, unknown> {
    return Object.fromEntries(
      list.map(({ key, value }) => [key, isEntries(value) ? data(value) : value]),
    );
  }

  const value = fc.oneof(
    fc.constant(undefined),
    word,
    fc.integer(),
    fc.boolean(),
    fc.array(word, { maxLength: 3 }),
    fc.dictionary(name, fc.oneof(word, fc.array(word, { maxLength: 2 })), { maxKeys: 3 }),
  );

  it('says afterwards what it said before, but for the change; and keeps its comments', () => {
    fc.assert(
      fc.property(
        entries,
        fc.record({ step: fc.constantFrom('  ', '    '), eol: fc.constantFrom('\n', '\r\n') }),
        fc.array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), value), {
          minLength: 1,
          maxLength: 4,
        }),
        (list, { step, eol }, changes) => {
          let text = write(list, [], step)
            .map((line) => line + eol)
            .join('');
          let wanted: unknown = data(list);
          for (const [path, to] of changes) {
            if (!goesThroughBlocks(wanted, path)) continue;
            const before = commentsOf(text);
            text = editText('c.yaml', text, [{ path, value: to }]);
            wanted = withValue(wanted, path, to);
            expect(settled(parse(text) ?? {})).toEqual(settled(wanted));
            const after = commentsOf(text);
            expect(after).toEqual(before.filter((each) => after.includes(each)));
            const lost = before.filter((each) => !after.includes(each));
            expect(lost.filter((each) => !mayGo(each, path, to))).toEqual([]);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('stays JSON, if it was that, and says what it is to say', () => {
    fc.assert(
      fc.property(
        entries,
        fc.constantFrom(0, 2, 4),
        fc.array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), value), {
          minLength: 1,
          maxLength: 4,
        }),
        (list, indent, changes) => {
          let text = JSON.stringify(data(list), null, indent);
          let wanted: unknown = data(list);
          for (const [path, to] of changes) {
            if (!goesThroughBlocks(wanted, path)) continue;
            text = editText('c.json', text, [{ path, value: to }]);
            wanted = withValue(wanted, path, to);
            expect(settled(JSON.parse(text))).toEqual(settled(wanted));
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  function commentsOf(text: string): string[] {
    return text.match(/#(above|behind) \[.*?"\](?=\r?\n|$)/g) ?? [];
  }

  /** What stands within a thing that is taken out goes with it; what stands above it does not. */
  function mayGo(comment: string, path: Path, to: unknown): boolean {
    const [, where, about = ''] = /^#(above|behind) (.*)$/.exec(comment)!;
    const own = JSON.parse(about) as string[];
    if (!path.every((key, index) => own[index] === key)) return false;
    return own.length > path.length || (where === 'behind' && to === undefined);
  }
});

function goesThroughBlocks(data: unknown, path: Path): boolean {
  let at = data;
  for (const key of path.slice(0, -1)) {
    if (at === undefined) return true;
    if (typeof at !== 'object' || at === null || Array.isArray(at)) return false;
    at = (at as Record<string | number, unknown>)[key];
  }
  return at === undefined || (typeof at === 'object' && at !== null && !Array.isArray(at));
}

function withValue(data: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  const block = { ...(data as Record<string, unknown> | undefined) };
  if (rest.length === 0 && value === undefined) delete block[key];
  else block[key] = withValue(block[key], rest, value);
  return block;
}

/** Without what says nothing, such as `key:` and `key: {}`. */
function settled(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data;
  return Object.fromEntries(
    Object.entries(data)
      .map(([key, value]) => [key, settled(value)] as const)
      .filter(
        ([, value]) =>
          value !== undefined &&
          value !== null &&
          (typeof value !== 'object' || Array.isArray(value) || Object.keys(value).length > 0),
      ),
  );
}
