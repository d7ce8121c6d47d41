import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCli, startCli } from '../support/cli.ts';
import { fakeBackend } from '../support/fake-backend.ts';
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
    expect(stdout).toMatch(/Next:\n {2}jairouter status .*\n {2}jairouter connect /);
  });
});
