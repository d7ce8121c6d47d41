import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ADAPTERS } from '../../src/adapters/index.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigError, type Problem } from '../../src/config/problem.ts';
import { tempDir } from '../support/temp-dir.ts';

async function failure(
  name: string,
  text: string,
  { env = {}, cwd = '' }: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<ConfigError> {
  const root = await tempDir();
  await mkdir(join(root, cwd), { recursive: true });
  await writeFile(join(root, name), text);
  const file = join(root, name);
  try {
    await loadConfig({ file, cwd: join(root, cwd), env, adapters: ADAPTERS });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }
  throw new Error('it loaded');
}

/** `line:column message` of each problem, or less where less is known. */
async function complaints(text: string, name = 'c.yaml', env = {}): Promise<string[]> {
  const { problems } = await failure(name, text, { env });
  return problems.map(({ line, column, message }: Problem) =>
    [[line, column].filter((part) => part !== undefined).join(':'), message].join(' ').trim(),
  );
}

const instance = (lines: string): string =>
  `instances:\n  a:\n    adapter: openai\n${lines.replace(/^/gm, '    ')}\n`;

describe('a mistake in a config', () => {
  it.each<[string, string, string]>([
    [
      'an option that is misspelt',
      instance('weigth: 3'),
      '4:5 unknown option `weigth` in `instances.a`; did you mean `weight`?',
    ],
    [
      'an option in another style',
      instance('base_url: http://x'),
      '4:5 unknown option `base_url` in `instances.a`; did you mean `baseUrl`?',
    ],
    [
      'an option in the wrong block',
      'port: 5000\n',
      '1:1 unknown option `port`; it belongs in `server`',
    ],
    [
      'a block in the wrong block',
      'services:\n  chat:\n    instances: []\n',
      '3:5 unknown option `instances` in `services.chat`; it belongs at the top level',
    ],
    [
      'an option like no other',
      'defaults:\n  retry:\n    wibble: 1\n',
      '3:5 unknown option `wibble` in `defaults.retry`; known: attempts, bufferLimit',
    ],
    [
      'a service that is misspelt',
      'services: { embedding: {} }\n',
      '1:13 unknown service `embedding` in `services`; did you mean `embeddings`?',
    ],
    [
      'a value that is misspelt',
      'defaults: { loadBalance: least-conections }\n',
      '1:26 `defaults.loadBalance` must be one of random, round-robin, least-connections, ip-hash, consistent-hash, latency, not `least-conections`; did you mean `least-connections`?',
    ],
    [
      'a value that is misspelt in the block of a union',
      'defaults: { loadBalance: { strategy: latenci } }\n',
      '1:38 `defaults.loadBalance.strategy` must be one of random, round-robin, least-connections, ip-hash, consistent-hash, latency, not `latenci`; did you mean `latency`?',
    ],
    [
      'an option that is misspelt in the block of a union',
      'defaults: { loadBalance: { stratgy: latency } }\n',
      '1:28 unknown option `stratgy` in `defaults.loadBalance`; did you mean `strategy`?',
    ],
    [
      'text for a number',
      instance('weight: heavy'),
      '4:13 `instances.a.weight` must be a number above 0, not `heavy`',
    ],
    [
      'a number out of range',
      'server: { port: 65536 }\n',
      '1:17 `server.port` must be a whole number from 0 to 65535, not `65536`',
    ],
    [
      'a fraction for a count',
      'defaults: { retry: { attempts: 1.5 } }\n',
      '1:32 `defaults.retry.attempts` must be a whole number from 1 to 20, not `1.5`',
    ],
    [
      'a list for a number',
      'server: { port: [1] }\n',
      '1:17 `server.port` must be a whole number from 0 to 65535',
    ],
    [
      'something else for yes or no',
      instance('enabled: maybe'),
      '4:14 `instances.a.enabled` must be true or false, not `maybe`',
    ],
    [
      'a number for text',
      'server: { host: 5 }\n',
      '1:17 `server.host` must be text, in quotes, not `5`',
    ],
    [
      'text for a list',
      instance('models: gpt-5'),
      '4:13 `instances.a.models` must be a list, not `gpt-5`',
    ],
    ['text for a block', 'server: x\n', '1:9 `server` must be a block of options, not `x`'],
    ['a list for a block', 'instances: []\n', '1:12 `instances` must be a block of options'],
    ['a list for the whole', '- a\n', '1:1 the config must be a block of options'],
    [
      'an empty list',
      instance('models: []'),
      '4:13 `instances.a.models` must have at least one entry',
    ],
    ['an empty text', 'server: { host: "" }\n', '1:17 `server.host` must not be empty'],
    [
      'a duration without a unit',
      'defaults: { timeouts: { idle: 30 } }\n',
      '1:31 `defaults.timeouts.idle` must be a duration like 500ms, 30s, 5m or 2h, not `30`',
    ],
    [
      'a duration that is none',
      'defaults: { timeouts: { idle: 0s } }\n',
      '1:31 `defaults.timeouts.idle` must be above 0 and at most 596h, not `0s`',
    ],
    [
      'a duration that no timer can hold',
      'defaults: { timeouts: { idle: 600h } }\n',
      '1:31 `defaults.timeouts.idle` must be above 0 and at most 596h, not `600h`',
    ],
    [
      'a size with another unit',
      'server: { maxBodySize: 100 bytes }\n',
      '1:24 `server.maxBodySize` must be a size like 512kb, 100mb or 1gb, not `100 bytes`',
    ],
    [
      'an address without http://',
      instance('baseUrl: localhost:8000'),
      '4:14 `instances.a.baseUrl` must be an http or https address like http://127.0.0.1:11434, not `localhost:8000`',
    ],
    [
      'a missing option',
      'instances:\n  a:\n    weight: 1\n',
      '2:3 `instances.a.adapter` is missing',
    ],
    ['an instance with nothing in it', 'instances:\n  a:\n', '2:3 `instances.a` has nothing in it'],
    [
      'an instance name with a slash',
      'instances: { a/b: { adapter: openai } }\n',
      '1:14 the name `a/b` in `instances` must have only plain letters, digits and signs such as - _ . (no slash, no space)',
    ],
    [
      'an adapter that is misspelt',
      'instances: { a: { adapter: olama, baseUrl: "http://x" } }\n',
      '1:28 unknown adapter `olama`; did you mean `ollama`?',
    ],
    [
      'an adapter like no other',
      'instances: { a: { adapter: foo } }\n',
      `1:28 unknown adapter \`foo\`; known: ${Object.keys(ADAPTERS).join(', ')}`,
    ],
    [
      'no address where the adapter has none',
      'instances:\n  a: { adapter: vllm }\n',
      '2:3 `instances.a.baseUrl` is missing: the `vllm` adapter has no address of its own',
    ],
    [
      'a target on an instance that is not there',
      'instances: { gpu-1: { adapter: openai } }\nmodels: { m: { targets: [gpu1/x] } }\n',
      '2:26 unknown instance `gpu1`; did you mean `gpu-1`?',
    ],
    [
      'a target without an instance',
      'models: { m: { targets: [x] } }\n',
      '1:26 `models.m.targets[0]` must be INSTANCE/MODEL, not `x`',
    ],
    [
      "an alias that hides an instance's model",
      'instances: { a: { adapter: openai } }\nmodels: { a/x: { targets: [a/y] } }\n',
      '2:11 the alias `a/x` would hide the model of that name on the instance `a`; call it something else',
    ],
    [
      'two keys of one name',
      'server: { apiKeys: [{ name: me, key: k1 }, { name: me, key: k2 }] }\n',
      '1:52 `server.apiKeys[1]` has the same name as `server.apiKeys[0]`',
    ],
    [
      'one key under two names',
      'server: { apiKeys: [{ name: me, key: s3cret }, { name: you, key: s3cret }] }\n',
      '1:66 `server.apiKeys[1]` has the same key as `server.apiKeys[0]`',
    ],
    [
      'an admin token that clients hold',
      'server: { apiKeys: [{ name: me, key: s3cret }], adminToken: s3cret }\n',
      '1:61 `server.adminToken` is also the key of `server.apiKeys[0]`, whose holders may call, not manage',
    ],
    [
      'an admin token that no header can carry',
      'server: { adminToken: "two words" }\n',
      '1:23 `server.adminToken` must be plain letters, digits and signs without spaces',
    ],
    [
      'a header that has no name',
      instance('headers: { "x y": z }'),
      "4:16 `x y` can't be the name of a header",
    ],
    [
      'a header that is not the user’s to set',
      instance('headers: { Content-Length: "5" }'),
      '4:16 the header `Content-Length` is set by the connection itself; leave it out',
    ],
    [
      'a header with a line break',
      instance('headers: { x: "a\\r\\nb" }'),
      '4:19 `instances.a.headers.x` has a character that no header can carry, such as a line break',
    ],
    [
      'an origin with a path',
      'server: { cors: { origins: ["http://x/y"] } }\n',
      '1:29 `server.cors.origins[0]` must be an origin like http://localhost:3000, without a path, not `http://x/y`',
    ],
    [
      'a key to hash that is none',
      'defaults: { loadBalance: { key: cookie } }\n',
      '1:33 `defaults.loadBalance.key` must be prefix, user, api-key or header:NAME, not `cookie`',
    ],
    [
      'a circuit breaker of a service, as only instances have one',
      'services: { chat: { circuitBreaker: { openFor: 1m } } }\n',
      '1:21 unknown option `circuitBreaker` in `services.chat`; it belongs in `defaults`',
    ],
    [
      'models to warm on a backend that can not be asked to',
      instance('warm: [gpt-5]'),
      "4:11 the `openai` adapter can't be asked to load a model; leave `warm` out",
    ],
    [
      'a block for another adapter',
      instance('azure: { apiVersion: "2024-10-21" }'),
      '4:5 `instances.a.azure` is for the adapter `azure`, not for `openai`; leave it out',
    ],
    [
      'a name for two embedding models',
      `${instance('models: [bge-m3, nomic-embed-text]')}models: { e: { targets: [a/bge-m3, a/nomic-embed-text] } }\n`,
      "5:11 `models.e` stands for two embedding models, `bge-m3` and `nomic-embed-text`, whose vectors can't be compared; give each a name of its own, or set `sameEmbeddings: true` if they are one model",
    ],
    [
      'a fallback to another embedding model',
      `${instance('weight: 1')}models: { e: { targets: [a/text-embedding-3-large], fallback: [f] }, f: { targets: [a/text-embedding-3-small] } }\n`,
      "5:11 `models.e` stands for two embedding models, `text-embedding-3-large` and `text-embedding-3-small`, whose vectors can't be compared; give each a name of its own, or set `sameEmbeddings: true` if they are one model",
    ],
    [
      'a rate limit without a rate',
      'rateLimit: { capacity: 5 }\n',
      '1:1 `rateLimit.rate` is missing',
    ],
    [
      'a share of failures beyond all of them',
      'defaults: { circuitBreaker: { failureRate: 50 } }\n',
      '1:44 `defaults.circuitBreaker.failureRate` must be a number above 0 and at most 1, not `50`',
    ],
    [
      'a variable that is not set, outside of instances',
      'server: { port: "${NO_PORT}" }\n',
      '1:17 the environment variable NO_PORT is not set, or empty; set it, or write `${NO_PORT:-default}`',
    ],
    [
      'a reference that is none',
      instance('apiKey: "${MY-KEY}"'),
      '4:13 `instances.a.apiKey` has `${MY-KEY}`, which is no variable: write `${NAME}` or `${NAME:-default}`, or `$${` where `${` itself is meant',
    ],
  ])('%s', async (_what, text, expected) => {
    expect(await complaints(text)).toEqual([expected]);
  });

  it('is placed where a YAML alias or merge key brings it in from', async () => {
    const text = `
instances:
  a: &base
    adapter: openai
    weight: none
  b:
    <<: *base
    priority: 1
`;
    expect(await complaints(text)).toEqual([
      '5:13 `instances.a.weight` must be a number above 0, not `none`',
      '5:13 `instances.b.weight` must be a number above 0, not `none`',
    ]);
  });

  it('is told together with a wrong name of the instance that it is in', async () => {
    const text = 'instances:\n  my gpu:\n    adapter: openai\n    weigth: 3\n';
    expect(await complaints(text)).toEqual([
      expect.stringMatching(/^2:3 the name `my gpu` in `instances` must/),
      '4:5 unknown option `weigth` in `instances["my gpu"]`; did you mean `weight`?',
    ]);
  });

  it('is placed within package.json', async () => {
    expect(
      await complaints('{\n  "name": "x",\n  "jairouter": { "prot": 1 }\n}\n', 'package.json'),
    ).toEqual([expect.stringMatching(/^3:18 unknown option `prot`/)]);
  });
});

describe('a rate limit', () => {
  const windowed = 'rateLimit: { rate: 9/s, algorithm: sliding-window, capacity: 5 }';

  it.each([
    ['rateLimit', `${windowed}\n`],
    ['defaults.rateLimit', `defaults: { ${windowed} }\n`],
    ['services.chat.rateLimit', `services: { chat: { ${windowed} } }\n`],
    ['instances.a.rateLimit', instance(windowed)],
    ['models.m.rateLimit', `${instance('')}models: { m: { targets: [a/x], ${windowed} } }\n`],
    ['server.apiKeys[0].rateLimit', `server: { apiKeys: [{ name: a, key: k, ${windowed} }] }\n`],
  ])('has no capacity where it counts by windows: %s', async (path, text) => {
    const { problems } = await failure('c.yaml', text);
    expect(problems).toMatchObject([
      {
        path: `${path}.capacity`,
        message: `\`${path}.capacity\` can't stand beside \`algorithm: sliding-window\`, which admits its \`rate\` and no more; leave it out, or use \`token-bucket\``,
      },
    ]);
  });

  it.each(['token-bucket', 'leaky-bucket', 'warm-up'])('has one as a %s', async (algorithm) => {
    const root = await tempDir();
    const file = join(root, 'c.yaml');
    await writeFile(file, `rateLimit: { rate: 9/s, algorithm: ${algorithm}, capacity: 5 }\n`);
    const loaded = await loadConfig({ file, cwd: root, env: {}, adapters: ADAPTERS });
    expect(loaded?.config.rateLimit).toMatchObject({ algorithm, capacity: 5 });
  });

  it('is told the place of a capacity in a fixed window', async () => {
    expect(
      await complaints('rateLimit:\n  rate: 9/s\n  algorithm: fixed-window\n  capacity: 5\n'),
    ).toEqual([expect.stringMatching(/^4:3 `rateLimit\.capacity` can't stand/)]);
  });
});

describe('YAML that is none', () => {
  it.each<[string, string, string[]]>([
    [
      'a key given twice',
      'server:\n  port: 1\n  port: 2\n',
      ['3:3 `port` is given twice; keep one of them'],
    ],
    ['tabs', 'server:\n\tport: 1\n', ["2:1 tabs can't indent YAML; use spaces"]],
    [
      'two keys on a line',
      'server: port: 1\n',
      ['1:9 a second `key:` on one line; put it on a line of its own, or the text in quotes'],
    ],
    [
      'a variable without quotes in braces',
      'server: { port: ${PORT} }\n',
      ['1:18 a value with `${…}` needs quotes around it inside `{ }` and `[ ]`'],
    ],
    [
      'a name that starts with *',
      'instances: { a: { adapter: openai, models: [*] } }\n',
      ['1:45 text that starts with * needs quotes'],
    ],
    [
      'an alias of nothing',
      'server: *base\n',
      ['1:9 `*base` has no `&base` before it; put text that starts with * in quotes'],
    ],
    [
      'a list as a key',
      '[a, b]: 1\n',
      ['1:1 a list or block stands where a key must be; put quotes around `{` and `[`'],
    ],
    [
      'two documents',
      'server: {}\n---\nserver: {}\n',
      ['2:1 a second YAML document starts here; a config is one'],
    ],
    ['a text that never ends', 'server:\n  host: "x\n', ['2:9 this `"` is never closed']],
    [
      'a brace that is not closed',
      'server: { port: 1\nmodels: {}\n',
      ['1:9 this `{` is never closed'],
    ],
    [
      'a bracket that is not closed',
      'server: { allowedHosts: [a }\n',
      ['1:25 this `[` is never closed'],
    ],
    ['a brace too many', 'server: { port: 1 }}\n', ['1:20 a `}` too many']],
    [
      'a missing space after the colon',
      'server:\n  port:1\n  host: x\n',
      ['2:3 no `key: value`: the colon is missing, or the space after it'],
    ],
    [
      'a line that is not indented as its neighbours',
      'server:\n   port: 1\n  host: x\n',
      ['3:1 the indentation fits none of the blocks above; align it with the keys beside it'],
    ],
    [
      'a line that is indented too far',
      'server:\n  port: 1\n   host: x\n',
      ['2:9 the line below this one does not belong to it; align its indentation'],
    ],
    [
      'a text that starts with @',
      'server: { host: @x }\n',
      ['1:17 text that starts with @ needs quotes'],
    ],
    [
      'a path of Windows in double quotes',
      'server: { host: "C:\\qa" }\n',
      [expect.stringMatching(/^1:20 a backslash in double quotes .* use single quotes$/)],
    ],
    [
      'text behind a quote',
      'server: { host: "x"y }\n',
      [expect.stringMatching(/^1:20 text stands behind the closing quote/)],
    ],
    [
      'what the parser stumbles over afterwards',
      'server: { port: ${PORT}}\nmodels: {}\n',
      ['1:18 a value with `${…}` needs quotes around it inside `{ }` and `[ ]`'],
    ],
  ])('%s', async (_what, text, expected) => {
    expect(await complaints(text)).toEqual(expected);
  });

  it('is told with the other mistakes, as long as the rest can be read', async () => {
    expect(await complaints('server:\n  port: 1\n  port: 2\n  hots: x\n')).toEqual([
      '3:3 `port` is given twice; keep one of them',
      '4:3 unknown option `hots` in `server`; did you mean `host`?',
    ]);
  });

  it('that contains itself is refused', async () => {
    expect(await complaints('instances: &i\n  a: *i\n')).toContainEqual(
      expect.stringContaining('goes too deep; does it contain itself?'),
    );
  });
});

describe('JSON', () => {
  it('has places too', async () => {
    const text = '{\n\t"server": {\n\t\t"port": "x"\n\t},\n\t"instance": {}\n}\n';
    expect(await complaints(text, 'c.json')).toEqual([
      '3:11 `server.port` must be a whole number from 0 to 65535, not `x`',
      '5:2 unknown option `instance`; did you mean `instances`?',
    ]);
  });

  it.each([
    ['a missing comma', '{\n  "server": { "host": "x" "port": 1 }\n}\n', /^2:27 Expected ','/],
    [
      'a missing comma at the end of a line',
      '{\n  "models": {}\n  "server": {}\n}',
      /^3:3 Expected ','/,
    ],
    ['a file that breaks off', '{ "server": {\n', /^2:1 Expected property name/],
    ['a comment', '{\n  // mine\n  "server": {}\n}\n', /^2:3 JSON has no comments/],
    ['a comment over lines', '{ /* mine */ "server": {} }\n', /^1:3 JSON has no comments/],
  ])('%s is told in its own terms', async (_what, text, expected) => {
    expect(await complaints(text, 'c.json')).toEqual([expect.stringMatching(expected)]);
  });

  it('may end a list with a comma, and have // in a text', async () => {
    const text = '{ "instances": { "a": { "adapter": "openai", "baseUrl": "http://x // y" }, } }';
    expect(await complaints(text, 'c.json')).toEqual([expect.stringMatching(/baseUrl/)]);
  });
});

describe('a config in code', () => {
  const code = (body: string): string =>
    `import { defineConfig } from 'jairouter';\n\nexport default defineConfig({\n${body}\n});\n`;

  it.each<[string, string, string]>([
    [
      'a key',
      code("  // weigth: 1\n  instances: { 'gpu-1': { adapter: 'openai', weigth: 1 } },"),
      '5:46 unknown option `weigth` in `instances.gpu-1`; did you mean `weight`?',
    ],
    [
      'a value in a list',
      code(
        "  instances: {\n    a: {\n      adapter: 'openai', models: ['a', /* b */ 5],\n    },\n  },",
      ),
      '6:48 `instances.a.models[1]` must be text, in quotes, not `5`',
    ],
    [
      'a block under a name',
      "const config: object = { server: { port: 'x' } };\nexport default config;\n",
      '1:42 `server.port` must be a whole number from 0 to 65535, not `x`',
    ],
    [
      'module.exports',
      'module.exports = {\n  server: { prot: 1 },\n};\n',
      '2:13 unknown option `prot` in `server`; did you mean `port`?',
    ],
    [
      'what a call brings in, as far as it can be found',
      "const instances = () => ({ a: { adapter: 'openai', weight: 'x' } });\nexport default { instances: instances() };\n",
      '2:18 `instances.a.weight` must be a number above 0, not `x`',
    ],
    [
      'no object at all',
      "export default (() => ({ server: { port: 'x' } }))();\n",
      '`server.port` must be a whole number from 0 to 65535, not `x`',
    ],
    ['a syntax error', code('  server: { port: 1,, },'), '4:21 syntax error: Unexpected token'],
    ['an error when it is run', "\nthrow new Error('boom');\n", '2 fails when it is run: boom'],
    [
      'an import of nothing',
      "import x from './nope.ts';\nexport default { server: x };\n",
      "1:16 imports `./nope.ts`, which can't be found",
    ],
    [
      'no default export',
      'export const config = {};\n',
      'exports no config; write `export default defineConfig({ … })`',
    ],
    [
      'a function',
      'export default () => ({});\n',
      'exports no config; write `export default defineConfig({ … })`',
    ],
  ])('%s', async (_what, text, expected) => {
    expect(await complaints(text, 'c.ts')).toEqual([expected]);
  });
});

describe('a file that can’t be used', () => {
  it('is named, and why', async () => {
    const root = await tempDir();
    await mkdir(join(root, 'folder.yaml'));
    await writeFile(join(root, 'c.toml'), '');
    await writeFile(join(root, 'package.json'), '{}');
    const told = (file: string): Promise<unknown> =>
      loadConfig({ file, cwd: root, env: {}, adapters: ADAPTERS }).catch(
        (error: ConfigError) => error.message,
      );
    expect(await told('nope.yaml')).toBe('nope.yaml: no such file');
    expect(await told('folder.yaml')).toBe('folder.yaml: is a folder, not a file');
    expect(await told('c.toml')).toBe(
      "c.toml: can't be read as a config; it must end in .yaml, .json, .ts or .js",
    );
    expect(await told('package.json')).toBe('package.json: has no `jairouter` key');
  });

  it('is a certificate that is not there, or none', async () => {
    const missing = await failure('c.yaml', instance('tls: { ca: nope.pem }'));
    expect(missing.message).toMatch(/^c\.yaml:4:16: certificate .*nope\.pem: no such file$/);
    const wrong = await failure('c.yaml', instance('tls: { ca: c.yaml }'));
    expect(wrong.message).toMatch(/c\.yaml: holds no certificate in PEM form$/);
    const damaged = await failure(
      'c.yaml',
      `${instance('tls: { ca: c.yaml }')}# -----BEGIN CERTIFICATE-----\n# MIIB\n# -----END CERTIFICATE-----\n`,
    );
    expect(damaged.message).toMatch(/c\.yaml: holds a certificate that is damaged$/);
  });
});

describe('the report', () => {
  const several = 'server: { prot: 1 }\ndefaults: { timeouts: { idle: 30 } }\n';

  it('has everything at once, one line each, in the order of the file', async () => {
    const { message } = await failure('c.yaml', several);
    expect(message).toBe(
      [
        'c.yaml:1:11: unknown option `prot` in `server`; did you mean `port`?',
        'c.yaml:2:31: `defaults.timeouts.idle` must be a duration like 500ms, 30s, 5m or 2h, not `30`',
      ].join('\n'),
    );
  });

  it('has each problem in parts', async () => {
    const { problems } = await failure('c.yaml', several);
    expect(problems[1]).toEqual({
      file: 'c.yaml',
      line: 2,
      column: 31,
      path: 'defaults.timeouts.idle',
      message: expect.stringContaining('must be a duration'),
    });
  });

  it('names a file outside of the working directory in full', async () => {
    const { problems } = await failure('c.yaml', several, { cwd: 'work' });
    expect(problems[0]?.file).toMatch(/^(\/|[A-Z]:).*c\.yaml$/);
  });

  it('never shows a secret, nor what a variable gave', async () => {
    const text = `
server: { port: "\${PORT}", apiKeys: [{ name: a, key: "\${KEY}" }, { name: b, key: "\${KEY}" }] }
instances:
  a: { adapter: openai, apiKey: "\${KEY}\${NEWLINE}", headers: { authorization: 12345678 } }
  b: { adapter: openai, baseUrl: "http://me:hunter2@host" }
  c: { adapter: openai, apiKey: 987654 }
`;
    const env = { PORT: 'p4ssword', KEY: 's3cret', NEWLINE: '\n' };
    const { message, problems } = await failure('c.yaml', text, { env });
    expect(problems).toHaveLength(6);
    expect(message).not.toMatch(/p4ssword|s3cret|12345678|hunter2|987654/);
    expect(message).toContain('whole number from 0 to 65535; `${PORT}` gives something else');
  });
});
