import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { runCli, startCli, type CliResult } from '../support/cli.ts';
import { fakeBackend, json } from '../support/fake-backend.ts';
import { tempDir } from '../support/temp-dir.ts';

const LITELLM = stringify({
  model_list: [
    {
      model_name: 'chat',
      litellm_params: { model: 'openai/m', api_base: 'http://127.0.0.1:9', api_key: 'none' },
    },
  ],
  litellm_settings: { cache: true },
});
const JAIROUTER = stringify({
  model: {
    adapter: 'vllm',
    services: { chat: { instances: [{ name: 'm', 'base-url': 'http://127.0.0.1:9' }] } },
  },
});

async function folder(text = LITELLM): Promise<string> {
  const cwd = await tempDir();
  await writeFile(join(cwd, 'other.yaml'), text);
  return cwd;
}

function run(cwd: string, ...args: string[]): Promise<CliResult> {
  return runCli(['import', 'other.yaml', ...args], { cwd });
}

describe('import', () => {
  test('writes a config, and says what became of what', async () => {
    const cwd = await folder();
    const { code, stdout, stderr } = await run(cwd);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain("LiteLLM's other.yaml, carried over:\n");
    expect(stdout).toContain('  instance  openai (openai at http://127.0.0.1:9), 1 model\n');
    expect(stdout).toContain('  model     chat → openai/m\n');
    expect(stdout).toContain('  litellm_settings.cache: answers are not cached\n');
    expect(stdout).toMatch(
      /✓ jairouter\.config\.yaml is written\.\n[\s\S]*Next: {2}jairouter check\n/,
    );
    const text = await readFile(join(cwd, 'jairouter.config.yaml'), 'utf8');
    expect(text).toMatch(/^# yaml-language-server: \$schema=/);
    expect(text).toContain('# - litellm_settings.cache: answers are not cached\n');
  });

  test.each(['yaml', 'json', 'ts'])('writes what serve serves: %s', async (format) => {
    const backend = await fakeBackend((_, response) => json(response, 200, { ok: true }));
    const cwd = await folder(LITELLM.replace('http://127.0.0.1:9', backend.url));
    expect((await run(cwd, '--format', format)).code).toBe(0);
    const cli = startCli(['serve', '-p', '0'], { cwd });
    onTestFinished(async () => void (await cli.stop('SIGKILL')));
    const [, url] = await cli.waitFor(/(http:\/\/[^\s/]+:\d+)\/v1/);
    await cli.waitFor(/● openai/);
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'chat' }),
      headers: { 'content-type': 'application/json' },
    });
    expect(await answer.json()).toEqual({ ok: true });
  });

  test('writes over nothing unasked', async () => {
    const cwd = await folder();
    await writeFile(join(cwd, 'jairouter.config.json'), '{}');
    const refused = await run(cwd);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /^jairouter: jairouter\.config\.json is here already; --force .*\n$/,
    );
    await writeFile(join(cwd, 'mine.yaml'), 'mine');
    expect((await run(cwd, '-o', 'mine.yaml')).stderr).toContain('mine.yaml is here already');
    expect(await readFile(join(cwd, 'mine.yaml'), 'utf8')).toBe('mine');
    const forced = await run(cwd, '-o', 'mine.yaml', '--force');
    expect(forced.code).toBe(0);
    // Nobody looks for a config of that name: the other one is not in its way.
    expect(forced.stdout).not.toContain('comes before it');
    expect(await readFile(join(cwd, 'mine.yaml'), 'utf8')).toContain('instances:');
  });

  test('writes to standard output alone, when it is told to', async () => {
    const cwd = await folder();
    const { code, stdout, stderr } = await run(cwd, '-o', '-', '--format', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty('instances.openai');
    expect(stderr).toContain('carried over');
    expect(await readdir(cwd)).toEqual(['other.yaml']);
  });

  test('reads standard input', async () => {
    const cwd = await tempDir();
    const { stdout } = await runCli(['import', '-'], { cwd, stdin: JAIROUTER });
    expect(stdout).toContain("JAiRouter's standard input, carried over:");
    expect(await readdir(cwd)).toEqual(['jairouter.config.yaml']);
  });

  test('says it as JSON', async () => {
    const { stdout } = await run(await folder(), '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      from: 'LiteLLM',
      file: expect.stringContaining('jairouter.config.yaml') as string,
      instances: ['openai'],
      models: ['chat'],
      left: [{ what: 'litellm_settings.cache', why: 'answers are not cached' }, { what: '--port' }],
      problems: [],
    });
  });

  test('names the variables that are to be set, and keys in plain text', async () => {
    const text = stringify({
      model_list: [
        { model_name: 'a', litellm_params: { model: 'openai/a', api_key: 'sk-plain' } },
        { model_name: 'b', litellm_params: { model: 'openai/b', api_key: 'os.environ/B_KEY' } },
      ],
    });
    const cwd = await folder(text);
    const { stdout } = await run(cwd);
    expect(stdout).toContain('It has the key of openai in plain text');
    expect(stdout).toMatch(
      /! jairouter\.config\.yaml:\d+:\d+: the environment variable B_KEY is not set/,
    );
    expect(stdout).not.toContain('sk-plain');
    const { mode } = await stat(join(cwd, 'jairouter.config.yaml'));
    if (process.platform !== 'win32') expect(mode & 0o077).toBe(0);
  });

  test.each([
    [['gone.yaml'], /^gone\.yaml: no such file\n$/],
    [['other.yaml', '-o', 'x.txt'], /^jairouter: --output must end in \.yaml, \.json or \.ts/],
    [
      ['other.yaml', '-o', 'x.ts', '--format', 'json'],
      /^jairouter: --output x\.ts and --format json/,
    ],
    [['other.yaml', 'more'], /^jairouter: too many arguments for 'import'/],
    [[], /^jairouter: missing required argument 'file'\n$/],
  ])('refuses %j in one line', async (args, message) => {
    const { code, stdout, stderr } = await runCli(['import', ...args], { cwd: await folder() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  test('is what init --from does', async () => {
    const cwd = await folder(JAIROUTER);
    const { code, stdout } = await runCli(['init', '--from', 'other.yaml'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain("JAiRouter's other.yaml, carried over:");
    expect(await readFile(join(cwd, 'jairouter.config.yaml'), 'utf8')).toContain('adapter: vllm');
  });
});
