import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCli, startCli } from '../support/cli.ts';
import { deadPort } from '../support/fake-backend.ts';
import { ADMIN_TOKEN, oneInstance, startGateway } from '../support/gateway.ts';
import { startManaged, stateOf } from '../support/managed.ts';
import { tempDir } from '../support/temp-dir.ts';
import { chooseAgain } from '../../src/commands/find-server.ts';
import { writeState } from '../../src/commands/state-file.ts';

const BIN = fileURLToPath(new URL('../../bin/jairouter.js', import.meta.url));
const oneLine = /^jairouter: .*\n$/;

describe('the running server', () => {
  test('is found by the same account, without a word', async () => {
    const { run } = await startManaged({});
    const { code, stderr, stdout } = await run('explain', 'nope');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('nope is refused with 501');
  });

  test('that is not there ends with 3, and leads on', async () => {
    const cwd = await tempDir();
    const { code, stdout, stderr } = await runCli(['explain', 'm'], { cwd });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(oneLine);
    expect(stderr).toContain('`jairouter serve`');
  });

  test('that has vanished without a word ends with 3', async () => {
    const cwd = await tempDir();
    const url = `http://127.0.0.1:${await deadPort()}`;
    await writeState(stateOf(cwd), {
      url,
      pid: process.pid,
      token: 't',
      startedAt: 0,
      version: '0',
    });
    const { code, stderr } = await runCli(['explain', 'm'], { cwd });
    expect(code).toBe(3);
    expect(stderr).toBe(`jairouter: no jairouter server answers at ${url}: connection refused\n`);
  });

  test('is the same one again after a restart, and never one of several others', () => {
    const state = (port: number, config?: string) => ({
      url: `http://127.0.0.1:${port}`,
      pid: port,
      token: `token-${port}`,
      startedAt: 0,
      version: '0',
      config,
    });
    const one = state(1, '/a.yaml');
    const others = [state(3, '/b.yaml'), state(4)];
    expect(chooseAgain([...others, state(2, '/a.yaml')], one).token).toBe('token-2');
    expect(chooseAgain([state(2, '/a.yaml'), one], one)).toBe(one);
    expect(chooseAgain([...others, state(1)], one).url).toBe(one.url);
    expect(chooseAgain([state(2)], state(5)).token).toBe('token-2');
    expect(() => chooseAgain(others, one)).toThrow('no jairouter server answers at');
    expect(() => chooseAgain(others, state(5))).toThrow('no jairouter server answers at');
  });

  test('may be named, as tools have it too', async () => {
    const { url, port } = await startGateway({ server: { adminToken: 'fixed' } });
    const cwd = await tempDir();
    const ask = (args: readonly string[], env = {}) =>
      runCli(['explain', 'nope', '--json', ...args], { cwd, env });
    expect((await ask(['--url', `${url}/v1`, '--token', 'fixed'])).code).toBe(0);
    const variable = { JAIROUTER_ADMIN_TOKEN: 'fixed' };
    expect((await ask(['--url', `127.0.0.1:${port}`], variable)).code).toBe(0);
    const without = await ask(['--url', url]);
    expect(without.code).toBe(2);
    expect(without.stderr).toMatch(/is not one of yours here: pass its --token/);
    const wrong = await ask(['--url', url, '--token', ADMIN_TOKEN.slice(1)]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/^jairouter: This is not the admin token.*\n$/);
    const other = await ask(['--url', 'http://', '--token', 't']);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/--url must be an address like/);
  });

  test('is told from something else that answers there', async () => {
    const { url } = await startGateway({});
    const { port } = new URL(url);
    const elsewhere = await import('node:http').then(({ createServer }) =>
      createServer((_, response) => response.end('<html>')),
    );
    await new Promise<void>((resolve) => {
      elsewhere.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => void elsewhere.close());
    const { port: foreign } = elsewhere.address() as { port: number };
    expect(foreign).not.toBe(Number(port));
    const { code, stderr } = await runCli(
      ['explain', '--url', `127.0.0.1:${foreign}`, '--token', 't'],
      { cwd: await tempDir() },
    );
    expect(code).toBe(3);
    expect(stderr).toMatch(/is no jairouter server, or an older one/);
  });
});

describe('several servers', () => {
  test('are told apart by the config here, or have to be named', async () => {
    const home = await tempDir();
    const folders = await Promise.all(
      ['one', 'two'].map(async (name) => {
        const folder = join(home, name);
        await mkdir(folder);
        await writeFile(join(folder, 'jairouter.config.json'), '{"server":{"port":0}}');
        const cli = startCli(['serve'], { cwd: folder, env: { HOME: home, USERPROFILE: home } });
        onTestFinished(async () => void (await cli.stop('SIGKILL')));
        const [, url] = await cli.waitFor(/(http:\/\/[^\s/]+:\d+)\/v1/);
        return { folder, url: url!, cli };
      }),
    );
    const ask = (cwd: string, ...args: string[]) =>
      runCli(['explain', 'nope', ...args], { cwd, env: { HOME: home, USERPROFILE: home } });
    const [one, two] = folders;
    expect((await ask(one!.folder)).code).toBe(0);
    const asked = await ask(home);
    expect(asked.code).toBe(2);
    expect(asked.stderr).toMatch(oneLine);
    expect(asked.stderr).toContain('2 servers are running');
    for (const { url, folder } of folders) {
      expect(asked.stderr).toContain(`${url} (${join(folder, 'jairouter.config.json')})`);
    }
    expect((await ask(home, '--url', two!.url)).code).toBe(0);
    // A crash leaves its file behind; that server is no longer among them.
    await one!.cli.stop('SIGKILL');
    expect((await ask(home)).code).toBe(0);
  });

  test.skipIf(spawnSync('script', ['--version']).status !== 0)(
    'are asked for on a terminal',
    async () => {
      const home = await tempDir();
      const one = await startGateway({});
      const two = await startGateway(oneInstance('http://127.0.0.1:9'));
      const states = [
        { url: one.url, pid: process.pid, startedAt: 2 },
        // Any process that lives.
        { url: two.url, pid: process.ppid, startedAt: 1 },
      ];
      for (const state of states) {
        const written = await writeState(stateOf(home), {
          ...state,
          token: ADMIN_TOKEN,
          version: '0',
        });
        onTestFinished(() => written.close());
      }
      // It gives a command a terminal, and what comes in to that.
      const child = spawn(
        'script',
        ['-qec', `"${process.execPath}" "${BIN}" explain nope`, '/dev/null'],
        { cwd: home, env: { ...process.env, HOME: home, NO_COLOR: '1' } },
      );
      let shown = '';
      child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
      child.stdin.write('3\n2\n');
      await once(child, 'close');
      expect(shown).toContain(`1  ${one.url} (no config)`);
      expect(shown).toContain(`2  ${two.url} (no config)`);
      expect(shown).toContain('Answer with a number from 1 to 2.');
      expect(shown).toMatch(/Which server\? \[1\] [\s\S]*nope is refused with 503/);
    },
  );
});
