import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCli, startCli, type CliResult } from '../support/cli.ts';
import { fakeBackend, json } from '../support/fake-backend.ts';
import { tempDir } from '../support/temp-dir.ts';

interface Place {
  readonly cwd: string;
  readonly url: string;
  readonly run: (...args: string[]) => Promise<CliResult>;
}

/** A running server over one backend, in a home folder of its own. */
async function serving(server: object = {}): Promise<Place> {
  const backend = await fakeBackend(
    (_, response) =>
      json(response, 200, { choices: [{ message: { role: 'assistant', content: 'Hello!' } }] }),
    { models: ['llama3', 'qwen3-coder:30b', 'text-embedding-3'] },
  );
  const cwd = await tempDir();
  const config = { server, instances: { a: { adapter: 'openai', baseUrl: backend.url } } };
  await writeFile(join(cwd, 'jairouter.config.json'), JSON.stringify(config));
  const cli = startCli(['serve', '-p', '0'], { cwd });
  onTestFinished(async () => void (await cli.stop('SIGKILL')));
  const [, url] = await cli.waitFor(/(http:\/\/[^\s/]+:\d+)\/v1/);
  await cli.waitFor(/● a /);
  return { cwd, url: url!, run: (...args) => runCli(['connect', ...args], { cwd }) };
}

