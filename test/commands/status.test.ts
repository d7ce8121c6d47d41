import { describe, expect, onTestFinished, test } from 'vitest';
import type {
  InstanceDetail,
  InstanceStatus,
  RecentCall,
  Status,
} from '../../src/observe/status.ts';
import { startCli, type RunningCli } from '../support/cli.ts';
import { deadPort, fakeBackend, json } from '../support/fake-backend.ts';
import { until } from '../support/gateway.ts';
import { startManaged, type Managed } from '../support/managed.ts';

const CHAT = '/v1/chat/completions';

async function managed(): Promise<Managed> {
  const backend = await fakeBackend(
    (_, response) => json(response, 200, { usage: { prompt_tokens: 1200, completion_tokens: 34 } }),
    { models: ['m', 'm2'] },
  );
  return startManaged({
    instances: {
      a: { adapter: 'openai', baseUrl: backend.url, maxConcurrency: 4 },
      gone: {
        adapter: 'openai',
        baseUrl: `http://127.0.0.1:${await deadPort()}`,
        models: ['gpt-*'],
        weight: 3,
      },
    },
    models: { coder: { targets: ['a/m'], fallback: ['m2'] } },
  });
}

async function call({ post, outcomes }: Managed, model: string): Promise<void> {
  const before = outcomes.length;
  await (await post(CHAT, { model })).text();
  await until(() => outcomes.length > before);
}

/** Runs a command that goes on until it is stopped. */
function start({ home }: Managed, ...args: string[]): RunningCli {
  const cli = startCli(args, { cwd: home });
  onTestFinished(async () => void (await cli.stop('SIGKILL')));
  return cli;
}

describe('status', () => {
  test('tells the server, its traffic and its instances, without a terminal too', async () => {
    const server = await managed();
    await call(server, 'coder');
    await call(server, 'nope');
    const { code, stdout, stderr } = await server.run('status');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`${server.url}  jairouter `);
    expect(stdout).toMatch(/^config {2}none, applied at \d\d:\d\d:\d\d$/m);
    expect(stdout).toMatch(/^calls {3}2 since the start: 1 ok, 1 failed$/m);
    expect(stdout).toMatch(/^now {5}0 running, 0 of them waiting$/m);
    expect(stdout).toMatch(/^minute {2}<0\.1 calls\/s, 50 % errors \(1 × model_not_found\), /m);
    expect(stdout).toMatch(/^● {2}a {9}openai {3}healthy .* 0\/4 .* 1 {2}2$/m);
    expect(stdout).toMatch(/^✗ {2}gone .* unhealthy: connection refused .* 3 {2}\d/m);
    expect((await server.run('status', '--once')).stdout).toContain('calls   2 since the start');
  });

  test('is the API’s answer for machines', async () => {
    const server = await managed();
    const told = (await server.json('status')) as Status;
    const same = (await (await server.admin('GET /admin/status')).json()) as Status;
    expect(Object.keys(told)).toEqual(Object.keys(same));
    expect(told.instances.map(({ name }) => name)).toEqual(['a', 'gone']);
  });

  test('goes on each second when it is asked to', async () => {
    const server = await managed();
    const cli = start(server, 'status', '--watch', '--json');
    await call(server, 'm');
    await cli.waitFor(/"calls":1,[^\n]*\n/);
    await server.close(0);
    await cli.waitFor(/closed the connection; trying again in 500 ms\n/);
    const { stdout } = await cli.stop();
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as Status).pid)).toEqual(
      lines.map(() => process.pid),
    );
  });
});

describe('models', () => {
  test('lists what a call could ask for, and who has it', async () => {
    const server = await managed();
    const { code, stdout } = await server.run('models');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^model +services +instances +also\n/);
    expect(stdout).toMatch(/^coder +chat, .* +a\/m +else m2$/m);
    expect(stdout).toMatch(/^m2 +chat, .* +a$/m);
    expect(stdout).toMatch(/^gpt-\* +chat, .* +gone \(unhealthy\)$/m);
    expect(await server.json('models')).toMatchObject([
      { model: 'coder', kind: 'alias', fallback: ['m2'] },
      { model: 'm', kind: 'catalogue', instances: [{ instance: 'a', state: 'healthy' }] },
      { model: 'm2', kind: 'catalogue' },
      { model: 'gpt-*', kind: 'pattern', instances: [{ instance: 'gone', state: 'unhealthy' }] },
    ]);
  });

  test('says that there are none yet', async () => {
    const server = await startManaged({});
    expect((await server.run('models')).stdout).toBe('no instance has told of a model yet\n');
  });
});

