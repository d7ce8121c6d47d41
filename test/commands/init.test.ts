import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { ADAPTERS } from '../../src/adapters/index.ts';
import { init, type InitOptions, type Surroundings } from '../../src/commands/init.ts';
import { loadConfig, type LoadedConfig } from '../../src/config/load.ts';
import { fakeServer, KINDS } from '../instances/fingerprints.ts';
import { runCli } from '../support/cli.ts';
import { tempDir } from '../support/temp-dir.ts';

interface Terminal extends Surroundings {
  /** All that was shown so far. */
  readonly shown: () => string;
  /** Waits for a question and answers it; `undefined` closes the input, as Ctrl-D does. */
  readonly reply: (question: RegExp, answer: string | undefined) => Promise<void>;
}

/** A terminal in an empty folder; nothing runs on its machine but what `ports` says. */
async function terminal(
  more: Partial<Surroundings> & { readonly isTTY?: boolean } = {},
): Promise<Terminal> {
  const { isTTY = true, ...rest } = more;
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = Object.assign(new PassThrough(), { isTTY });
  let text = '';
  output.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const env = { NO_COLOR: '1', HOME: '/nonexistent' };
  return {
    cwd: await tempDir(),
    env,
    input,
    output,
    ports: {},
    ...rest,
    shown: () => text,
    async reply(question, answer) {
      await vi.waitFor(() => expect(text).toMatch(question), { timeout: 5000, interval: 5 });
      if (answer === undefined) input.end();
      else input.write(`${answer}\n`);
    },
  };
}

/** Runs it as with `--yes`, where nothing is a terminal. */
async function unasked(
  more: Partial<Surroundings> = {},
  options: Partial<InitOptions> = {},
): Promise<Terminal> {
  const around = await terminal({ isTTY: false, ...more });
  await init({ yes: true, format: 'yaml', ...options }, around);
  return around;
}

async function load(cwd: string, env: NodeJS.ProcessEnv = {}): Promise<LoadedConfig> {
  return (await loadConfig({ cwd, env: { HOME: cwd, ...env }, adapters: ADAPTERS }))!;
}

