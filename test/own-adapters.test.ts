import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../src/config/schema.ts';
import { fakeBackend, json, startEvents, type FakeBackend } from './support/fake-backend.ts';
import { startOnFile, until, type TestGateway } from './support/gateway.ts';
import { tempDir } from './support/temp-dir.ts';

const page = readFileSync(new URL('../docs/adapters.md', import.meta.url), 'utf8');

/** The first block of that language which has `word` in it. */
function block(language: string, word: string): string {
  const blocks = [...page.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))];
  return blocks.map(([, text = '']) => text).find((text) => text.includes(word))!;
}

const KEY = 'acme-key';

/** The server that docs/adapters.md tells of. */
async function acme(): Promise<FakeBackend & { status: unknown }> {
  const backend = await fakeBackend((received, response) => {
    if (received.headers['x-acme-key'] !== KEY) return json(response, 401, { error: 'no key' });
    const fields = JSON.parse(received.body.toString()) as Record<string, unknown>;
    if (received.path === '/api/vectors')
      return json(response, 200, { vector: [1, fields['text']] });
    const reply = `limit ${String(fields['limit'])}, ${String(fields['temperature'])}`;
    if (fields['stream'] !== true) return json(response, 200, { reply });
    startEvents(response);
    for (const word of reply.split(' ')) {
      response.write(`data: ${JSON.stringify({ reply: `${word} ` })}\n\n`);
    }
    response.end('data: [DONE]\n\n');
  });
  const own: { status: unknown } = { status: { ready: true, version: '1.2' } };
  const served = Object.assign(backend, own);
  backend.serve('/api/status', () => served.status);
  backend.serve('/api/models', () => JSON.parse(block('json', 'acme-embed')) as unknown);
  return served;
}

interface Files {
  readonly folder: string;
  readonly write: (name: string, text: string) => Promise<void>;
  readonly start: (config: string | ConfigInput) => Promise<TestGateway>;
}

async function files(): Promise<Files> {
  const folder = await tempDir();
  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  return {
    folder,
    write,
    async start(config) {
      const name = 'jairouter.config.yaml';
      await write(name, typeof config === 'string' ? config : JSON.stringify(config));
      return startOnFile(join(folder, name), {
        env: { ACME_KEY: KEY },
        state: join(folder, 'state'),
      });
    },
  };
}

const chat = (gateway: TestGateway, more: object = {}): Promise<Response> =>
  gateway.post('/v1/chat/completions', { model: 'acme-1', messages: [], ...more });

