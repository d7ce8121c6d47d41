import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { runCli } from '../support/cli.ts';
import { fakeBackend, json, type Behaviour } from '../support/fake-backend.ts';
import { startManaged } from '../support/managed.ts';
import { recorded, recordingsIn, shelve } from '../support/recordings.ts';
import { tempDir } from '../support/temp-dir.ts';

const CHAT = '/v1/chat/completions';

/** Says a text, and calls a tool when one is offered. */
function saying(text: string, city: string, tokens: number): Behaviour {
  return ({ body, path }, response) => {
    if (path.endsWith('/transcriptions')) {
      json(response, 200, { text: `${text} (${body.includes('m2') ? 'm2' : 'm'})` });
      return;
    }
    if (body.includes('refuse me') && tokens > 5) {
      json(response, 400, { error: { message: 'I will not.', type: 'x', code: null } });
      return;
    }
    const call = { name: 'weather', arguments: `{"unit": "C", "city": "${city}"}` };
    const tools = body.includes('"tools"')
      ? { tool_calls: [{ id: 'x', type: 'function', function: call }] }
      : {};
    json(response, 200, {
      id: 'c',
      choices: [{ index: 0, message: { role: 'assistant', content: text, ...tools } }],
      usage: { prompt_tokens: 3, completion_tokens: tokens },
    });
  };
}

/** Two backends that differ, and calls that one of them was recorded with. */
async function recordedCalls(more: Partial<ConfigInput> = {}) {
  const one = await fakeBackend(saying('It is warm here', 'Rome', 4));
  const other = await fakeBackend(saying('It is cold here', 'Oslo', 6), { models: ['m2'] });
  const home = await tempDir();
  const dir = join(home, 'calls');
  const server = await startManaged(
    {
      ...more,
      instances: {
        one: { adapter: 'openai', baseUrl: one.url },
        other: { adapter: 'openai', baseUrl: other.url },
      },
      capture: { dir },
    },
    home,
  );
  const ask = async (fields: object): Promise<void> => {
    const messages = [{ role: 'user', content: 'How is the weather?' }];
    await (await server.post(CHAT, { model: 'm', messages, ...fields })).text();
  };
  await ask({});
  await recordingsIn(dir, 1);
  await ask({ tools: [{ type: 'function', function: { name: 'weather' } }] });
  await recordingsIn(dir, 2);
  const form = new FormData();
  form.set('model', 'm');
  form.set('file', new File(['x'], 'a.mp3'));
  await (
    await fetch(`${server.url}/v1/audio/transcriptions`, { method: 'POST', body: form })
  ).text();
  await recordingsIn(dir, 3);
  return { ...server, ask, dir, one, other };
}

type Written = Awaited<ReturnType<typeof recordingsIn>>[number];

interface Printed {
  readonly ok: boolean;
  readonly to: string | null;
  readonly calls: readonly {
    readonly operation: string;
    readonly same: object | null;
    readonly before: object;
    readonly now: { readonly text: string } | null;
    readonly problem: string | null;
  }[];
}

