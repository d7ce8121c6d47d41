import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ADAPTERS } from '../../src/adapters/index.ts';
import { loadConfig, type LoadedConfig } from '../../src/config/load.ts';
import { ConfigError, renderProblem } from '../../src/config/problem.ts';
import { tempDir } from '../support/temp-dir.ts';

const USED = 'instances: { a: { adapter: mine, baseUrl: "http://h" } }\n';
const GOOD = `
import { defineAdapter } from 'jairouter';
export default defineAdapter({
  name: 'mine',
  ports: [],
  auth: (key) => ({ authorization: key }),
  keepAlive: 1000,
  operations: { chat: { path: '/chat' } },
  probe: () => Promise.resolve({ state: 'healthy' }),
});
`;

async function load(
  files: Readonly<Record<string, string>>,
  previous?: LoadedConfig,
  cwd?: string,
): Promise<LoadedConfig> {
  const folder = cwd ?? (await tempDir());
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const file = 'c.yaml';
  return (await loadConfig({ file, cwd: folder, env: {}, adapters: ADAPTERS, previous }))!;
}

async function complaints(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  try {
    await load(files);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems.map(renderProblem);
  }
  throw new Error('it loaded');
}

describe('a module', () => {
  const config = `adapters: { mine: ./mine.ts }\n${USED}`;

  it.each<[string, string]>([
    ['its default export', GOOD],
    ['an export of the name `adapter`', GOOD.replace('export default', 'export const adapter =')],
    [
      'what CommonJS exports',
      GOOD.replace('export default', 'module.exports =').replace(
        /import.*/,
        "const { defineAdapter } = require('jairouter');",
      ),
    ],
    [
      '`adapter` among what CommonJS exports',
      GOOD.replace('export default defineAdapter(', 'exports.adapter = (').replace(/import.*/, ''),
    ],
    [
      'an object with methods of a class',
      `class Mine {
         name = 'mine'; ports = []; keepAlive = 1000;
         operations = { chat: { path: '/chat' } };
         auth(key) { return { authorization: key }; }
         async probe() { return { state: this.name === 'mine' ? 'healthy' : 'unhealthy' }; }
       }
       export default new Mine();`,
    ],
  ])('may give %s', async (_what, text) => {
    const { adapters } = await load({ 'c.yaml': config, 'mine.ts': text });
    expect(adapters['mine']).toMatchObject({ name: 'mine', keepAlive: 1000 });
    expect(await adapters['mine']!.probe(undefined as never)).toEqual({ state: 'healthy' });
    expect(adapters['openai']).toBe(ADAPTERS.openai);
  });

  it('goes by the name that the config has for it', async () => {
    const { adapters } = await load({ 'c.yaml': config, 'mine.ts': GOOD.replace("'mine'", "'x'") });
    expect(adapters['mine']?.name).toBe('mine');
    expect(adapters['mine']?.keepAlive).toBe(1000);
  });

  it('is a source, with all that it imports, missing files too', async () => {
    const folder = await tempDir();
    const files = {
      'c.yaml': config,
      'mine.ts': `import { keepAlive } from './parts.ts';\n${GOOD.replace('keepAlive: 1000', 'keepAlive')}`,
      'parts.ts': 'export const keepAlive = 1000;',
    };
    const { sources } = await load(files, undefined, folder);
    expect(sources).toEqual(
      expect.arrayContaining([join(folder, 'mine.ts'), join(folder, 'parts.ts')]),
    );
    const error = await load(
      { ...files, 'parts.ts': "export * from './gone.ts';" },
      undefined,
      folder,
    ).catch((thrown: unknown) => thrown as ConfigError);
    expect((error as ConfigError).sources).toContain(join(folder, 'gone.ts'));
  });

  it('stays the same object until it, or what it imports, has changed', async () => {
    const folder = await tempDir();
    const files = {
      'c.yaml': `adapters: { mine: ./mine.ts, more: { extends: mine } }\n${USED}`,
      'mine.ts': `import { keepAlive } from './parts.ts';\n${GOOD.replace('keepAlive: 1000', 'keepAlive')}`,
      'parts.ts': 'export const keepAlive = 1000;',
    };
    const first = await load(files, undefined, folder);
    const second = await load({ 'c.yaml': `# c\n${files['c.yaml']}` }, first, folder);
    expect(second.adapters['mine']).toBe(first.adapters['mine']);
    expect(second.adapters['more']).toBe(first.adapters['more']);
    const third = await load({ 'parts.ts': 'export const keepAlive = 2000;' }, second, folder);
    expect(third.adapters['mine']?.keepAlive).toBe(2000);
    expect(third.adapters['more']?.keepAlive).toBe(2000);
  });

  it.each<[string, Record<string, string>, string[]]>([
    ['is missing', {}, ['c.yaml:1:19: the adapter module mine.ts: no such file']],
    [
      'is no code',
      { 'c.yaml': `adapters: { mine: ./mine.wasm }\n${USED}` },
      ['c.yaml:1:19: the adapter module mine.wasm must end in .ts, .mts, .js or .mjs'],
    ],
    [
      'has a syntax error',
      { 'mine.ts': 'export default {\n  name: ,\n};' },
      ['mine.ts:2:9: syntax error: Unexpected token'],
    ],
    [
      'fails when it is run',
      { 'mine.ts': 'const a = 1;\nthrow new Error("not today");' },
      ['mine.ts:2: fails when it is run: not today'],
    ],
    [
      'exports nothing',
      { 'mine.ts': 'export const a = 1;' },
      [
        'c.yaml:1:19: the adapter module mine.ts exports no adapter; write `export default defineAdapter({ … })`',
      ],
    ],
    [
      'has wrong fields',
      {
        'mine.ts': `export default {
  name: 'mine',
  ports: ['8000'],
  auth: 'Bearer',
  keepalive: 1000,
  operations: {
    chat: { path: 'chat' },
    caht: { path: '/chat' },
    rerank: { path: '/rerank', transform() {} },
    embeddings: '/embed',
  },
  cloud: 'yes',
  probe() {},
};`,
      },
      [
        'mine.ts:1:16: `keepAlive` is missing',
        'mine.ts:3:10: `ports` must be a list of ports, like [8000]',
        'mine.ts:4:9: `auth` must be a function',
        'mine.ts:5:3: unknown field `keepalive` in an adapter; did you mean `keepAlive`?',
        'mine.ts:7:19: `operations.chat.path` must be a path below baseUrl, like /v1/chat/completions',
        'mine.ts:8:5: unknown operation `caht`; did you mean `chat`?',
        'mine.ts:9:32: unknown field `transform` in `operations.rerank`; known: path, request, split, response, shownBy, extras, headers, keeps, betas',
        'mine.ts:10:17: `operations.embeddings` must be a block with a path',
        'mine.ts:12:10: `cloud` must be true or false',
      ],
    ],
    [
      'makes a header of its key that can’t be sent',
      { 'mine.ts': GOOD.replace('({ authorization: key })', '({ "a b": key })') },
      [
        expect.stringMatching(
          /^mine\.ts:6:9: `auth` must give headers for a key, .*fails: /,
        ) as string,
      ],
    ],
    [
      'is named in a config that has other mistakes',
      {
        'c.yaml': `adapters: { mine: ./mine.ts }\n${USED}sever: {}\n`,
        'mine.ts': 'export default 1;',
      },
      [
        'c.yaml:3:1: unknown option `sever`; did you mean `server`?',
        'mine.ts: the adapter must be an object of its parts',
      ],
    ],
  ])('that %s is told so, at its place', async (_what, files, expected) => {
    expect(await complaints({ 'c.yaml': config, ...files })).toEqual(expected);
  });
});

