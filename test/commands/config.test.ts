import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { fakeBackend } from '../support/fake-backend.ts';
import { startManaged, startManagedOnFile, type ManagedOnFile } from '../support/managed.ts';
import { tempDir } from '../support/temp-dir.ts';

async function managed(): Promise<ManagedOnFile> {
  const { url } = await fakeBackend();
  return startManagedOnFile(`# Mine.
instances:
  gpu:
    adapter: openai
    baseUrl: ${url}
    apiKey: sk-secret
    weight: 2
`);
}

describe('config', () => {
  test('shows the file, and is what stands behind no command', async () => {
    const server = await managed();
    const { code, stdout, stderr } = await server.run('config');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const text = await readFile(server.file, 'utf8');
    expect(stdout).toBe(text.replace('sk-secret', '"***"'));
    expect((await server.run('config', 'show')).stdout).toBe(stdout);
    const effective = (await server.run('config', 'show', '--effective')).stdout;
    expect(JSON.parse(effective)).toMatchObject({
      instances: { gpu: { apiKey: '***', weight: 2 } },
    });
    expect(await server.json('config', 'show')).toMatchObject({
      file: server.file,
      editable: true,
    });
  });

  test('tells its history, what changed, and goes back', async () => {
    const server = await managed();
    const first = await readFile(server.file, 'utf8');
    expect((await server.run('config', 'diff')).stderr).toMatch(/version 1 is the only one/);
    expect((await server.run('instances', 'weight', 'gpu', '5')).stdout).toMatch(
      /● {2}gpu .* 5 {2}1$/m,
    );
    const history = (await server.run('config', 'history')).stdout;
    expect(history).toMatch(
      /^ {3}version {2}applied +by +changes\n→ +2 {2}\d\d:\d\d:\d\d {2}\/admin +instances\.gpu\.weight: 2 -> 5\n +1 {2}\d\d:\d\d:\d\d {2}start\n$/,
    );
    const diff = (await server.run('config', 'diff')).stdout;
    expect(diff).toContain('--- version 1\n+++ version 2\n');
    expect(diff).toContain('\n-    weight: 2\n+    weight: 5\n');
    expect(diff).not.toContain('sk-secret');
    expect((await server.run('config', 'diff', '2', '1')).stdout).toContain('-    weight: 5\n');
    expect(await server.json('config', 'diff', '1')).toMatchObject({ from: 1, to: 2 });
    expect((await server.run('config', 'diff', '2')).stdout).toMatch(/are the same\n$/);
    const back = await server.run('config', 'rollback', '1');
    expect(back).toMatchObject({
      code: 0,
      stdout: 'version 3 is applied:\n  instances.gpu.weight: 5 -> 2\n',
    });
    expect(await readFile(server.file, 'utf8')).toBe(first);
    const missing = await server.run('config', 'rollback', '9');
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toBe(
      'jairouter: The config was not changed: the history has no version 9.\n',
    );
  });

  test('is read again by order, and a mistake is told with its place', async () => {
    const server = await managed();
    expect((await server.run('config', 'reload')).stdout).toBe('nothing has changed\n');
    await writeFile(server.file, 'instances: { gpu: { adaptor: openai } }\n');
    const { code, stdout, stderr } = await server.run('config', 'reload');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^jairouter: The config is not valid:\n[\s\S]*jairouter\.config\.yaml:1:21: unknown option `adaptor`/,
    );
  });

  test('that is not there is said to be none', async () => {
    const server = await startManaged({});
    expect(JSON.parse((await server.run('config')).stdout)).toMatchObject({ instances: {} });
    expect((await server.run('config', 'history')).stdout).toMatch(/^no history: /);
    const { code, stderr } = await server.run('config', 'diff');
    expect({ code, stderr: stderr.trim().split('\n').length }).toEqual({ code: 1, stderr: 1 });
  });
});

describe('config validate', () => {
  test('needs no server', async () => {
    const cwd = await tempDir();
    const validate = (...args: string[]) => runCli(['config', 'validate', ...args], { cwd });
    expect((await validate()).stderr).toMatch(/no config was found here or above/);
    await writeFile(join(cwd, 'jairouter.config.yaml'), 'instances: {}\n');
    expect(await validate()).toMatchObject({
      code: 0,
      stdout: 'jairouter.config.yaml is valid\n',
    });
    await writeFile(join(cwd, 'bad.yaml'), 'server: { prot: 1 }\n');
    const bad = await validate('bad.yaml');
    expect(bad).toMatchObject({ code: 2, stdout: '' });
    expect(bad.stderr).toMatch(/^bad\.yaml:1:11: unknown option `prot`/);
    const json = await validate('bad.yaml', '--json');
    expect({ code: json.code, stderr: json.stderr }).toEqual({ code: 2, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({
      file: 'bad.yaml',
      valid: false,
      problems: [{ file: 'bad.yaml', line: 1, column: 11, path: 'server.prot' }],
    });
  });
});

describe('instances', () => {
  test('are given orders of the moment', async () => {
    const server = await managed();
    const state = async (...args: string[]) =>
      /gpu +openai +(\w+)/.exec((await server.run('instances', ...args)).stdout)?.[1];
    expect(await state('drain', 'gpu', '--wait')).toBe('draining');
    expect(await state('undrain', 'gpu')).toBe('healthy');
    expect(await state('disable', 'gpu')).toBe('disabled');
    expect(await state('enable', 'gpu')).not.toBe('disabled');
  });

  test('are added to the config and taken out of it', async () => {
    const server = await managed();
    const before = await readFile(server.file, 'utf8');
    const { url } = await fakeBackend();
    const options = ['--adapter', 'openai', '--base-url', url, '--api-key', '${BOX_KEY:-k}'];
    const added = await server.run('instances', 'add', 'box', ...options, '--models', 'a,b*');
    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(added.stdout).toMatch(/ box +openai /);
    expect(await readFile(server.file, 'utf8')).toMatch(
      /^ {2}box:\n(?: {4}.*\n)*? {4}apiKey: ["']?\$\{BOX_KEY:-k\}["']?\n/m,
    );
    const twice = await server.run('instances', 'add', 'box', ...options);
    expect(twice).toMatchObject({ code: 1, stdout: '' });
    expect(twice.stderr).toBe(
      'jairouter: The config was not changed: there is an instance `box` already.\n',
    );
    expect((await server.run('instances', 'remove', 'box')).stdout).toBe(
      'box is gone, with version 3 of the config\n',
    );
    expect(await readFile(server.file, 'utf8')).toBe(before);
    expect((await server.run('instances', 'add', 'box')).stderr).toMatch(
      /required option '--adapter/,
    );
  });
});
