import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ADAPTERS } from '../../src/adapters/index.ts';
import { loadConfig, type LoadedConfig } from '../../src/config/load.ts';
import { tempDir } from '../support/temp-dir.ts';

interface Setting {
  readonly file?: string;
  /** From the temporary folder. */
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Lays files out in a temporary folder, whose own `home` is the user's. */
async function folder(files: Readonly<Record<string, string>>): Promise<{
  root: string;
  load: (setting?: Setting) => Promise<LoadedConfig | undefined>;
  write: (name: string, text: string) => Promise<void>;
}> {
  const root = await tempDir();
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  };
  for (const [name, text] of Object.entries(files)) await write(name, text);
  const load = ({ file, cwd = '', env }: Setting = {}): Promise<LoadedConfig | undefined> =>
    loadConfig({
      file,
      cwd: join(root, cwd),
      env: { HOME: join(root, 'home'), ...env },
      adapters: ADAPTERS,
    });
  return { root, load, write };
}

const port = (number: number): string => `server: { port: ${number} }\n`;

describe('the search', () => {
  it.each([
    ['jairouter.config.yaml', port(5001)],
    ['jairouter.config.yml', port(5001)],
    ['jairouter.config.json', '{ "server": { "port": 5001 } }'],
    ['jairouter.config.ts', 'export default { server: { port: 5001 as number } };'],
    ['jairouter.config.mts', 'export default { server: { port: 5001 as number } };'],
    ['jairouter.config.js', 'export default { server: { port: 5001 } };'],
    ['jairouter.config.mjs', 'export default { server: { port: 5001 } };'],
    ['.jairouterrc', port(5001)],
    ['.jairouterrc', '{ "server": { "port": 5001 } }'],
    ['.jairouterrc.yaml', port(5001)],
    ['.jairouterrc.yml', port(5001)],
    ['.jairouterrc.json', '{ "server": { "port": 5001 } }'],
    ['.jairouterrc.ts', 'export default { server: { port: 5001 } };'],
    ['.jairouterrc.js', 'module.exports = { server: { port: 5001 } };'],
    ['.jairouterrc.mjs', 'export default { server: { port: 5001 } };'],
    ['package.json', '{ "name": "x", "jairouter": { "server": { "port": 5001 } } }'],
  ])('finds %s', async (name, text) => {
    const { root, load } = await folder({ [name]: text });
    const loaded = await load();
    expect(loaded).toMatchObject({ file: join(root, name), warnings: [] });
    expect(loaded?.config.server.port).toBe(5001);
  });

  it('goes upward, past folders that have none', async () => {
    const { root, load } = await folder({
      'jairouter.config.yaml': port(5001),
      'a/package.json': '{ "name": "not ours" }',
      'a/b/package.json': 'broken {',
      'a/b/c/x.txt': '',
    });
    expect((await load({ cwd: 'a/b/c' }))?.file).toBe(join(root, 'jairouter.config.yaml'));
  });

  it('takes the nearest folder, and in it the first place', async () => {
    const { root, load } = await folder({
      'jairouter.config.yaml': port(5001),
      'a/.jairouterrc': port(5002),
      'a/jairouter.config.json': '{}',
    });
    expect((await load({ cwd: 'a' }))?.file).toBe(join(root, 'a/jairouter.config.json'));
  });

  it('ends in the user’s own folder', async () => {
    const { root, load } = await folder({
      'home/.config/jairouter/jairouter.config.yaml': port(5001),
      'xdg/jairouter/.jairouterrc': port(5002),
      'work/x.txt': '',
    });
    expect((await load({ cwd: 'work' }))?.config.server.port).toBe(5001);
    const env = { XDG_CONFIG_HOME: join(root, 'xdg') };
    expect((await load({ cwd: 'work', env }))?.config.server.port).toBe(5002);
  });

  it('finds nothing where there is nothing', async () => {
    const { load } = await folder({ 'package.json': '{ "name": "x" }' });
    expect(await load()).toBeUndefined();
  });

  it('is not made when a file is named', async () => {
    const { root, load } = await folder({
      'jairouter.config.yaml': port(5001),
      'other.yml': port(5002),
    });
    const loaded = await load({ file: 'other.yml' });
    expect(loaded).toMatchObject({ file: join(root, 'other.yml') });
    expect(loaded?.config.server.port).toBe(5002);
  });

  it.each(['', '\n', '# only a comment\n', '---\n'])(
    'takes a file with %j for a config that says nothing',
    async (text) => {
      const { load } = await folder({ 'jairouter.config.yaml': text });
      expect((await load())?.config.server).toMatchObject({ host: '127.0.0.1', port: 4747 });
    },
  );
});