describe('an adapter as data', () => {
  it.each<[string, string, string[]]>([
    [
      'extends nobody',
      'adapters: { mine: { services: [chat] } }\n',
      ['c.yaml:1:13: `adapters.mine.extends` is missing'],
    ],
    [
      'extends one that there is not',
      'adapters: { mine: { extends: opnai } }\n',
      ['c.yaml:1:30: unknown adapter `opnai`; did you mean `openai`?'],
    ],
    [
      'extends itself',
      'adapters:\n  mine: { extends: more }\n  more: { extends: mine }\n  last: { extends: more }\n',
      [
        'c.yaml:2:20: `mine` extends itself, over `more`',
        'c.yaml:3:20: `more` extends itself, over `mine`',
      ],
    ],
    [
      'has the name of another',
      'adapters: { vllm: { extends: openai } }\n',
      ['c.yaml:1:13: the adapter `vllm` comes with jairouter; call yours something else'],
    ],
    [
      'has an option that there is not',
      'adapters: { mine: { extends: openai, path: {} } }\n',
      ['c.yaml:1:38: unknown option `path` in `adapters.mine`; did you mean `paths`?'],
    ],
    [
      'has a path of no operation',
      'adapters: { mine: { extends: openai, paths: { caht: /x } } }\n',
      [expect.stringMatching(/^c\.yaml:1:\d+: .*`caht`.*did you mean `chat`\?$/) as string],
    ],
    [
      'has a path that nobody will take',
      'adapters: { mine: { extends: openai, services: [chat], paths: { rerank: /x } } }\n',
      ['c.yaml:1:65: `adapters.mine.paths.rerank` is never used: `services` leaves out rerank'],
    ],
    [
      'is no block',
      'adapters: { mine: 1 }\n',
      [expect.stringMatching(/^c\.yaml:1:19: `adapters\.mine` must be/) as string],
    ],
  ])('that %s is told so', async (_what, text, expected) => {
    expect(await complaints({ 'c.yaml': text })).toEqual(expected);
  });

  it('that is wrong is no second mistake in who uses it', async () => {
    expect(
      await complaints({
        'c.yaml': `adapters: { mine: { extends: no } }\ninstances: { a: { adapter: mine, warm: [x] } }\n`,
      }),
    ).toHaveLength(1);
  });
});
