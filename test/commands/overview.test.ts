import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCli, startCli } from '../support/cli.ts';
import { writeState } from '../../src/commands/state-file.ts';
import { fakeBackend } from '../support/fake-backend.ts';
import { oneInstance } from '../support/gateway.ts';
import { startManaged, stateOf } from '../support/managed.ts';
import { tempDir } from '../support/temp-dir.ts';

const FILE = 'jairouter.config.json';

async function alone(config?: unknown): Promise<{ cwd: string; stdout: string }> {
  const cwd = await tempDir();
  if (config !== undefined) await writeFile(join(cwd, FILE), JSON.stringify(config));
  const { code, stdout, stderr } = await runCli([], { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return { cwd, stdout };
}

describe('jairouter alone', () => {
  test('leads to a start, where there is nothing', async () => {
    const { stdout } = await alone();
    expect(stdout).toMatch(/server +none is running\n +config +none, from here upward\n/);
    expect(stdout).toMatch(/Next:\n {2}jairouter serve .*\n {2}jairouter init /);
  });

  test('leads to serve, where there is a config', async () => {
    const instances = { a: { adapter: 'openai' }, b: { adapter: 'openai', apiKey: '${NO_KEY}' } };
    const { stdout } = await alone({ instances });
    expect(stdout).toContain(`config     ${FILE}, 2 instances, 1 warning\n`);
    expect(stdout).toMatch(/Next:\n {2}jairouter serve +starts it\n {2}jairouter check /);
  });

  test('leads to check, where the config is broken', async () => {
    const { stdout } = await alone({ server: { prot: 1 }, instance: {} });
    expect(stdout).toContain(`config     ${FILE} can't be used: 2 mistakes\n`);
    expect(stdout).toMatch(/Next:\n {2}jairouter check +names what is wrong/);
  });

  test('tells how the server does that runs', async () => {
    const { url } = await fakeBackend(undefined, { models: ['m', 'n'] });
    const cwd = await tempDir();
    const instances = {
      a: { adapter: 'openai', baseUrl: url },
      b: { adapter: 'openai', baseUrl: 'http://127.0.0.1:9' },
    };
    await writeFile(join(cwd, FILE), JSON.stringify({ instances }));
    const cli = startCli(['serve', '-p', '0'], { cwd });
    onTestFinished(async () => void (await cli.stop('SIGKILL')));
    const [, endpoint] = await cli.waitFor(/(http:\/\/\S+\/v1)/);
    await cli.waitFor(/✗ b /);
    const { stdout } = await runCli([], { cwd });
    expect(stdout).toContain(`server     ${endpoint}, pid `);
    expect(stdout).toContain('instances  1 of 2 healthy; b is unhealthy\n');
    expect(stdout).toContain('models     2\n');
    expect(stdout).toMatch(/Next:\n {2}jairouter status .*\n.* connect .*\n.* check +asks /);
    // The server goes on with what it has, and the person should know of both.
    await writeFile(join(cwd, FILE), '{ "instances": { "a": {} } }');
    const broken = await runCli([], { cwd });
    expect(broken.stdout).toContain(`config     ${FILE} can't be used: 1 mistake\n`);
    expect(broken.stdout).toMatch(/Next:\n {2}jairouter check +names what .*\n.* status /);
  });

  test('tells of each server that runs, also of those with another config or none', async () => {
    const backend = await fakeBackend();
    const one = await startManaged(oneInstance(backend.url));
    const state = { url: 'http://127.0.0.1:9', pid: process.ppid, startedAt: Date.now() };
    const gone = await writeState(stateOf(one.home), { ...state, token: 'x', version: '0' });
    onTestFinished(() => gone.close());
    const { stdout } = await one.run();
    expect(stdout).toContain(`server     ${one.url}/v1, pid `);
    expect(stdout).toContain('instances  1 of 1 healthy\n');
    expect(stdout).toContain('server     http://127.0.0.1:9/v1, pid ');
    expect(stdout).toMatch(/Next:\n {2}jairouter status .*\n.* connect .*\n.* init /);
  });
});
