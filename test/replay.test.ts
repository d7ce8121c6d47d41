import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import { describe, expect, it } from 'vitest';
import {
  chatChunk,
  fakeBackend,
  json,
  startEvents,
  type Behaviour,
} from './support/fake-backend.ts';
import { runCli, startCli } from './support/cli.ts';
import {
  oneInstance,
  startGateway,
  startReplay,
  until,
  type TestGateway,
} from './support/gateway.ts';
import { recorded, recordingsIn, reversed, shelve } from './support/recordings.ts';
import { tempDir } from './support/temp-dir.ts';

const CHAT = '/v1/chat/completions';
const HELLO = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] };
const SPEECH = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 256));

/** Answers as a backend for everything does, and never twice the same. */
function everything(): Behaviour {
  let count = 0;
  return async ({ path, body }, response) => {
    count += 1;
    if (path.endsWith('/speech')) {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      response.end(SPEECH);
    } else if (path.endsWith('/embeddings')) {
      // As Python writes it: values alone would not bring these bytes back.
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        '{"object": "list", "data": [{"embedding": [1.0, 2e-05], "index": 0}], "model": "m"}',
      );
    } else if (path.endsWith('/transcriptions')) {
      json(response, 200, { text: `It rains, ${count}.` });
    } else if (body.includes('"refuse"')) {
      json(response, 418, { error: { message: `I am ${count}`, type: 'x', code: null } });
    } else if (body.includes('"stream":true')) {
      startEvents(response);
      for (const word of ['Guten ', 'Tag, ', `${count}`]) {
        response.write(chatChunk(word));
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
      if (body.includes('"break"')) response.destroy();
      else {
        const choices = [{ index: 0, delta: {}, finish_reason: 'stop' }];
        response.end(`data: ${JSON.stringify({ id: 'c', choices })}\n\ndata: [DONE]\n\n`);
      }
    } else {
      const message = { role: 'assistant', content: `Grüß Gott, ${count}` };
      const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
      json(response, 200, {
        id: 'c',
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage,
      });
    }
  };
}

/** What clients of every kind get. Errors count as what they got too. */
function clientsOf({ url }: TestGateway): Readonly<Record<string, () => Promise<unknown>>> {
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'x', maxRetries: 0 });
  const anthropic = new Anthropic({ baseURL: url, apiKey: 'x', maxRetries: 0 });
  const messages = [{ role: 'user' as const, content: 'Hello' }];
  const list = async (stream: Promise<AsyncIterable<unknown>>): Promise<unknown[]> => {
    const events: unknown[] = [];
    for await (const event of await stream) events.push(event);
    return events;
  };
  return {
    chat: () => openai.chat.completions.create({ model: 'm', messages }),
    'chat, streamed': () =>
      list(openai.chat.completions.create({ model: 'm', messages, stream: true })),
    messages: () => anthropic.messages.create({ model: 'm', max_tokens: 9, messages }),
    'messages, streamed': () =>
      list(anthropic.messages.create({ model: 'm', max_tokens: 9, messages, stream: true })),
    responses: () => openai.responses.create({ model: 'm', input: 'Hello' }),
    'responses, streamed': () =>
      list(openai.responses.create({ model: 'm', input: 'Hello', stream: true })),
    embeddings: () =>
      openai.embeddings.create({ model: 'm', input: 'Hello', encoding_format: 'float' }),
    transcription: async () =>
      openai.audio.transcriptions.create({ model: 'm', file: await toFile(SPEECH, 'a.mp3') }),
    speech: async () => {
      const answer = await openai.audio.speech.create({ model: 'm', input: 'Hello', voice: 'x' });
      return Buffer.from(await answer.arrayBuffer());
    },
    'an error': () =>
      openai.chat.completions
        .create({ model: 'm', messages, user: 'someone', stop: 'refuse' })
        .catch(({ status, error }: InstanceType<typeof OpenAI.APIError>) => ({ status, error })),
    'a stream that breaks off': () =>
      list(
        openai.chat.completions.create({ model: 'm', messages, stream: true, stop: 'break' }),
      ).catch((error: Error) => error.message),
  };
}

