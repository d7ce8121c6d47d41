import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../src/config/schema.ts';
import type { CapturedCall } from '../src/observe/status.ts';
import { chatChunk, fakeBackend, json, startEvents } from './support/fake-backend.ts';
import {
  oneInstance,
  startGateway,
  startOnFile,
  until,
  type TestGateway,
} from './support/gateway.ts';
import { tempDir } from './support/temp-dir.ts';

const CHAT = '/v1/chat/completions';

async function captured(
  config: Partial<ConfigInput> = {},
  reply?: Parameters<typeof fakeBackend>[0],
) {
  const backend = await fakeBackend(reply);
  const gateway = await startGateway(oneInstance(backend.url, { capture: true, ...config }));
  return { backend, ...gateway };
}

/** The one call of a test, as `/admin` gives it. */
async function only(gateway: TestGateway): Promise<CapturedCall> {
  await until(() => gateway.outcomes.length === 1);
  const { id } = gateway.outcomes[0]!;
  return (await (await gateway.admin(`GET /admin/requests/${id}`)).json()) as CapturedCall;
}

describe('captured bodies', () => {
  it('are what the client sent and got, with the headers', async () => {
    const gateway = await captured({}, (_, response) => json(response, 200, { hello: 'wörld' }));
    const sent = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Grüße' }] });
    const got = await (await gateway.post(CHAT, sent, { headers: { 'x-team': 'dev' } })).text();
    const call = await only(gateway);
    expect(call.captured).toBe(true);
    expect(call.request).toMatchObject({
      text: sent,
      bytes: Buffer.byteLength(sent),
      truncated: false,
      headers: { 'x-team': 'dev', 'content-type': 'application/json' },
    });
    expect(call.answer).toMatchObject({
      text: got,
      bytes: Buffer.byteLength(got),
      truncated: false,
    });
    expect(call.answer!.headers).toMatchObject({ 'x-jairouter-instance': 'a' });
    // The lists tell only that there are some.
    const [listed] = (await (await gateway.admin('GET /admin/requests')).json()) as CapturedCall[];
    expect(listed!.captured).toBe(true);
    expect(listed).not.toHaveProperty('request');
  });

  it('have a stream as it went out, event by event', async () => {
    const gateway = await captured({}, (_, response) => {
      startEvents(response);
      response.write(chatChunk('one'));
      setTimeout(() => response.end(`${chatChunk('two')}data: [DONE]\n\n`), 20);
    });
    const got = await (await gateway.post(CHAT, { model: 'm', stream: true })).text();
    expect(got).toContain('[DONE]');
    expect((await only(gateway)).answer).toMatchObject({ text: got });
  });

  it('have an error of our own, and a request that could not be read', async () => {
    const gateway = await captured();
    const got = await (await gateway.post(CHAT, '{"model": oops}')).text();
    const call = await only(gateway);
    expect(call.request!.text).toBe('{"model": oops}');
    expect(call.answer!.text).toBe(got);
    expect(call.code).toBe('invalid_json');
  });

  it('are unpacked, and in base64 when they are no text', async () => {
    const gateway = await captured({}, (_, response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      response.end(Buffer.from([0xff, 0xfb, 0, 1, 2]));
    });
    const sent = JSON.stringify({ model: 'm', input: 'Hi', voice: 'x' });
    await gateway.post('/v1/audio/speech', gzipSync(sent), {
      headers: { 'content-encoding': 'gzip' },
    });
    const { request, answer } = await only(gateway);
    expect(request!.text).toBe(sent);
    expect(answer).toMatchObject({ base64: Buffer.from([0xff, 0xfb, 0, 1, 2]).toString('base64') });
    expect(answer).not.toHaveProperty('text');
  });

  it('end where they are told to, also within a character', async () => {
    const gateway = await captured({ capture: { maxBytes: '20b' } }, (_, response) =>
      json(response, 200, { text: 'aaaaaaaaaaé and so on' }),
    );
    await (await gateway.post(CHAT, { model: 'm', messages: ['x'.repeat(5000)] })).text();
    const { request, answer } = await only(gateway);
    expect(request).toMatchObject({ text: '{"model":"m","messag', truncated: true });
    expect(request!.bytes).toBeGreaterThan(5000);
    expect(answer).toMatchObject({ text: '{"text":"aaaaaaaaaa', truncated: true });
  });

  it('show no secrets: neither in headers, nor where a body repeats one', async () => {
    const gateway = await captured(
      { server: { apiKeys: [{ name: 'me', key: 'sk-client-key' }] } },
      (_, response) => {
        response.setHeader('set-cookie', 'session=1');
        json(response, 200, { echo: 'sk-client-key' });
      },
    );
    const headers = { authorization: 'Bearer sk-client-key', cookie: 'a=b', 'x-api-key': 'zzz' };
    await gateway.post(CHAT, { model: 'm', user: 'sk-client-key' }, { headers });
    const call = await only(gateway);
    expect(call.request!.headers).toMatchObject({
      authorization: '***',
      cookie: '***',
      'x-api-key': '***',
    });
    expect(call.answer!.text).toBe('{"echo":"***"}');
    expect(JSON.stringify(call)).not.toMatch(/sk-client-key|zzz|session=1/);
  });

  it('are those of the latest calls', async () => {
    const gateway = await captured({ capture: { calls: 2 } });
    for (const id of ['one', 'two', 'three'])
      await (await gateway.post(CHAT, { model: 'm' }, { headers: { 'x-request-id': id } })).text();
    await until(() => gateway.outcomes.length === 3);
    const kept = gateway.gateway.observe.recent().map(({ id, captured: has }) => [id, has]);
    expect(kept).toEqual([
      ['three', true],
      ['two', true],
      ['one', false],
    ]);
    gateway.gateway.observe.keepBodies(0);
    expect(gateway.gateway.observe.recent().some((call) => call.captured)).toBe(false);
  });

  it('are not there when nobody asked for them', async () => {
    for (const capture of [undefined, false, 'false'] as const) {
      const gateway = await captured({ capture });
      await (await gateway.post(CHAT, { model: 'm' })).text();
      const call = await only(gateway);
      expect(call.captured).toBe(false);
      expect(call).not.toHaveProperty('request');
    }
  });

  it('go when the config no longer wants them, also of calls that still ran', async () => {
    let finish = (): void => {};
    const backend = await fakeBackend((received, response) => {
      const answer = (): void => json(response, 200, {});
      if (received.body.includes('slow')) finish = answer;
      else answer();
    });
    const file = join(await tempDir(), 'jairouter.config.json');
    const save = (capture: ConfigInput['capture']) =>
      writeFile(file, JSON.stringify(oneInstance(backend.url, { capture })));
    await save(true);
    const { gateway, post, outcomes } = await startOnFile(file, { state: dirname(file) });
    const captured = () => gateway.observe.recent().map(({ id, captured: has }) => [id, has]);
    const call = async (id: string, body: object = {}) => {
      const headers = { 'x-request-id': id };
      await (await post(CHAT, { model: 'm', ...body }, { headers })).text();
    };
    for (const id of ['1', '2', '3']) await call(id);
    const slow = call('slow', { slow: true });
    await until(() => outcomes.length === 3 && backend.received.length === 4);
    await save({ calls: 2 });
    await gateway.live.reload('signal');
    expect(captured()).toEqual([
      ['3', true],
      ['2', true],
      ['1', false],
    ]);
    await save(false);
    await gateway.live.reload('signal');
    finish();
    await slow;
    await call('4');
    await until(() => outcomes.length === 5);
    expect(captured().filter(([, has]) => has)).toEqual([]);
    await save(true);
    await gateway.live.reload('signal');
    await call('5');
    await until(() => outcomes.length === 6);
    expect(captured().slice(0, 2)).toEqual([
      ['5', true],
      ['4', false],
    ]);
  });

  it('of a client that left have what there was of them', async () => {
    const gateway = await captured({}, () => {});
    const leaving = new AbortController();
    const answer = gateway.post(CHAT, { model: 'm' }, { signal: leaving.signal });
    await until(() => gateway.backend.received.length === 1);
    leaving.abort();
    await expect(answer).rejects.toThrow();
    const call = await only(gateway);
    expect(call.ending).toBe('aborted');
    expect(call.request!.text).toBe('{"model":"m"}');
    expect(call).not.toHaveProperty('answer');
  });
});