describe('replay', () => {
  it('makes recorded calls again, and finds the same answers the same', async () => {
    const { run, one } = await recordedCalls();
    const before = one.received.length;
    const { code, stdout, stderr } = await run('replay', 'calls');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(one.received.length).toBe(before + 3);
    expect(one.received.at(-1)!.body.toString()).toContain('filename="a.mp3"');
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toMatch(/^RECORDING +SENT TO +STATUS +TEXT +TOOLS +TOKENS IN +TOKENS OUT/);
    expect(lines[1]).toMatch(/-chat-m-\w+\.json +one\/m +200 +same +3 +4 /);
    expect(lines[2]).toMatch(/one\/m +200 +same +same +3 +4 /);
    expect(lines.at(-1)).toBe('✓ 3 of 3 calls are answered as before in status.');
  });

  it('compares with another instance, whose one model stands for the other', async () => {
    const { run, json: printed } = await recordedCalls();
    const { code, stdout } = await run('replay', 'calls', '--to', 'other', '--diff');
    expect(code).toBe(0);
    expect(stdout).toMatch(/other\/m2 +200 +\d+ % alike +3 +4 → 6 /);
    expect(stdout).toMatch(/other\/m2 +200 +\d+ % alike +differ +3 +4 → 6 /);
    expect(stdout).toContain('It is [-warm-]{+cold+} here\n[-weather {"city":"Rome","unit":"C"}-]');
    expect(stdout).toContain(
      '3 of 3 calls are answered as before in status; 3 texts differ; tools',
    );

    const told = (await printed('replay', 'calls', '--to', 'other/m2')) as Printed;
    expect(told).toMatchObject({ ok: true, to: 'other/m2', url: expect.stringMatching(/^http/) });
    expect(told.calls[1]).toEqual({
      file: expect.stringMatching(/^calls\/.*\.json$/),
      operation: 'chat',
      model: 'm',
      same: { status: true, text: false, calls: false },
      before: {
        status: 200,
        instance: 'one',
        model: 'm',
        text: 'It is warm here',
        calls: [{ name: 'weather', arguments: '{"city":"Rome","unit":"C"}' }],
        tokensIn: 3,
        tokensOut: 4,
        firstByteMs: expect.any(Number),
        totalMs: expect.any(Number),
      },
      now: {
        status: 200,
        instance: 'other',
        model: 'm2',
        text: 'It is cold here',
        calls: [{ name: 'weather', arguments: '{"city":"Oslo","unit":"C"}' }],
        tokensIn: 3,
        tokensOut: 6,
        firstByteMs: expect.any(Number),
        totalMs: expect.any(Number),
      },
      problem: null,
    });
    // The model of a form is replaced as well.
    expect(told.calls[2]!.now!.text).toContain('m2');
    expect((await run('replay', 'calls', '--to', 'other', '--strict')).code).toBe(1);
  });

  it('fails where a status is another, and says why', async () => {
    const { run, ask, dir } = await recordedCalls();
    for (const { name } of await recordingsIn(dir, 3)) await rm(join(dir, name));
    await ask({ messages: [{ role: 'user', content: 'refuse me' }] });
    const [{ name }] = (await recordingsIn(dir, 1)) as [Written];
    const { code, stdout } = await run('replay', `calls/${name}`, '--to', 'other');
    expect(code).toBe(1);
    expect(stdout).toMatch(/other\/m2 +200 → 400 /);
    expect(stdout).toContain(`! calls/${name}: I will not.\n`);
    expect(stdout).toContain('The call is not answered as before');
  });

  it('says of each call that it can’t make why not, and makes the others', async () => {
    const { json: printed, run, dir } = await recordedCalls();
    for (const { name } of await recordingsIn(dir, 3)) await rm(join(dir, name));
    await shelve(dir, {
      'a.json': recorded('x', { request: { json: undefined, truncated: true, text: '{"model' } }),
      'b.json': recorded('It is warm here'),
      'c.json': recorded('x', { request: { json: undefined, text: 'no JSON' } }),
      'd.json': recorded('x', { response: { status: 503, json: { error: { message: 'no' } } } }),
    });
    const { code, stdout } = await run('replay', 'calls/*.json', '--to', 'one', '--json');
    expect(code).toBe(1);
    expect(
      (JSON.parse(stdout) as Printed).calls.map(({ problem, same }) => [problem, same]),
    ).toEqual([
      [expect.stringContaining('raise capture.maxFileBytes'), null],
      [null, { status: true, text: true, calls: true }],
      [expect.stringContaining('names no model'), null],
      [null, { status: false, text: false, calls: true }],
    ]);
    await expect(printed('replay', 'calls/b.json')).resolves.toMatchObject({ ok: true });
  });

  it('uses the key that the server wants', async () => {
    const { run, home, dir } = await recordedCalls({
      server: { apiKeys: [{ name: 'me', key: 'sk-of-mine' }] },
    });
    const refused = await run('replay', dir);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('refused before it was read');
    await shelve(join(home, 'own'), { 'a.json': recorded('It is warm here') });
    const without = await run('replay', 'own');
    expect(without.stdout).toContain('! own/a.json: This endpoint needs an API key');
    expect(await run('replay', 'own', '--key', 'sk-of-mine')).toMatchObject({ code: 0 });
  });

  it('refuses what is no recording, and ends with 3 where there is no server', async () => {
    const cwd = await tempDir();
    const fails = async (...args: string[]) => {
      const { code, stderr } = await runCli(['replay', ...args], { cwd });
      return [code, stderr];
    };
    expect(await fails('nothing')).toEqual([2, 'jairouter: there is no file or folder nothing\n']);
    expect(await fails('*.json')).toEqual([2, 'jairouter: there are no recordings in *.json\n']);
    await shelve(cwd, { 'a.json': '{}', 'b.json': recorded('Hi') });
    expect(await fails('.')).toEqual([
      2,
      'jairouter: a.json is no recording: it has no "version"\n',
    ]);
    expect(await fails('b.json')).toEqual([
      3,
      expect.stringMatching(/^jairouter: no server is running/),
    ]);
    expect(await fails('b.json', '--url', '127.0.0.1:1')).toEqual([
      3,
      expect.stringMatching(/no jairouter server answers at http:\/\/127\.0\.0\.1:1/),
    ]);
    expect(await readdir(cwd)).toEqual(['a.json', 'b.json']);
  });
});