describe('answers from recordings', () => {
  it('are what every client got, without the backend, and with the same bytes', async () => {
    const backend = await fakeBackend(everything());
    const dir = await tempDir();
    const before = await startGateway(oneInstance(backend.url, { capture: { dir } }));
    const names = Object.keys(clientsOf(before));
    const first: Record<string, unknown> = {};
    for (const name of names) first[name] = await clientsOf(before)[name]!();
    const raw = async ({ post }: TestGateway, body: object): Promise<Buffer> =>
      Buffer.from(await (await post('/v1/embeddings', body)).arrayBuffer());
    const bytes = await raw(before, { model: 'm', input: 'bytes' });
    const written = await recordingsIn(dir, names.length + 1);
    await backend.close();
    await before.close(0);

    const after = await startReplay(dir);
    for (const name of names) {
      const got = await clientsOf(after)[name]!();
      expect({ [name]: withoutRequestIds(got) }).toEqual({
        [name]: withoutRequestIds(first[name]),
      });
    }
    expect(await raw(after, { input: 'bytes', model: 'm' })).toEqual(bytes);
    expect(after.said).toEqual([]);
    expect(after.outcomes.map(({ ending }) => ending)).toEqual(
      written.map(({ recording }) => recording.ending),
    );
    expect(after.outcomes.every(({ instance }) => instance === 'replay')).toBe(true);
  });

  it('say that they are, and from which file', async () => {
    const dir = await tempDir();
    await shelve(dir, { 'greetings ü.json': recorded('Hi') });
    const { post } = await startReplay(dir);
    const answer = await post(CHAT, { ...HELLO, user: 'me', metadata: { a: '1' }, stop: null });
    expect(answer.headers.get('x-jairouter-replay')).toBe('exact');
    expect(decodeURI(answer.headers.get('x-jairouter-replay-file')!)).toBe('greetings ü.json');
    expect(answer.headers.get('x-jairouter-instance')).toBe('replay');
    expect(answer.headers.get('x-jairouter-attempts')).toBe('1');
    expect(await says(answer)).toBe('Hi');
  });

  it('are exact whatever the order of the keys', async () => {
    const dir = await tempDir();
    const fields = {
      ...HELLO,
      tools: [{ type: 'function', function: { name: 'f', strict: true } }],
    };
    await shelve(dir, { 'a.json': recorded('Hi', { request: { json: fields } }) });
    const { post } = await startReplay(dir);
    const answer = await post(CHAT, reversed(fields));
    expect(answer.headers.get('x-jairouter-replay')).toBe('exact');
  });

  it('come in the order of the recordings, and then again from the last', async () => {
    const dir = await tempDir();
    await shelve(dir, {
      'b.json': recorded('first', { at: '2026-11-26T18:00:00.000Z' }),
      'a.json': recorded('second', { at: '2026-11-26T18:00:01.000Z' }),
    });
    const { post } = await startReplay(dir);
    const said: unknown[] = [];
    for (let count = 0; count < 4; count++) said.push(await says(await post(CHAT, HELLO)));
    expect(said).toEqual(['first', 'second', 'second', 'second']);
  });

  it('come from the nearest one otherwise, with the difference said', async () => {
    const dir = await tempDir();
    const content = 'What is the capital of France?';
    await shelve(dir, {
      'france.json': recorded('Paris', { content }),
      'dinner.json': recorded('Soup', { content: 'What shall I cook for dinner tonight?' }),
      'error.json': recorded('no', { content, response: { status: 500 } }),
    });
    const { post } = await startReplay(dir);
    const ask = async (fields: object) => {
      const answer = await post(CHAT, { ...HELLO, ...fields });
      return [await says(answer), answer.headers.get('x-jairouter-replay')];
    };
    const user = (text: string) => ({ messages: [{ role: 'user', content: text }] });
    expect(await ask(user('What is the capital of Spain?'))).toEqual([
      'Paris',
      `nearest; user "What is the capital of Spain?", recorded "${content}"`,
    ]);
    expect(await ask({ ...user(content), model: 'other', temperature: 0, tools: [] })).toEqual([
      'Paris',
      'nearest; model "other", recorded "m"; temperature 0, recorded none; tools differs',
    ]);
    // The same words in another dialect's clothes are the same words.
    const parts = [{ type: 'text', text: 'What shall I cook for dinner tonight?' }];
    expect(await ask({ messages: [{ role: 'user', content: parts }] })).toEqual([
      'Soup',
      'nearest',
    ]);
  });

  it('are missing where nothing is near, in words that say what and what to do', async () => {
    const dir = await tempDir();
    await shelve(dir, { 'a.json': recorded('Hi') });
    const { post, outcomes } = await startReplay(dir);
    const messages = [{ role: 'user', content: 'Write a poem about the sea' }];
    const answer = await post(CHAT, { model: 'm', messages });
    expect(answer.status).toBe(404);
    const { error } = (await answer.json()) as { error: { message: string; code: string } };
    expect(error.code).toBe('recording_not_found');
    expect(error.message).toMatch(/chat for the model "m", not streamed.*closest is a\.json.*0 %/s);
    expect(error.message).toContain('"Write a poem about the sea", recorded "Hello"');
    const other = await post('/v1/messages', { model: 'm', max_tokens: 1, messages });
    expect(await other.json()).toMatchObject({
      type: 'error',
      error: { type: 'not_found_error', message: expect.stringContaining('none of its kind') },
    });
    const streamed = await post(CHAT, { ...HELLO, stream: true });
    expect(streamed.status).toBe(404);
    expect(outcomes.every(({ attempts }) => attempts.length === 0)).toBe(true);
  });

  it('take the time that they took, as many times as fast as is wanted', async () => {
    const dir = await tempDir();
    const events = [
      { at: 100, text: chatChunk('one') },
      { at: 400, text: 'data: [DONE]\n\n' },
    ];
    const slow = [events[0]!, { at: 600_000, text: 'data: [DONE]\n\n' }];
    const stream = (of: object[], content: string) =>
      recorded('', {
        request: { json: { ...HELLO, stream: true, messages: [{ role: 'user', content }] } },
        response: { headers: { 'content-type': 'text/event-stream' }, json: undefined, events: of },
      });
    await shelve(dir, { 'a.json': stream(events, 'short'), 'b.json': stream(slow, 'long') });
    const took = async (gateway: TestGateway, content: string): Promise<number> => {
      const began = performance.now();
      const body = { ...HELLO, stream: true, messages: [{ role: 'user', content }] };
      const answer = await gateway.post(CHAT, body);
      expect(answer.headers.get('x-jairouter-replay')).toBe('exact');
      expect(await answer.text()).toContain('[DONE]');
      return performance.now() - began;
    };
    expect(await took(await startReplay(dir, 1), 'short')).toBeGreaterThan(380);
    expect(await took(await startReplay(dir, 0.5), 'short')).toBeGreaterThan(760);
    const fast = await took(await startReplay(dir, 4000), 'long');
    expect(fast).toBeGreaterThan(140);
    expect(await took(await startReplay(dir), 'long')).toBeLessThan(60_000);
  });

  it('end when their client leaves, or the server', async () => {
    const dir = await tempDir();
    const events = [
      { at: 0, text: chatChunk('one') },
      { at: 600_000, text: chatChunk('two') },
    ];
    await shelve(dir, {
      'a.json': recorded('', {
        request: { json: { ...HELLO, stream: true } },
        response: { headers: { 'content-type': 'text/event-stream' }, json: undefined, events },
      }),
    });
    const server = await startReplay(dir, 1);
    const { post, outcomes } = server;
    const leaving = new AbortController();
    const left = await post(CHAT, { ...HELLO, stream: true }, { signal: leaving.signal });
    await left.body!.getReader().read();
    leaving.abort();
    await until(() => outcomes.length === 1);
    expect(outcomes[0]).toMatchObject({
      ending: 'aborted',
      errorKind: undefined,
      attempts: [{ instance: 'replay', ending: 'aborted', errorKind: undefined }],
    });
    const answer = await post(CHAT, { ...HELLO, stream: true });
    const reader = answer.body!.getReader();
    await reader.read();
    const closed = server.close(0);
    const { value } = await reader.read();
    expect(Buffer.from(value ?? '').toString()).toContain('"error"');
    await closed;
    await until(() => outcomes.length === 2);
    expect(outcomes[1]).toMatchObject({ ending: 'broken' });
  });

  it('stop when the one instance is told to, as those of any other', async () => {
    const dir = await tempDir();
    await shelve(dir, { 'a.json': recorded('Hi') });
    const { post, admin } = await startReplay(dir);
    expect((await admin('PATCH /admin/instances/replay', { draining: true })).status).toBe(200);
    const refused = await post(CHAT, HELLO);
    expect(refused.status).toBe(503);
    expect(await refused.text()).toContain('replay is draining');
    await admin('PATCH /admin/instances/replay', { draining: false });
    expect(await says(await post(CHAT, HELLO))).toBe('Hi');
  });

  it('of a connection that was torn are torn', async () => {
    const dir = await tempDir();
    await shelve(dir, {
      'a.json': recorded('', {
        call: { ending: 'broken', operation: 'speech' },
        request: { json: { model: 'm', input: 'Hello' } },
        response: { headers: {}, json: undefined, base64: SPEECH.toString('base64'), torn: true },
      }),
    });
    const { post } = await startReplay(dir);
    const answer = await post('/v1/audio/speech', { model: 'm', input: 'Hello' });
    await expect(answer.arrayBuffer()).rejects.toThrow();
  });

  it('follow the folder as it is edited', async () => {
    const dir = await tempDir();
    await shelve(dir, { 'a.json': recorded('before') });
    const gateway = await startReplay(dir);
    expect(await says(await gateway.post(CHAT, HELLO))).toBe('before');
    await shelve(dir, {
      'a.json': recorded('afterwards'),
      'b.json': recorded('x', { model: 'other', content: 'New' }),
    });
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(await says(await gateway.post(CHAT, HELLO))).toBe('afterwards');
    const models = async (): Promise<string[]> => {
      const { data } = (await (await fetch(`${gateway.url}/v1/models`)).json()) as {
        data: { id: string }[];
      };
      return data.map(({ id }) => id);
    };
    for (const began = Date.now(); (await models()).length < 2 && Date.now() - began < 5000;);
    expect(await models()).toEqual(['m', 'other']);
    await rm(join(dir, 'a.json'));
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect((await gateway.post(CHAT, { ...HELLO, messages: [] })).status).toBe(404);
  });

  it('leave out files that are none, and name them with what is wrong', async () => {
    const dir = await tempDir();
    await shelve(dir, {
      'a.json': '{\n  "version": 1,\n  oops',
      'b.json': { name: 'package' },
      'c.json': { version: 7 },
      'd.json': recorded('Hi', { call: { operation: 'dance' } }),
      'e.json': recorded('Hi', { response: { status: 'fine' } }),
      'f.json': recorded('Hi', { response: { json: undefined, truncated: true, text: '{"id' } }),
      'g.json': recorded('Hi', { response: { text: 'two bodies' } }),
      'h.json': recorded('Hi', { response: { json: undefined, events: [{ text: 'x' }] } }),
      'i.json': recorded('Hi', { call: { at: 'yesterday' } }),
      'left.json': recorded('Hi', { call: { ending: 'aborted' } }),
      'fine.json': recorded('Hi'),
      'notes.txt': 'not looked at',
    });
    const { said, post } = await startReplay(dir);
    expect(said).toEqual([
      expect.stringMatching(/^a\.json is left out: it is not valid JSON \(line 3\): /),
      'b.json is left out: it is no recording: it has no "version"',
      'c.json is left out: it is of version 7; version 1 can be read',
      'd.json is left out: it has no "operation" that is known ("dance")',
      'e.json is left out: it must have a "response.status" from 200 to 599',
      'f.json is left out: it has only a part of its answer: raise capture.maxFileBytes, and record it again',
      'g.json is left out: it has more than one body in "response": json and text',
      'h.json is left out: it must have "response.events[0].at", in milliseconds since the call came in',
      'i.json is left out: it must have "at", a time such as 2026-11-26T18:05:12.123Z',
    ]);
    expect(await says(await post(CHAT, HELLO))).toBe('Hi');
  });
});

