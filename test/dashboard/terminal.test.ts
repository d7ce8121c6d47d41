import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { widthOf } from '../../src/dashboard/text.ts';
import { chatChunk, fakeBackend, startEvents, type FakeBackend } from '../support/fake-backend.ts';
import { until } from '../support/gateway.ts';
import { startManaged, stateOf, type Managed } from '../support/managed.ts';
import { tempDir } from '../support/temp-dir.ts';
import { HAS_TMUX, openTerminal, type Terminal } from '../support/terminal.ts';

const SIZE = { columns: 100, rows: 30 };

interface Stage {
  readonly server: Managed;
  readonly backends: readonly [FakeBackend, FakeBackend];
  readonly terminal: Terminal;
}

/** A server with two instances and its dashboard in a terminal. */
async function stage(size = SIZE): Promise<Stage> {
  const backends = [await fakeBackend(), await fakeBackend()] as const;
  const [gpu, laptop] = backends;
  const server = await startManaged({
    defaults: { health: { interval: '300ms', timeout: '1s' } },
    instances: {
      gpu: { adapter: 'openai', baseUrl: gpu.url },
      laptop: { adapter: 'openai', baseUrl: laptop.url },
    },
  });
  const terminal = await openTerminal(['status'], { cwd: server.home, ...size });
  await terminal.sees('● gpu');
  return { server, backends, terminal };
}

/** The shell has its terminal again: its own screen, with a cursor, as it was before. */
async function expectClean(terminal: Terminal, code: number): Promise<void> {
  const screen = await terminal.sees(`ended ${code}`);
  expect(screen).toMatch(/^before$/m);
  expect(await terminal.flag('alternate_on')).toBe('0');
  expect(await terminal.flag('cursor_flag')).toBe('1');
  expect(await terminal.flag('wrap_flag')).toBe('1');
  // The terminal is out of raw mode: what is typed is echoed, and comes to the shell as a line.
  await terminal.press('echo hel""lo', 'Enter');
  await terminal.sees(/\$ echo hel""lo\nhello/);
}

