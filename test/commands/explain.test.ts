import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { deadPort, fakeBackend } from '../support/fake-backend.ts';
import { startManaged } from '../support/managed.ts';

async function managed() {
  const backend = await fakeBackend(undefined, { models: ['m'] });
  const { url: baseUrl } = backend;
  return startManaged({
    rateLimit: { rate: '100/m' },
    services: { chat: { loadBalance: { strategy: 'least-connections' } } },
    instances: {
      a: { adapter: 'openai', baseUrl },
      b: { adapter: 'openai', baseUrl, weight: 2 },
      gone: { adapter: 'openai', baseUrl: `http://127.0.0.1:${await deadPort()}`, models: ['m'] },
    },
    models: { coder: { targets: ['a/m', 'b/m', 'gone/m'], fallback: ['m'] } },
  });
}

describe('explain', () => {
  test('says where a call goes and why nobody else gets it', async () => {
    const { run } = await managed();
    const { code, stdout, stderr } = await run('explain', 'coder');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.replaceAll(/in \d+ s/g, 'in 9 s')).toBe(
      `coder goes to b as m: least connections of 2: 0 in flight for weight 2, and it is its turn

chat: least-connections; up to 3 attempts

coder, an alias with 3 targets
     a     m  not this time: 0 in flight for weight 1, not its turn
  →  b     m  least connections of 2: 0 in flight for weight 2, and it is its turn
  ✗  gone  m  is unhealthy (connection refused), and is looked at again in 9 s

m, in the catalogue of 3 instances, a fallback
     a     m  is for when b and all others before it fail
     b     m  is for when b and all others before it fail
  ✗  gone  m  is unhealthy (connection refused), and is looked at again in 9 s

limits on the call
  100 of 100 left of 100 requests per minute for all calls
`,
    );
  });

  test('shows every verdict when it is asked to', async () => {
    const { run } = await managed();
    const { stdout } = await run('explain', 'gone/m', '--verbose');
    expect(stdout).toContain('gone/m is refused with 503 no_instance_available: No instance');
    expect(stdout).toContain('gone/m, which names its instance\n');
    expect(stdout).toMatch(/^ {6}✓ offers chat\n {6}✗ is unhealthy/m);
  });

  test('reads a request from a file, or from its input', async () => {
    const { run, home, gateway } = await managed();
    const request = JSON.stringify({ model: 'nope', messages: [] });
    await writeFile(join(home, 'call.json'), request);
    const { stdout } = await run('explain', '--request', 'call.json');
    expect(stdout).toMatch(/^nope is refused with 404 model_not_found/);
    const piped = await runCli(['explain', '--request', '-'], { cwd: home, stdin: request });
    expect(piped.stdout).toBe(stdout);
    await writeFile(join(home, 'half.json'), '{');
    for (const [file, message] of [
      ['half.json', /half\.json is not JSON: /],
      ['none.json', /none\.json can't be read: /],
    ] as const) {
      const { code, stderr } = await run('explain', '--request', file);
      expect(code).toBe(2);
      expect(stderr).toMatch(message);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
    expect(gateway.calls.size).toBe(0);
  });

  test('prints the answer whole for machines', async () => {
    const server = await managed();
    const answer = (await server.json('explain', 'coder', '--ip', '10.0.0.7')) as object;
    const same = (await (
      await server.admin('GET /admin/explain?model=coder&ip=10.0.0.7')
    ).json()) as object;
    expect(Object.keys(answer)).toEqual(Object.keys(same));
    expect(answer).toMatchObject({ outcome: { kind: 'served', instance: 'b', model: 'm' } });
  });

  test('tells a wrong key in one line', async () => {
    const { run } = await managed();
    const { code, stderr } = await run('explain', 'coder', '--key', 'me');
    expect(code).toBe(1);
    expect(stderr).toBe('jairouter: There is no API key "me" (known: none is configured).\n');
  });
});
