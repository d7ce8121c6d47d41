import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../src/config/schema.ts';
import type { Recording } from '../src/recording/recording.ts';
import { runCli, startCli } from './support/cli.ts';
import {
  chatChunk,
  fakeBackend,
  json,
  startEvents,
  type Behaviour,
} from './support/fake-backend.ts';
import { oneInstance, startGateway, startOnFile, until } from './support/gateway.ts';
import { recordingsIn } from './support/recordings.ts';
import { tempDir } from './support/temp-dir.ts';

const CHAT = '/v1/chat/completions';

async function recording(behave?: Behaviour, config: Partial<ConfigInput> = {}) {
  const backend = await fakeBackend(behave);
  const dir = join(await tempDir(), 'recordings');
  const capture = { dir, ...(config.capture as object) };
  const gateway = await startGateway(oneInstance(backend.url, { ...config, capture }));
  return { backend, dir, ...gateway };
}

type Written = Awaited<ReturnType<typeof recordingsIn>>[number];

async function only(dir: string): Promise<Recording> {
  return (await recordingsIn(dir, 1))[0]!.recording;
}

describe('a recorded call', () => {
  it('is a file that tells all of it, under a name that tells which', async () => {
    const answer = { id: 'x', choices: [], usage: { prompt_tokens: 3, completion_tokens: 5 } };
    const { post, dir } = await recording((_, response) => json(response, 200, answer));
    const asked = { model: 'm', messages: [{ role: 'user', content: 'Grüße' }] };
    await (
      await post(`${CHAT}?key=sk-query`, asked, { headers: { 'x-request-id': 'abc/1' } })
    ).text();
    const [{ name, text, recording: written }] = (await recordingsIn(dir, 1)) as [Written];
    expect(name).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-chat-m-abc-1\.json$/);
    expect(written).toMatchObject({
      version: 1,
      id: 'abc/1',
      operation: 'chat',
      ending: 'ok',
      usage: { input: 3, output: 5 },
      request: {
        method: 'POST',
        path: `${CHAT}?key=***`,
        model: 'm',
        stream: false,
        headers: { 'content-type': 'application/json' },
        json: asked,
      },
      route: {
        instance: 'a',
        model: 'm',
        attempts: [{ instance: 'a', status: 200, ending: 'ok' }],
      },
      response: { status: 200, headers: { 'x-jairouter-instance': 'a' }, json: answer },
    });
    // For people: a message is a line.
    expect(text).toContain(
      '\n      "messages": [\n        { "role": "user", "content": "Grüße" }\n',
    );
  });

  it('has a stream chunk by chunk, with their times', async () => {
    const { post, dir } = await recording((_, response) => {
      startEvents(response);
      response.write(chatChunk('one'));
      setTimeout(() => response.end(`${chatChunk('two')}data: [DONE]\n\n`), 60);
    });
    const got = await (await post(CHAT, { model: 'm', stream: true })).text();
    const { request, response, firstByte } = await only(dir);
    expect(request.stream).toBe(true);
    const events = response!.events!;
    expect(events.map(({ text }) => text).join('')).toBe(got);
    expect(events.length).toBeGreaterThan(1);
    expect(events.at(-1)!.at - events[0]!.at).toBeGreaterThan(40);
    expect(Math.abs(events[0]!.at - firstByte!)).toBeLessThan(500);
  });

  it('has the parts of a form by their names, and bytes in base64', async () => {
    const bytes = Buffer.from([0xff, 0xfb, 0, 1, 2]);
    const { url, dir } = await recording((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.end('It rains.');
    });
    const form = new FormData();
    form.set('model', 'm');
    form.set('response_format', 'text');
    form.set('file', new File([bytes], 'talk.mp3', { type: 'audio/mpeg' }));
    await (await fetch(`${url}/v1/audio/transcriptions`, { method: 'POST', body: form })).text();
    const { request, response } = await only(dir);
    expect(request.form).toEqual([
      { name: 'model', text: 'm' },
      { name: 'response_format', text: 'text' },
      {
        name: 'file',
        filename: 'talk.mp3',
        contentType: 'audio/mpeg',
        base64: bytes.toString('base64'),
      },
    ]);
    expect(response!.text).toBe('It rains.');
  });

  it('has an error of ours, a stream that broke off and one whose client left', async () => {
    const { post, dir, outcomes } = await recording((_, response) => {
      startEvents(response);
      response.write(chatChunk('one'));
      setTimeout(() => response.destroy(), 30);
    });
    await (await post(CHAT, '{"model": oops}')).text();
    await (await post(CHAT, { model: 'm', stream: true })).text();
    const leaving = new AbortController();
    const answer = await post(CHAT, { model: 'm', stream: true, n: 3 }, { signal: leaving.signal });
    await answer.body!.getReader().read();
    leaving.abort();
    await until(() => outcomes.length === 3);
    const [refused, broken, left] = (await recordingsIn(dir, 3)).map(({ recording: one }) => one);
    expect(refused).toMatchObject({
      ending: 'error',
      request: { text: '{"model": oops}' },
      route: { attempts: [] },
      response: { status: 400, json: { error: { code: 'invalid_json' } } },
    });
    expect(broken).toMatchObject({ ending: 'broken', error: expect.stringContaining('broke off') });
    expect(broken!.response!.events!.at(-1)!.text).toContain('"error"');
    expect(broken!.response).not.toHaveProperty('torn');
    expect(left).toMatchObject({ ending: 'aborted', response: { torn: true } });
  });

  it('shows no secrets', async () => {
    const { post, dir } = await recording(
      (_, response) => {
        response.setHeader('x-ratelimit-remaining-tokens', '99');
        json(response, 200, { echo: 'sk-client-key' });
      },
      { server: { apiKeys: [{ name: 'me', key: 'sk-client-key' }] } },
    );
    const headers = { authorization: 'Bearer sk-client-key', 'x-note': 'sk-client-key' };
    await (await post(CHAT, { model: 'm', user: 'sk-client-key' }, { headers })).text();
    const [{ text }] = (await recordingsIn(dir, 1)) as [Written];
    expect(text).not.toContain('sk-client');
    expect(text).toContain('"authorization": "***"');
    expect(text).toContain('"x-ratelimit-remaining-tokens": "99"');
  });

  it('says where a body was cut', async () => {
    const { post, dir } = await recording(
      (_, response) => json(response, 200, { a: 'y'.repeat(99) }),
      {
        capture: { maxFileBytes: '50b', maxBytes: '20b' },
      },
    );
    await (await post(CHAT, { model: 'm', pad: 'x'.repeat(99) })).text();
    const { request, response } = await only(dir);
    expect(request).toMatchObject({ truncated: true, text: expect.stringMatching(/^.{50}$/) });
    expect(request.bytes).toBeGreaterThan(100);
    expect(response).toMatchObject({ truncated: true, text: expect.stringMatching(/^.{50}$/) });
  });

  it('is not laid out for people where it is too large for them', async () => {
    const data = [{ embedding: Array.from({ length: 30_000 }, (_, index) => index / 7) }];
    const { post, dir } = await recording((_, response) => json(response, 200, { data }));
    const got = await (await post('/v1/embeddings', { model: 'm', input: 'Hi' })).text();
    expect((await only(dir)).response).toMatchObject({ text: got });
  });

  it('stays in memory too, as far as it is wanted there', async () => {
    const { post, dir, admin, outcomes } = await recording(undefined, {
      capture: { maxBytes: '5b' },
    });
    await (await post(CHAT, { model: 'm' })).text();
    await recordingsIn(dir, 1);
    const call = await admin(`GET /admin/requests/${outcomes[0]!.id}`);
    expect(await call.json()).toMatchObject({ request: { text: '{"mod', truncated: true } });
  });
});