describe('serve --replay', () => {
  it('needs no config, and tells what it has', async () => {
    const home = await tempDir();
    await shelve(join(home, 'calls'), { 'a.json': recorded('Hi'), 'b.json': '{' });
    await writeFile(join(home, 'jairouter.config.yaml'), 'nonsense: true');
    const server = startCli(['serve', '--port', '0', '--replay', 'calls', '--speed', 'max'], {
      cwd: home,
    });
    const [, url] = await server.waitFor(/endpoint\s+(\S+)\/v1/);
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
    const answer = await fetch(url + CHAT, { method: 'POST', body: JSON.stringify(HELLO) });
    expect(await says(answer)).toBe('Hi');
    await server.waitFor(/200 .* m -> replay/);
    const { stdout } = await server.stop();
    expect(stdout).toMatch(/replays {3}calls: 1 call of 1 model\n/);
    expect(stdout).toContain('b.json is left out: it is not valid JSON');
  });

  it.each([
    [['--replay', 'nowhere'], /--replay nowhere: there is no such folder/],
    [['--replay', '.', '--record', 'x'], /--replay <dir>' cannot be used with option '--record/],
    [['--replay', '.', '--speed', '0'], /must be a number above 0, like 2 or 0\.5, or max/],
    [['--speed', '2'], /--speed goes with --replay/],
  ])('refuses %j', async (options, message) => {
    const { code, stderr } = await runCli(['serve', ...options], { cwd: await tempDir() });
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

/** What the answer of a chat says. */
async function says(answer: Response): Promise<string> {
  const { choices } = (await answer.json()) as { choices: { message: { content: string } }[] };
  return choices[0]!.message.content;
}

/** SDKs hang the id of each call on what they give. */
function withoutRequestIds(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('hex');
  return JSON.parse(
    JSON.stringify(value, (key, item: unknown) =>
      key === '_request_id' || key === 'request_id' ? undefined : item,
    ),
  );
}
