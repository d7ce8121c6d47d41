import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  readStates,
  stateFolder,
  writeState,
  type ServerState,
} from '../../src/commands/state-file.ts';
import { startCli } from '../support/cli.ts';
import { tempDir } from '../support/temp-dir.ts';

const state = (pid: number): ServerState => ({
  url: 'http://127.0.0.1:4747',
  pid,
  token: 'secret',
  startedAt: pid,
  version: '1.0.0',
});

/** No process has it: above what Linux and macOS give out, and no multiple of 4 as on Windows. */
const DEAD = 99_999_999;

describe('the state folder', () => {
  test.each<[string, NodeJS.ProcessEnv, NodeJS.Platform, string]>([
    ['the one of XDG', { XDG_STATE_HOME: '/x', HOME: '/h' }, 'linux', '/x/jairouter'],
    ['its default', { HOME: '/h' }, 'linux', '/h/.local/state/jairouter'],
    [
      'not a relative one',
      { XDG_STATE_HOME: 'x', HOME: '/h' },
      'linux',
      '/h/.local/state/jairouter',
    ],
    ['the local one of Windows', { LOCALAPPDATA: '/l', HOME: '/h' }, 'win32', '/l/jairouter/state'],
  ])('is %s', (_, env, platform, expected) => {
    expect(stateFolder(env, platform).replaceAll('\\', '/')).toBe(expected);
  });
});

describe('a state file', () => {
  test('is whole, for the account alone, and taken back', async () => {
    const folder = join(await tempDir(), 'a', 'b');
    const written = await writeState(folder, state(process.pid));
    const servers = join(folder, 'servers');
    expect(await readdir(servers)).toEqual([`${process.pid}.json`]);
    if (process.platform !== 'win32') {
      expect((await stat(servers)).mode & 0o777).toBe(0o700);
      expect((await stat(join(servers, `${process.pid}.json`))).mode & 0o777).toBe(0o600);
    }
    expect(await readStates(folder)).toEqual([state(process.pid)]);
    written.close();
    written.close();
    expect(await readdir(servers)).toEqual([]);
    expect(await readStates(folder)).toEqual([]);
  });

  test('gives its folder and itself the right rights where there were others', async () => {
    const folder = await tempDir();
    const servers = join(folder, 'servers');
    await mkdir(servers, { mode: 0o755 });
    await writeFile(join(servers, `${process.pid}.json.new`), 'half', { mode: 0o644 });
    await writeFile(join(servers, `${process.pid}.json`), 'old', { mode: 0o644 });
    const written = await writeState(folder, state(process.pid));
    onTestFinished(() => written.close());
    expect(await readStates(folder)).toEqual([state(process.pid)]);
    if (process.platform !== 'win32') {
      expect((await stat(servers)).mode & 0o777).toBe(0o700);
      expect((await stat(join(servers, `${process.pid}.json`))).mode & 0o777).toBe(0o600);
    }
  });

  test('of a dead server is swept away, and nothing else', async () => {
    const folder = await tempDir();
    const servers = join(folder, 'servers');
    await mkdir(servers);
    await writeFile(join(servers, `${DEAD}.json`), JSON.stringify(state(DEAD)));
    await writeFile(join(servers, `${DEAD}.json.new`), '{');
    await writeFile(join(servers, 'notes.txt'), 'mine');
    // Alive, but not readable as one.
    await writeFile(join(servers, `${process.ppid}.json`), '{"url":1}');
    expect(await readStates(folder)).toEqual([]);
    expect((await readdir(servers)).toSorted()).toEqual(
      [`${process.ppid}.json`, 'notes.txt'].toSorted(),
    );
  });
});

describe('serve', () => {
  test('leaves word while it runs, and takes it back', async () => {
    const cwd = await tempDir();
    await writeFile(join(cwd, 'jairouter.config.json'), '{}');
    const cli = startCli(['serve', '-p', '0'], { cwd });
    onTestFinished(async () => void (await cli.stop('SIGKILL')));
    const [, url] = await cli.waitFor(/(http:\/\/[^\s/]+:\d+)\/v1/);
    const servers = join(cwd, '.local', 'state', 'jairouter', 'servers');
    const left = JSON.parse(
      await readFile(join(servers, `${cli.pid}.json`), 'utf8'),
    ) as ServerState;
    expect(left).toMatchObject({ url, pid: cli.pid, config: join(cwd, 'jairouter.config.json') });
    const headers = { authorization: `Bearer ${left.token}` };
    expect((await fetch(`${url}/admin/openapi.json`, { headers })).status).toBe(200);
    expect(cli.output()).not.toContain(left.token);
    await cli.stop('SIGTERM');
    // There, a signal is the end at once.
    if (process.platform !== 'win32') expect(await readdir(servers)).toEqual([]);
  });

  test.skipIf(process.platform === 'win32')('takes it back when it is hurried', async () => {
    const cwd = await tempDir();
    await writeFile(join(cwd, 'jairouter.config.json'), '{}');
    const cli = startCli(['serve', '-p', '0'], { cwd });
    await cli.waitFor(/no instances/);
    void cli.stop('SIGINT');
    await cli.stop('SIGINT');
    const servers = join(cwd, '.local', 'state', 'jairouter', 'servers');
    expect(await readdir(servers)).toEqual([]);
  });

  test('serves all the same where it can’t leave word', async () => {
    const cwd = await tempDir();
    await writeFile(join(cwd, 'jairouter.config.json'), '{}');
    await writeFile(join(cwd, 'file'), '');
    const cli = startCli(['serve', '-p', '0'], { cwd, env: { XDG_STATE_HOME: join(cwd, 'file') } });
    onTestFinished(async () => void (await cli.stop('SIGKILL')));
    await cli.waitFor(/can't be written .* --token/);
    const [, url] = await cli.waitFor(/(http:\/\/[^\s/]+:\d+)\/v1/);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });
});