describe('recording', () => {
  it('begins and ends with the config, from whose folder it counts', async () => {
    const backend = await fakeBackend();
    const home = await tempDir();
    const file = join(home, 'jairouter.config.json');
    const write = (capture: object): Promise<void> =>
      writeFile(file, JSON.stringify({ ...oneInstance(backend.url), ...capture }));
    await write({});
    const { post, gateway } = await startOnFile(file, { state: join(home, 'state') });
    await (await post(CHAT, { model: 'm' })).text();
    await write({ capture: { dir: 'calls' } });
    await until(() => gateway.snapshot.config.capture !== undefined);
    await (await post(CHAT, { model: 'm' })).text();
    await recordingsIn(join(home, 'calls'), 1);
    await write({ capture: false });
    await until(() => gateway.snapshot.config.capture === undefined);
    await (await post(CHAT, { model: 'm' })).text();
    await gateway.recorder.close();
    await recordingsIn(join(home, 'calls'), 1);
  });

  it('that can’t write says so once, harms no call, and goes on when it can', async () => {
    const { post, dir, said, outcomes, gateway } = await recording();
    // A file where the folder should be fails for everybody, root too.
    await writeFile(dir, '');
    for (let count = 1; count <= 3; count++) {
      expect((await post(CHAT, { model: 'm' })).status).toBe(200);
      await until(() => outcomes.length === count);
      await gateway.recorder.close();
    }
    expect(said.filter((line) => line.includes('not recorded'))).toHaveLength(1);
    await rm(dir);
    await (await post(CHAT, { model: 'm' })).text();
    await recordingsIn(dir, 1);
    await until(() => said.includes('calls are recorded again; 3 calls are missing'));
  });

  it('gives each of many calls at once a file of its own, and leaves no drafts', async () => {
    const { post, dir } = await recording();
    const headers = { 'x-request-id': 'same' };
    await Promise.all(
      Array.from({ length: 40 }, async () =>
        (await post(CHAT, { model: 'm' }, { headers })).text(),
      ),
    );
    await recordingsIn(dir, 40);
    expect(await readdir(dir)).toHaveLength(40);
  });

  it('is an option of serve, which refuses a folder that it can’t write', async () => {
    const backend = await fakeBackend();
    const home = await tempDir();
    const file = join(home, 'jairouter.config.json');
    await writeFile(file, JSON.stringify(oneInstance(backend.url)));
    const server = startCli(['serve', '--port', '0', '--record', 'calls/today'], { cwd: home });
    const [, url] = await server.waitFor(/endpoint\s+(\S+)\/v1/);
    expect(server.output()).toMatch(/records\s+calls\/today/);
    await (await fetch(url + CHAT, { method: 'POST', body: '{"model":"m"}' })).text();
    await server.stop();
    await recordingsIn(join(home, 'calls', 'today'), 1);

    await writeFile(join(home, 'taken'), '');
    const { code, stderr } = await runCli(['serve', '--record', 'taken/x'], { cwd: home });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^jairouter: --record taken\/x can't be written: .*\n$/);
  });
});