describe('instances', () => {
  test('lists them, and is what stands behind no command', async () => {
    const server = await managed();
    const { stdout } = await server.run('instances');
    expect(stdout).toMatch(/^ {3}instance .*\n● {2}a .*\n✗ {2}gone .*\n$/);
    expect((await server.run('instances', 'list')).stdout).toBe(stdout);
    const all = (await server.json('instances', 'list')) as InstanceStatus[];
    expect(all.map(({ name, state }) => [name, state])).toEqual([
      ['a', 'healthy'],
      ['gone', 'unhealthy'],
    ]);
  });

  test('orders a circuit breaker, which holds', async () => {
    const server = await managed();
    const { code, stdout } = await server.run('instances', 'breaker', 'a', 'open');
    expect(code).toBe(0);
    expect(stdout).toMatch(/● {2}a .* forced-open /);
    const answer = await server.post(CHAT, { model: 'm' });
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain(
      'a takes no calls by order (its circuit breaker is forced open)',
    );
    const closed = (await server.json('instances', 'breaker', 'a', 'reset')) as InstanceDetail;
    expect(closed.breaker.state).toBe('closed');
    expect((await server.post(CHAT, { model: 'm' })).status).toBe(200);
  });

  test('says in one line which there are', async () => {
    const server = await managed();
    const { code, stderr } = await server.run('instances', 'breaker', 'b', 'open');
    expect(code).toBe(1);
    expect(stderr).toBe('jairouter: There is no instance "b": there are a, gone.\n');
  });
});

describe('tail', () => {
  test('shows the last calls, then each one as it ends', async () => {
    const server = await managed();
    await call(server, 'm');
    await call(server, 'nope');
    const cli = start(server, 'tail');
    await cli.waitFor(/200 {3}m -> a .* 1\.2k \+ 34 tokens {2}only candidate\n.* 404 {3}nope .*\n/);
    await call(server, 'coder');
    await cli.waitFor(/200 {3}coder -> a\/m .*\n/);
    const { stdout } = await cli.stop();
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
  });

  test('shows only those that are wanted, as many as are wanted', async () => {
    const server = await managed();
    for (const model of ['m', 'nope', 'm2', 'none', 'm']) await call(server, model);
    const failed = start(server, 'tail', '--errors', '-n', '1', '--json');
    const two = start(server, 'tail', '--model', 'm2', '--instance', 'a', '--json');
    await failed.waitFor(/\n/);
    await two.waitFor(/\n/);
    for (const model of ['m', 'm2', 'nope']) await call(server, model);
    await failed.waitFor(/"nope"/);
    await two.waitFor(/\n.*\n/);
    const modelsOf = async (cli: RunningCli) => {
      const lines = (await cli.stop()).stdout.trimEnd().split('\n');
      return lines.map((line) => (JSON.parse(line) as RecentCall).model);
    };
    expect(await modelsOf(failed)).toEqual(['none', 'nope']);
    expect(await modelsOf(two)).toEqual(['m2', 'm2']);
  });

  test('looks for the server again when it is gone, and misses nothing of the next', async () => {
    const first = await managed();
    await call(first, 'm');
    const cli = start(first, 'tail', '-n', '1');
    await cli.waitFor(/m -> a .*\n/);
    await call(first, 'm2');
    await cli.waitFor(/m2 -> a .*\n/);
    await first.close(0);
    await cli.waitFor(/closed the connection; trying again in 500 ms\n/);
    const second = await startManaged({}, first.home);
    await call(second, 'x');
    await cli.waitFor(/following http:\/\/127\.0\.0\.1:\d+ again\n/);
    await cli.waitFor(/501 {3}x /);
    expect((await cli.stop()).stdout.trimEnd().split('\n')).toHaveLength(3);
  });
});