describe('a config in code', () => {
  it('may import from jairouter and from files of its own, which are sources too', async () => {
    const { root, load } = await folder({
      'jairouter.config.ts': `
        import { defineConfig } from 'jairouter';
        import { instances } from './lib/instances.ts';
        export default defineConfig({ instances });
      `,
      'lib/instances.ts': `
        import url from './url.json' with { type: 'json' };
        export const instances = { a: { adapter: 'vllm', baseUrl: url.a } };
      `,
      'lib/url.json': '{ "a": "http://127.0.0.1:8000" }',
    });
    const loaded = await load();
    expect(loaded?.config.instances['a']?.baseUrl).toBe('http://127.0.0.1:8000');
    expect(loaded?.sources.toSorted()).toEqual(
      ['.env', 'jairouter.config.ts', 'lib/instances.ts', 'lib/url.json'].map((name) =>
        join(root, name),
      ),
    );
  });

  it.each(['ts', 'mts', 'js', 'mjs'])(
    'in .%s is read anew each time, with what it imports',
    async (end) => {
      const { load, write } = await folder({
        'package.json': '{ "type": "module" }',
        [`jairouter.config.${end}`]: `import port from './port.mjs';\nexport default { server: { port } };`,
        'port.mjs': 'export default 5001;',
      });
      expect((await load())?.config.server.port).toBe(5001);
      await write('port.mjs', 'export default 5002;');
      expect((await load())?.config.server.port).toBe(5002);
      await write(`jairouter.config.${end}`, 'export default { server: { port: 5003 } };');
      expect((await load())?.config.server.port).toBe(5003);
    },
  );

  it('may await, and has variables in its texts', async () => {
    const { load } = await folder({
      'jairouter.config.mjs':
        "const port = await Promise.resolve('${PORT}');\nexport default { server: { port } };",
    });
    expect((await load({ env: { PORT: '5001' } }))?.config.server.port).toBe(5001);
  });
});

describe('variables', () => {
  it('come from an .env beside the config, below the environment', async () => {
    const { root, load } = await folder({
      'conf/jairouter.config.yaml': 'server: { host: "${H}", port: "${P}" }\n',
      'conf/.env': 'H=127.0.0.2\nP=5001 # from the file\n',
      '.env': 'H=127.0.0.3\n',
    });
    const file = 'conf/jairouter.config.yaml';
    const loaded = await load({ file, env: { P: '5002' } });
    expect(loaded?.config.server).toMatchObject({ host: '127.0.0.2', port: 5002 });
    expect(loaded?.sources).toContain(join(root, 'conf/.env'));
  });

  it('may stand for numbers, yes and no, durations and sizes', async () => {
    const { load } = await folder({
      'jairouter.config.yaml': `
server: { maxBodySize: "\${SIZE}" }
defaults: { timeouts: { idle: "\${IDLE}" }, retry: { attempts: "\${N}" } }
instances:
  a: { adapter: openai, enabled: "\${ON}", weight: "\${W:-2.5}" }
`,
    });
    const loaded = await load({ env: { SIZE: '1mb', IDLE: '90s', N: '7', ON: 'false' } });
    expect(loaded?.config).toMatchObject({
      server: { maxBodySize: 1_000_000 },
      defaults: { timeouts: { idle: 90_000 }, retry: { attempts: 7 } },
      instances: { a: { enabled: false, weight: 2.5 } },
    });
  });

  it('that are unset turn their instance off, with a warning; the rest stands', async () => {
    const { load } = await folder({
      'jairouter.config.yaml': `instances:
  gpu:
    adapter: vllm
    baseUrl: \${GPU_URL}
    apiKey: \${GPU_KEY}
    models: [a, "\${GPU_MODEL}"]
    headers: { x-team: "\${TEAM}", x-other: o }
  any: { adapter: "\${KIND}" }
  cloud: { adapter: openai }
`,
    });
    const loaded = await load();
    expect([...loaded!.unset]).toEqual([
      ['any', 'KIND'],
      ['gpu', 'GPU_URL'],
    ]);
    expect(Object.keys(loaded!.config.instances)).toEqual(['gpu', 'any', 'cloud']);
    expect(loaded?.config.instances['gpu']).toEqual({
      adapter: 'vllm',
      enabled: true,
      weight: 1,
      priority: 0,
      headers: { 'x-other': 'o' },
    });
    expect(loaded?.warnings).toEqual([
      'jairouter.config.yaml:4:14: the environment variable GPU_URL is not set, or empty, so the instance `gpu` is off (misconfigured)',
      'jairouter.config.yaml:5:13: the environment variable GPU_KEY is not set, or empty, so the instance `gpu` is off (misconfigured)',
      'jairouter.config.yaml:6:17: the environment variable GPU_MODEL is not set, or empty, so the instance `gpu` is off (misconfigured)',
      'jairouter.config.yaml:7:24: the environment variable TEAM is not set, or empty, so the instance `gpu` is off (misconfigured)',
      'jairouter.config.yaml:8:19: the environment variable KIND is not set, or empty, so the instance `any` is off (misconfigured)',
    ]);
  });

  it('that only a disabled instance names are not missed', async () => {
    const { load } = await folder({
      'jairouter.config.yaml':
        'instances: { a: { adapter: openai, enabled: "${ON:-false}", apiKey: "${KEY}" } }\n',
    });
    expect((await load())?.warnings).toEqual([]);
    expect((await load({ env: { ON: 'true' } }))?.warnings).toHaveLength(1);
  });

  it('are read from an .env as Windows writes it', async () => {
    const { load } = await folder({
      'jairouter.config.yaml': 'server: { port: "${A}", host: "${B}" }\n',
      '.env': '\uFEFFA=5001\r\nB=127.0.0.2\r\n',
    });
    expect((await load())?.config.server).toMatchObject({ port: 5001, host: '127.0.0.2' });
  });

  it('that are set to nothing are not set', async () => {
    const { load } = await folder({
      'jairouter.config.yaml': 'instances: { a: { adapter: openai, apiKey: "${KEY}" } }\n',
      '.env': 'KEY=\n',
    });
    expect([...(await load())!.unset]).toEqual([['a', 'KEY']]);
  });
});