describe('connect', () => {
  test('lists what it knows', async () => {
    const { code, stdout } = await runCli(['connect'], { cwd: await tempDir() });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}claude-code {4}Claude Code\n/);
    expect(stdout).toMatch(/\n {2}curl +curl \(no --write\)\n/);
  });

  test('tells what to set, for the server that runs, with a model of its own', async () => {
    const { url, run } = await serving();
    const { code, stdout, stderr } = await run('claude-code');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Claude Code → ${url} with qwen3-coder:30b (of 2; --model chooses`);
    expect(stdout).toContain(`ANTHROPIC_BASE_URL=${url}\n`);
    expect(stdout).toContain('In ~/.claude/settings.json:\n  {\n    "env": {\n');
    expect(stdout).toMatch(/To test it:\n {2}claude -p "Say hello\."\n$/);
    const chosen = await run('codex', '--model', 'llama3', '--small-model', 'qwen3-coder:30b');
    expect(chosen.stdout).toContain('with llama3, qwen3-coder:30b for side work');
  });

  test.skipIf(process.platform === 'win32')('tells a call that works', async () => {
    const { run } = await serving();
    const { stdout } = await run('curl');
    const [, call] = /\n {2}(curl [\s\S]*?)\n\n/.exec(stdout)!;
    const { stdout: answer } = await promisify(execFile)('sh', ['-c', `${call!} -s`]);
    expect(JSON.parse(answer)).toMatchObject({ choices: [{ message: { content: 'Hello!' } }] });
  });

  test('sets it and takes it back, byte for byte', async () => {
    const { cwd, url, run } = await serving();
    const file = join(cwd, '.codex', 'config.toml');
    const before = '# mine\r\nmodel = "gpt-5" \r\n\r\n[tools]\r\nweb = true';
    await mkdir(join(cwd, '.codex'));
    await writeFile(file, before);

    const done = await run('codex', '--write');
    expect(done.code).toBe(0);
    expect(done.stdout).toContain('✓ ~/.codex/config.toml is written.\n');
    expect(done.stdout).toContain('~/.codex/config.toml.before-jairouter is what it was');
    const text = await readFile(file, 'utf8');
    expect(text.replaceAll('\r\n', '')).not.toContain('\n');
    expect(text).toMatch(/^# mine\r\nmodel = "qwen3-coder:30b" \r\n/);
    expect(parseToml(text)).toMatchObject({
      model_providers: { jairouter: { base_url: `${url}/v1`, wire_api: 'responses' } },
      tools: { web: true },
    });

    expect((await run('codex', '--write')).stdout).toContain('says so already.');
    await run('codex', '--write', '--model', 'llama3');
    expect((await run('codex', '--undo')).stdout).toBe(
      '✓ ~/.codex/config.toml is as it was before.\n',
    );
    expect(await readFile(file, 'utf8')).toBe(before);

    const again = await run('codex', '--undo');
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('there is nothing to undo');
  });

  test('takes a new config away, but no change of somebody else’s', async () => {
    const { cwd, run } = await serving();
    const file = join(cwd, '.config', 'opencode', 'opencode.json');
    await run('opencode', '--write');
    await writeFile(file, `${await readFile(file, 'utf8')}// and more\n`);
    const { code, stderr } = await run('opencode', '--undo');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^jairouter: .*opencode\.json was changed since .*--force/);
    expect((await run('opencode', '--undo', '--force')).code).toBe(0);
    expect(existsSync(join(cwd, '.config', 'opencode'))).toBe(false);
  });

  test('changes nothing that it can’t read', async () => {
    const { cwd, run } = await serving();
    const file = join(cwd, '.claude', 'settings.json');
    await mkdir(join(cwd, '.claude'));
    await writeFile(file, '{ broken');
    const { code, stderr } = await run('claude-code', '--write');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /~\/\.claude\/settings\.json can't be changed: it is no valid JSON \(line 1\)/,
    );
    expect(await readFile(file, 'utf8')).toBe('{ broken');
    // What the file system has against it is told in one line too.
    await writeFile(join(cwd, '.codex'), '');
    const refused = await run('codex', '--write');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^jairouter: ~\/\.codex\/config\.toml: E[A-Z]+.*\n$/);
  });

  test('keeps a byte order mark', async () => {
    const { cwd, run } = await serving();
    const file = join(cwd, '.claude', 'settings.json');
    await mkdir(join(cwd, '.claude'));
    await writeFile(file, '\uFEFF{ "theme": "dark" }');
    expect((await run('claude-code', '--write')).code).toBe(0);
    expect(await readFile(file, 'utf8')).toMatch(/^\uFEFF\{ ?\s*"theme": "dark",/);
    expect((await run('claude-code', '--undo')).code).toBe(0);
    expect(await readFile(file, 'utf8')).toBe('\uFEFF{ "theme": "dark" }');
  });

  test('takes a key from the server’s config, and shows it to nobody', async () => {
    const { cwd, run } = await serving({
      apiKeys: [
        { name: 'narrow', key: 'sk-narrow', models: ['x'] },
        { name: 'me', key: 'sk-secret' },
      ],
    });
    const { stdout } = await run('aider');
    expect(stdout).toContain('openai-api-key: YOUR_KEY\n');
    expect(stdout).toContain('YOUR_KEY is the key `me` of server.apiKeys');
    const done = await run('aider', '--write');
    expect(stdout + done.stdout).not.toContain('sk-secret');
    expect(await readFile(join(cwd, '.aider.conf.yml'), 'utf8')).toContain('sk-secret');
    const given = await run('openai-node', '--key', 'sk-secret');
    expect(given.stdout).toContain("apiKey: 'sk-secret'");
    const wrong = await run('openai-node', '--key', 'sk-wrong');
    expect(wrong.stderr).toContain('pass one of server.apiKeys with --key');
  });

  test('says it as JSON', async () => {
    const { url, run } = await serving();
    const { stdout } = await run('codex', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      tool: 'codex',
      title: 'Codex',
      url,
      key: 'unused',
      model: 'qwen3-coder:30b',
      models: ['qwen3-coder:30b', 'llama3'],
      file: expect.stringContaining('config.toml') as string,
      changes: expect.arrayContaining([
        { path: ['model_provider'], value: 'jairouter' },
      ]) as unknown[],
      test: expect.stringContaining('codex exec') as string,
    });
    const written = await run('codex', '--write', '--json');
    expect(JSON.parse(written.stdout)).toMatchObject({ written: true, backup: null });
    const undone = await run('codex', '--undo', '--json');
    expect(JSON.parse(undone.stdout)).toMatchObject({ tool: 'codex', undone: 'removed' });
  });

  test('names the models that were meant', async () => {
    const { run } = await serving();
    const { code, stderr } = await run('curl', '--model', 'llama2');
    expect(code).toBe(1);
    expect(stderr).toBe('jairouter: the server lists no model llama2; did you mean llama3?\n');
  });

  test.each([
    [
      ['codex'],
      3,
      'no server is running: start one with `jairouter serve`, or name one with --url',
    ],
    [
      ['codex', '--url', '127.0.0.1:9'],
      3,
      'no jairouter server answers at http://127.0.0.1:9: connection refused',
    ],
    [['codex', '--url', '::'], 2, '--url must be an address'],
    [
      ['codx'],
      2,
      "command-argument value 'codx' is invalid for argument 'tool'. Allowed choices are",
    ],
    [['curl', '--undo'], 1, 'connect has written nothing for curl'],
  ])('refuses %j in one line', async (args, code, message) => {
    const result = await runCli(['connect', ...args], { cwd: await tempDir() });
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(message);
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
  });
});