describe('the adapter that docs/adapters.md builds', () => {
  async function serve(): Promise<
    Files & { gateway: TestGateway; backend: FakeBackend & { status: unknown } }
  > {
    const [backend, all] = [await acme(), await files()];
    await all.write('acme.ts', block('ts', 'defineAdapter'));
    const config = block('yaml', './acme.ts').replace('http://127.0.0.1:9900', backend.url);
    return { ...all, backend, gateway: await all.start(config) };
  }

  it('serves chat, streams, vectors and its models, with its key', async () => {
    const { gateway } = await serve();
    const instance = gateway.gateway.fleet.get('desk')!;
    expect(instance).toMatchObject({ state: 'healthy', version: '1.2' });
    expect([...instance.catalogue.models.values()]).toEqual([
      { id: 'acme-1', services: ['chat'], contextLength: 32768 },
      { id: 'acme-embed', services: ['embeddings'], contextLength: 0 },
    ]);
    expect(await (await chat(gateway, { max_tokens: 7, temperature: 1 })).json()).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: 'limit 7, 1' } }],
    });
    const stream = await (
      await chat(gateway, { max_tokens: 7, temperature: 1, stream: true })
    ).text();
    const words = [...stream.matchAll(/"content":"(.*?)"/g)].map(([, word]) => word);
    expect(words.join('')).toBe('limit 7, 1 ');
    expect(stream).toMatch(/data: \[DONE\]\n\n$/);
    const vectors = await gateway.post('/v1/embeddings', { model: 'acme-embed', input: ['a'] });
    expect(await vectors.json()).toMatchObject({ data: [{ index: 0, embedding: [1, 'a'] }] });
  });

  it('refuses what Acme can’t do, in the client’s words', async () => {
    const { gateway } = await serve();
    const answer = await chat(gateway, { max_tokens: 1001 });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { param: 'max_tokens', code: 'unsupported_parameter' },
    });
  });

  it('tells what it waits for', async () => {
    const [backend, all] = [await acme(), await files()];
    backend.status = { ready: false, waiting_for: 'its weights' };
    await all.write('acme.ts', block('ts', 'defineAdapter'));
    const gateway = await all.start(
      block('yaml', './acme.ts').replace('http://127.0.0.1:9900', backend.url),
    );
    expect(gateway.gateway.fleet.get('desk')).toMatchObject({
      state: 'loading',
      stateDetail: 'it waits for its weights',
    });
  });

  it('is run anew when its file changes, and only then', async () => {
    const { gateway, write } = await serve();
    const { fleet, live } = gateway.gateway;
    const first = fleet.get('desk')!;
    await live.edits.patchInstance('desk', { weight: 2 });
    expect(fleet.get('desk')).toBe(first);
    await write('acme.ts', block('ts', 'defineAdapter').replaceAll('1000', '2000'));
    await until(() => fleet.get('desk') !== first, 10_000);
    expect(gateway.said.at(-1)).toContain('adapters.acme: its code changed');
    expect((await chat(gateway, { max_tokens: 1001 })).status).toBe(200);
    // The one that is there is kept while the file has a mistake.
    await write('acme.ts', 'export default { name: "acme" };');
    await until(() => live.status().error !== undefined, 10_000);
    expect((await chat(gateway)).status).toBe(200);
  });
});

describe('an adapter without code', () => {
  it('does as docs/adapters.md says', async () => {
    const backend = await fakeBackend((received, response) =>
      json(response, 200, { path: received.path }),
    );
    backend.serve('/llm/catalogue', () => ({ data: [{ id: 'acme-1' }] }));
    const { start } = await files();
    const text = block('yaml', 'acme-cloud').replace('https://api.acme.example', backend.url);
    const gateway = await start(text);
    const instance = gateway.gateway.fleet.get('acme')!;
    expect(instance.state).toBe('healthy');
    expect(await (await chat(gateway)).json()).toEqual({ path: '/llm/v2/chat/completions' });
    expect(backend.received[0]?.headers['x-acme-key']).toBe(KEY);
    expect(backend.received[0]?.headers.authorization).toBeUndefined();
    expect(instance.supports('embeddings')).toBe(true);
    expect(instance.supports('speech')).toBe(false);
  });

  it('may extend another one of the user’s, wherever that stands', async () => {
    const backend = await acme();
    const { start, write } = await files();
    await write('acme.ts', block('ts', 'defineAdapter'));
    const gateway = await start({
      adapters: {
        third: { extends: 'second', models: ['acme-9'] },
        second: { extends: 'first', paths: { chat: '/api/chat' }, services: ['chat'] },
        first: './acme.ts',
      },
      instances: { a: { adapter: 'third', baseUrl: backend.url, apiKey: KEY } },
    });
    const instance = gateway.gateway.fleet.get('a')!;
    expect(instance.adapter.name).toBe('third');
    expect([...instance.catalogue.models.keys()]).toEqual(['acme-9']);
    expect((await gateway.post('/v1/chat/completions', { model: 'acme-9' })).status).toBe(200);
    expect(instance.supports('embeddings')).toBe(false);
  });

  it('has the address that its port says', async () => {
    const backend = await fakeBackend();
    const { start } = await files();
    const gateway = await start({
      adapters: { mine: { extends: 'openai', ports: [backend.port] } },
      instances: { a: { adapter: 'mine' } },
    });
    expect((await gateway.post('/v1/chat/completions', { model: 'm' })).status).toBe(200);
  });
});
