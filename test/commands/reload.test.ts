import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startCli, type RunningCli } from '../support/cli.ts';
import { fakeBackend } from '../support/fake-backend.ts';
import { tempDir } from '../support/temp-dir.ts';

const NAME = 'jairouter.config.json';
/** Milliseconds; a busy machine may need some. */
const PATIENCE = 30_000;

function start(cwd: string, args: readonly string[] = []): RunningCli {
  const cli = startCli(['serve', '-p', '0', ...args], { cwd });
  onTestFinished(async () => void (await cli.stop('SIGKILL')));
  return cli;
}

async function serve(
  config: unknown,
  args?: readonly string[],
): Promise<{ cli: RunningCli; url: string; save: (config: unknown) => Promise<void> }> {
  const cwd = await tempDir();
  const save = (next: unknown) => writeFile(join(cwd, NAME), JSON.stringify(next));
  await save(config);
  const cli = start(cwd, args);
  const [, url] = await cli.waitFor(/(http:\/\/[^\s/]+:\d+)\/v1/, PATIENCE);
  await cli.waitFor(/● a|"● a/, PATIENCE);
  return { cli, url: url!, save };
}

const models = async (url: string): Promise<string[]> => {
  const list = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] };
  return list.data.map(({ id }) => id);
};

describe('serve', { timeout: 120_000 }, () => {
  test('takes in a saved config, and tells what changed', async () => {
    const backend = await fakeBackend();
    const a = { adapter: 'openai', baseUrl: backend.url };
    const { cli, url, save } = await serve({ instances: { a } });
    await save({ instances: { a: { ...a, models: ['x'], apiKey: 'geheim' } } });
    await cli.waitFor(
      /info {2}jairouter\.config\.json has changed \(version 2\)\n {15}\+ instances\.a\.apiKey: \*\*\*\n {15}\+ instances\.a\.models: \[x\]\n/,
      PATIENCE,
    );
    expect(await models(url)).toEqual(['x']);
    await save({ instances: { a: { ...a, wieght: 2 } } });
    await cli.waitFor(
      /error the config is not applied, version 2 serves on:\n {15}jairouter\.config\.json:1:\d+: unknown option `wieght` in `instances\.a`; did you mean `weight`\?\n/,
      PATIENCE,
    );
    expect(await models(url)).toEqual(['x']);
    await save({ server: { port: 5000 }, instances: { a } });
    await cli.waitFor(/is valid again\n/, PATIENCE);
    // The port of the command line stands above the file.
    await cli.waitFor(/version 3/, PATIENCE);
    expect(cli.output()).not.toContain('needs a restart');
    expect(cli.output()).not.toContain('geheim');
  });

  test('does not open itself to other machines, whatever is saved', async () => {
    const backend = await fakeBackend();
    const instances = { a: { adapter: 'openai', baseUrl: backend.url } };
    const apiKeys = [{ name: 'me', key: 'k' }];
    const { cli, url, save } = await serve({ server: { apiKeys }, instances }, [
      '--host',
      '0.0.0.0',
    ]);
    await save({ instances });
    await cli.waitFor(
      /error the config is not applied[\s\S]*can be reached from other machines/,
      PATIENCE,
    );
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
  });

  test('finds a config that is written while it serves without one', async () => {
    const backend = await fakeBackend(undefined, { models: ['mine'] });
    const cwd = await tempDir();
    const cli = start(cwd);
    const [, url] = await cli.waitFor(/(http:\/\/[^\s/]+:\d+)\/v1/, PATIENCE);
    await cli.waitFor(/config {4}none/, PATIENCE);
    await mkdir(join(cwd, '.config', 'jairouter'), { recursive: true });
    const config = { instances: { mine: { adapter: 'openai', baseUrl: backend.url } } };
    await writeFile(join(cwd, '.config', 'jairouter', NAME), JSON.stringify(config));
    // Else it looks each ten seconds.
    if (process.platform !== 'win32') process.kill(cli.pid, 'SIGHUP');
    await cli.waitFor(
      /jairouter\.config\.json is there now, and serves in the place of what was found \(version 1\)/,
      PATIENCE,
    );
    await cli.waitFor(/instance mine is healthy/, PATIENCE);
    expect(await models(url!)).toEqual(['mine']);
    await writeFile(
      join(cwd, '.config', 'jairouter', NAME),
      JSON.stringify({ ...config, models: { other: { targets: ['mine/mine'] } } }),
    );
    await cli.waitFor(/\+ models\.other \(mine\/mine\)/, PATIENCE);
  });
});

describe.skipIf(process.platform === 'win32')('SIGHUP', { timeout: 120_000 }, () => {
  test('has the config read again, and says when nothing has changed', async () => {
    const backend = await fakeBackend();
    const a = { adapter: 'openai', baseUrl: backend.url };
    const { cli, save } = await serve({ instances: { a } }, ['--log-format', 'json']);
    process.kill(cli.pid, 'SIGHUP');
    await cli.waitFor(
      /"message":"jairouter\.config\.json was read again: nothing has changed"/,
      PATIENCE,
    );
    await save({ instances: { a: { ...a, weight: 2 } } });
    process.kill(cli.pid, 'SIGHUP');
    await cli.waitFor(
      /jairouter\.config\.json (was read again|has changed) \(version 2\)/,
      PATIENCE,
    );
    expect((await cli.stop('SIGTERM')).code).toBe(0);
  });
});