describe('init --yes', () => {
  test.each(['yaml', 'json', 'ts'] as const)(
    'writes a config of all that it found, which loads: %s',
    async (format) => {
      const ollama = await fakeServer(KINDS.ollama);
      const studio = await fakeServer(KINDS.lmstudio);
      const around = await unasked(
        {
          ports: { ollama: [ollama], lmstudio: [studio] },
          env: { OPENAI_API_KEY: 'sk-secret' },
        },
        { format },
      );
      expect(await readdir(around.cwd)).toEqual([`jairouter.config.${format}`]);
      const { config, warnings } = await load(around.cwd, { OPENAI_API_KEY: 'sk-secret' });
      expect(warnings).toEqual([]);
      expect(config.server.port).toBe(4747);
      expect(config.instances).toMatchObject({
        ollama: { adapter: 'ollama', baseUrl: `http://127.0.0.1:${ollama}` },
        lmstudio: { adapter: 'lmstudio', baseUrl: `http://127.0.0.1:${studio}` },
        openai: { adapter: 'openai', baseUrl: 'https://api.openai.com', apiKey: 'sk-secret' },
      });
      expect(Object.keys(config.instances)).toHaveLength(3);
    },
  );

  test('tells what it found and how to go on', async () => {
    const port = await fakeServer(KINDS.ollama);
    const { shown } = await unasked({ ports: { ollama: [port] } });
    expect(shown()).toContain(`ollama  http://127.0.0.1:${port}`);
    expect(shown()).toContain('2 models: llama3.2:latest, nomic-embed-text:latest');
    expect(shown()).toContain('jairouter.config.yaml is written');
    expect(shown()).toMatch(/Next: {2}jairouter serve\n.*http:\/\/127\.0\.0\.1:4747\/v1/);
  });

  test('writes no secret, only the name of its variable', async () => {
    const { cwd, shown } = await unasked({ env: { OPENAI_API_KEY: 'sk-secret' } });
    const text = await readFile(join(cwd, 'jairouter.config.yaml'), 'utf8');
    expect(text).toContain('"${OPENAI_API_KEY}"');
    expect(text + shown()).not.toContain('sk-secret');
  });

  test('includes what wants a key, and says where to put it', async () => {
    const unauthorized = { status: 401, body: { error: 'Unauthorized' } };
    const port = await fakeServer({ ...KINDS.vllm, '/v1/models': unauthorized });
    const { cwd, shown } = await unasked({ ports: { vllm: [port] } });
    expect(shown()).toContain('vllm wants a key: set VLLM_API_KEY, or put it into .env.');
    expect((await load(cwd)).unset).toEqual(new Map([['vllm', 'VLLM_API_KEY']]));
    const { config } = await load(cwd, { VLLM_API_KEY: 'key' });
    expect(config.instances['vllm']).toMatchObject({ apiKey: 'key' });
  });

  test('uses the key that is set, and says when it is refused', async () => {
    const unauthorized = { status: 401, body: { error: 'Unauthorized' } };
    const locked = { ...KINDS.vllm, '/v1/models': unauthorized };
    const port = await fakeServer(locked, { 'Bearer right': KINDS.vllm });
    const ports = { vllm: [port] };
    const { shown } = await unasked({ ports, env: { VLLM_API_KEY: 'right' } });
    expect(shown()).toContain('2 models: Qwen/Qwen3-8B, sql-lora; key from VLLM_API_KEY');
    expect(shown()).not.toContain('wants a key');
    const refused = await unasked({ ports, env: { VLLM_API_KEY: 'wrong' } });
    expect(refused.shown()).toContain('vllm refuses the key in VLLM_API_KEY: set the right one.');
    expect(refused.shown()).not.toContain('wrong');
  });

  test.each(['yaml', 'json', 'ts'] as const)(
    'writes an example when nothing is found, and says so: %s',
    async (format) => {
      const { cwd, shown } = await unasked({}, { format });
      expect(shown()).toContain('Nothing was found.');
      expect(shown()).toContain('it has an example');
      const { config } = await load(cwd);
      expect(config.instances).toMatchObject({ laptop: { adapter: 'ollama' } });
    },
  );

  test('writes over nothing', async () => {
    const around = await terminal();
    const file = join(around.cwd, 'jairouter.config.yaml');
    await writeFile(file, 'mine');
    const again = init({ yes: true, format: 'yaml' }, around);
    await expect(again).rejects.toThrow('jairouter.config.yaml is here already; --force writes');
    expect(await readFile(file, 'utf8')).toBe('mine');
    await init({ yes: true, format: 'yaml', force: true }, around);
    expect(await readFile(file, 'utf8')).toContain('instances:');
  });

  test.each(['jairouter.config.json', '.jairouterrc'])(
    'writes nothing beside another config: %s',
    async (name) => {
      const around = await terminal();
      await writeFile(join(around.cwd, name), '{}');
      const again = init({ yes: true, format: 'yaml' }, around);
      await expect(again).rejects.toThrow(`${name} is here already`);
      expect(await readdir(around.cwd)).toEqual([name]);
    },
  );

  test('says which config counts when there are two', async () => {
    const around = await terminal();
    await writeFile(join(around.cwd, 'jairouter.config.yaml'), '{}');
    await init({ yes: true, format: 'ts', force: true }, around);
    expect(around.shown()).toContain('jairouter.config.yaml comes before it');
  });

  test('says why a file could not be written', async () => {
    const around = await terminal({ cwd: join(await tempDir(), 'gone') });
    const failed = init({ yes: true, format: 'yaml' }, around);
    await expect(failed).rejects.toThrow(/^jairouter\.config\.yaml could not be written: ENOENT/);
  });
});