describe('a certificate', () => {
  it('is a path from the config’s folder, and a source', async () => {
    const { root, load } = await folder({
      'conf/jairouter.config.yaml':
        'instances: { a: { adapter: openai, tls: { ca: ./ca.pem } } }\n',
      'conf/ca.pem': await readFile(new URL('../fixtures/tls/ca.pem', import.meta.url), 'utf8'),
    });
    const loaded = await load({ file: 'conf/jairouter.config.yaml' });
    expect(loaded?.config.instances['a']?.tls).toEqual({
      ca: join(root, 'conf/ca.pem'),
      rejectUnauthorized: true,
    });
    expect(loaded?.sources).toContain(join(root, 'conf/ca.pem'));
  });
});

describe('a warning', () => {
  it('names models that nothing can have', async () => {
    const { load } = await folder({
      'jairouter.config.yaml': `services:
  chat: { defaultModel: nope }
  rerank: { defaultModel: alias }
instances:
  a: { adapter: openai, models: ["gpt-*", "x.y"] }
models:
  alias:
    targets: [a/gpt-5]
    fallback: [gpt-5-mini, alias, xzy, x.y, a/whatever]
`,
    });
    expect((await load())?.warnings).toEqual([
      'jairouter.config.yaml:2:25: no instance has the model `nope`',
      'jairouter.config.yaml:9:28: `alias` falls back to itself',
      'jairouter.config.yaml:9:35: no instance has the model `xzy`',
    ]);
  });

  it('is not made where an instance is yet to be asked for its models', async () => {
    const { load } = await folder({
      'jairouter.config.yaml': `instances: { a: { adapter: openai } }
models: { alias: { targets: [a/x], fallback: [anything] } }
`,
    });
    expect((await load())?.warnings).toEqual([]);
  });

  it.each([
    ['http://127.0.0.1:4747/v1', '', true],
    ['http://localhost:4747', '{ port: 4747 }', true],
    ['http://[::1]:5000', '{ port: 5000 }', true],
    ['http://127.0.0.1:4747', '{ port: 5000 }', false],
    ['http://10.0.0.5:4747', '', false],
  ])('is made where an instance is the server itself: %s %s', async (baseUrl, server, expected) => {
    const { load } = await folder({
      'jairouter.config.yaml': `server: ${server || '{}'}
instances: { me: { adapter: openai, baseUrl: '${baseUrl}' } }
`,
    });
    expect((await load())?.warnings).toEqual(
      expected
        ? [
            'jairouter.config.yaml:2:46: `instances.me.baseUrl` is where this server itself listens: it would call itself',
          ]
        : [],
    );
  });
});