describe.skipIf(!HAS_TMUX)('the dashboard in a terminal (skipped without tmux)', () => {
  it('shows a call as it comes, and a backend that goes away', async () => {
    const { server, backends, terminal } = await stage();
    await (await server.post('/v1/chat/completions', { model: 'm' })).text();
    await terminal.sees(/✓ 200 +m +→ (gpu|laptop)/);
    await backends[1].close();
    await terminal.sees(/✗ laptop +unhealthy/, 5000);
    await terminal.sees(/instance +.*laptop is unhealthy/);
    await backends[1].reopen();
    await terminal.sees(/● laptop +healthy/, 5000);
  });

  it('shows a stream while it runs', async () => {
    const { server, backends, terminal } = await stage();
    for (const backend of backends) {
      backend.behave = async (_, response) => {
        startEvents(response);
        for (let index = 0; index < 200 && !response.destroyed; index += 1) {
          response.write(chatChunk('word '));
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        response.end('data: [DONE]\n\n');
      };
    }
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const answer = await server.post(
      '/v1/chat/completions',
      { model: 'm', stream: true },
      { signal: stop.signal },
    );
    await terminal.press('2');
    await terminal.sees(/● answering +m +(gpu|laptop) +127\.0\.0\.1 .*~\d+ +[\d.]+/);
    stop.abort();
    await answer.text().catch(() => {});
    await terminal.sees('← left');
  });

  it('gives orders by keys', async () => {
    const { server, terminal } = await stage();
    await terminal.press('b', 'Down', 'Down', 'Enter');
    await terminal.sees('Keep all calls away from gpu?');
    await terminal.press('y');
    await terminal.sees(/● gpu +healthy +held open/);
    const answer = await server.post('/v1/chat/completions', { model: 'm' });
    expect(answer.headers.get('x-jairouter-instance')).toBe('laptop');
  });

  it('follows the size of the terminal, without a line that is too wide', async () => {
    const { terminal } = await stage();
    for (const [columns, rows] of [
      [140, 40],
      [80, 24],
      [40, 10],
      [160, 50],
    ] as const) {
      await terminal.resize(columns, rows);
      // Header and footer in the first and the last line of that size: nothing was wrapped or scrolled.
      const rest = `(?:.{0,${columns}}\\n){${rows - 2}}`;
      const screen = await terminal.sees(new RegExp(`^ jairouter.*live\\n${rest}.*q quit\\n$`));
      expect(screen).toContain('● gpu');
      for (const line of screen.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(columns);
    }
    await terminal.resize(30, 6);
    await terminal.sees('30×6 is too small');
  });

  it.each([
    ['q', ['q']],
    ['ctrl-c on a page', ['?', 'C-c']],
  ])('leaves the terminal as it was, by %s', async (_, keys) => {
    const { server, terminal } = await stage();
    await terminal.press(...keys);
    await expectClean(terminal, 0);
    const screen = await terminal.screen();
    expect(screen).toMatch(/watched http:\S+ for [\d.]+ m?s: 0 calls since its start/);
    expect(screen).toContain(server.url);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('leaves the terminal as it was when %s ends it', async (signal, code) => {
    const { terminal } = await stage();
    process.kill(await terminal.pid(), signal);
    await expectClean(terminal, code);
  });

  it('leaves the terminal as it was when it fails, and says why there', async () => {
    // Something that speaks like a server, and tells nonsense.
    const liar = createServer((_, response) => {
      startEvents(response);
      response.write('event: snapshot\ndata: {"startedAt":1,"now":1,"instances":7}\n\n');
    });
    await new Promise<void>((resolve) => {
      liar.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => {
      liar.closeAllConnections();
      liar.close();
    });
    const { port } = liar.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const terminal = await openTerminal(['status', '--url', url, '--token', 'x'], {
      cwd: await tempDir(),
      ...SIZE,
    });
    await expectClean(terminal, 1);
    expect(await terminal.screen()).toContain('this is a bug, please report it');
  });

  it('waits for a server that is gone, and says so', async () => {
    const { server, terminal } = await stage();
    await server.close(0);
    await terminal.sees(/✗ no connection, next try in \d s|✗ no connection, trying/);
    // What was known is still there.
    await terminal.sees('● gpu');
  });

  it('can be left for the shell for a while', async () => {
    const { terminal } = await stage();
    await terminal.press('C-z');
    await expectClean(terminal, 148);
    await terminal.press('fg', 'Enter');
    await terminal.sees('● gpu');
    expect(await terminal.flag('alternate_on')).toBe('1');
    await terminal.press('?');
    await terminal.sees('Everywhere');
  });

  it('can be the server’s own, whose log it keeps off the screen', async () => {
    const backend = await fakeBackend();
    const cwd = await tempDir();
    const config = { instances: { a: { adapter: 'openai', baseUrl: backend.url } } };
    await writeFile(join(cwd, 'jairouter.config.json'), JSON.stringify(config));
    const terminal = await openTerminal(['serve', '--dashboard', '--port', '0'], { cwd, ...SIZE });
    const screen = await terminal.sees('● a');
    const url = `http://${/127\.0\.0\.1:\d+/.exec(screen)![0]}`;
    await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm' }),
    });
    await terminal.sees(/✓ 200 +m/);
    await terminal.press('q');
    await terminal.sees('Stop the server?');
    await terminal.press('y');
    await expectClean(terminal, 0);
    const [file = ''] = await readdir(join(stateOf(cwd), 'logs'));
    const log = await readFile(join(stateOf(cwd), 'logs', file), 'utf8');
    expect(log).toMatch(/endpoint {2}http:.*\n[^]* 200 +\/v1\/chat\/completions .*\n.*stopping/);
    expect((await terminal.screen()).replaceAll('\n', '')).toContain(`The log is in ${cwd}`);
  });

  it('ends when the terminal is closed', async () => {
    const { terminal } = await stage();
    const pid = await terminal.pid();
    await terminal.close();
    await until(() => !isAlive(pid));
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