describe('init on a terminal', () => {
  async function withTwo(): Promise<Terminal & { readonly ollama: number; readonly vllm: number }> {
    const ollama = await fakeServer(KINDS.ollama);
    const vllm = await fakeServer(KINDS.vllm);
    const around = await terminal({ ports: { ollama: [ollama], vllm: [vllm] } });
    return Object.assign(around, { ollama, vllm });
  }

  test('asks what to include, for the port and for the file', async () => {
    const around = await withTwo();
    const done = init({ format: 'yaml' }, around);
    await around.reply(/Which to include.* \[all\] /, '2');
    await around.reply(/Port to serve on \[4747\] /, '5000');
    await around.reply(/File to write \[jairouter\.config\.yaml\] /, 'jairouter.config.json');
    await done;
    expect(await readdir(around.cwd)).toEqual(['jairouter.config.json']);
    const { config } = await load(around.cwd);
    expect(config.server.port).toBe(5000);
    expect(Object.keys(config.instances)).toEqual(['vllm']);
    expect(around.shown()).toContain('http://127.0.0.1:5000/v1');
  });

  test('takes Enter for what it proposes', async () => {
    const around = await withTwo();
    const done = init({ format: 'ts' }, around);
    await around.reply(/include/, '');
    await around.reply(/Port/, '');
    await around.reply(/File/, '');
    await done;
    const { config, file } = await load(around.cwd);
    expect(file).toBe(join(around.cwd, 'jairouter.config.ts'));
    expect(Object.keys(config.instances)).toEqual(['ollama', 'vllm']);
  });

  test('takes answers that come before their questions', async () => {
    const around = await withTwo();
    const done = init({ format: 'yaml' }, around);
    await around.reply(/include/, '1\n6000\n');
    await done;
    expect((await load(around.cwd)).config.server.port).toBe(6000);
  });

  test('asks again until the answer will do', async () => {
    const around = await withTwo();
    await writeFile(join(around.cwd, 'taken.json'), '{}');
    const done = init({ format: 'yaml' }, around);
    await around.reply(/include/, '3');
    await around.reply(/numbers from 1 to 2\.[\s\S]*include/, 'none');
    await around.reply(/Port/, 'eighty');
    await around.reply(/from 1 to 65535\.[\s\S]*Port/, '80');
    await around.reply(/File/, 'config.toml');
    await around.reply(/ends in[\s\S]*File/, 'taken.json');
    await around.reply(/taken\.json is here already[\s\S]*File/, 'mine.yml');
    await done;
    expect(await readFile(join(around.cwd, 'taken.json'), 'utf8')).toBe('{}');
    expect(around.shown()).toContain('jairouter serve -c mine.yml');
    expect(around.shown()).toContain('No backend was included');
  });

  test('writes nothing when it is left', async () => {
    const around = await withTwo();
    const done = init({ format: 'yaml' }, around);
    await around.reply(/include/, undefined);
    await expect(done).rejects.toThrow('cancelled; nothing was written');
    expect(await readdir(around.cwd)).toEqual([]);
  });

  test('shows how far it is with looking', async () => {
    const around = await withTwo();
    const done = init({ format: 'yaml' }, around);
    await around.reply(/include/, undefined);
    await expect(done).rejects.toThrow('cancelled');
    expect(around.shown()).toContain('1 of 2 ports');
  });
});

describe('jairouter init', () => {
  test('asks for --yes where it can’t ask', async () => {
    const cwd = await tempDir();
    const { code, stdout, stderr } = await runCli(['init'], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^jairouter: .*--yes/);
    expect(await readdir(cwd)).toEqual([]);
  });

  test('runs as a command, and fails as one', async () => {
    const cwd = await tempDir();
    const first = await runCli(['init', '--yes', '--format', 'json'], { cwd });
    expect(first.code).toBe(0);
    expect(first.stdout).toContain('jairouter.config.json is written');
    const second = await runCli(['init', '--yes'], { cwd });
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/^jairouter: jairouter\.config\.json is here already; --force/);
  });
});
