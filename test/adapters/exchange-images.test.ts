import { describe, expect, it } from 'vitest';
import { type OwnName, postForm, scene, type Script } from './exchange.ts';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);
const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);
const png = PNG.toString('base64');
const jpeg = JPEG.toString('base64');

const MAKERS = ['vllm', 'xinference', 'localai', 'gpustack', 'sglang'] as const;

describe.each(MAKERS)('images made by %s', (adapter) => {
  const two: Script = {
    body: {
      data: [
        { url: null, b64_json: png, revised_prompt: null },
        { b64_json: jpeg, url: '' },
      ],
      created: 5,
    },
  };

  it.each([undefined, null, 'b64_json'])('are bytes (%s)', async (format) => {
    const { post, json } = await scene(adapter, { 'POST *': two });
    const reply = await post('/v1/images/generations', {
      prompt: 'Bär',
      n: 2,
      size: '256x256',
      model: 'm',
      ...(format === undefined ? {} : { response_format: format }),
    });
    expect(await reply.json()).toEqual({
      created: 5,
      data: [{ b64_json: png }, { b64_json: jpeg }],
    });
    expect(json()).toEqual({
      prompt: 'Bär',
      n: 2,
      size: '256x256',
      model: 'm',
      response_format: 'b64_json',
    });
  });

  it('are addresses that hold them, when the client wants addresses', async () => {
    const { post, json } = await scene(adapter, { 'POST *': two });
    const call = { model: 'm', prompt: 'p', response_format: 'url' };
    const reply = await post('/v1/images/generations', call);
    expect(((await reply.json()) as { data: unknown }).data).toEqual([
      { url: `data:image/png;base64,${png}` },
      { url: `data:image/jpeg;base64,${jpeg}` },
    ]);
    expect(json()['response_format']).toBe('b64_json');
  });

  it.each(['/root/.xinference/image/a.png', 'C:\\images\\a.png', 'file:///tmp/a.png', null])(
    'that are only a path on the server are an error: %s',
    async (url) => {
      const body = { created: 1, data: [{ url, b64_json: null }] };
      const { post } = await scene(adapter, { 'POST *': { body } });
      const reply = await post('/v1/images/generations', { model: 'm', prompt: 'p' });
      expect(reply.status).toBe(502);
      expect(await reply.text()).not.toMatch(/xinference\/|C:|file:/);
    },
  );

  it.each([
    ['/generated-images/a%20b.png?x=1', 'GET /generated-images/a%20b.png'],
    ['/v1/images/img-1/content', 'GET /v1/images/img-1/content'],
    ['http://internal:8080/generated-images/a.png', 'GET /generated-images/a.png'],
  ])('that are kept on the server are fetched from it: %s', async (url, route) => {
    const body = { created: 1, data: [{ b64_json: png }, { url }] };
    const { post, asked } = await scene(
      adapter,
      { 'POST *': { body }, [route]: { body: JPEG, headers: { 'content-type': 'image/png' } } },
      { apiKey: 'secret' },
    );
    const reply = await post('/v1/images/generations', { model: 'm', prompt: 'p', n: 2 });
    expect(((await reply.json()) as { data: unknown }).data).toEqual([
      { b64_json: png },
      { b64_json: jpeg },
    ]);
    expect(asked.at(-1)?.headers.authorization).toBe('Bearer secret');
  });

  it('are events for who asked for a stream', async () => {
    const { post, json } = await scene(adapter, { 'POST *': two });
    const call = { model: 'm', prompt: 'p', stream: true, partial_images: 2 };
    const reply = await post('/v1/images/generations', call);
    expect(reply.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const events = (await reply.text()).trim().split('\n\n');
    expect(events).toHaveLength(2);
    for (const event of events)
      expect(event).toMatch(/^event: image_generation\.completed\ndata: /);
    expect(json()).not.toHaveProperty('stream');
    expect(json()).not.toHaveProperty('partial_images');
  });
});

describe.each(['vllm', 'xinference', 'gpustack', 'sglang', 'openai'] as const)(
  'edits by %s',
  (adapter) => {
    it('keep every image, in order, and their bytes', async () => {
      const { last, ...gateway } = await scene(adapter, {
        'POST *': { body: { created: 1, data: [{ b64_json: png }] } },
      });
      const reply = await postForm(gateway, '/v1/images/edits', [
        ['model', 'm'],
        ['image[]', PNG],
        ['image[]', JPEG],
        ['prompt', 'Größer'],
        ['mask', PNG],
      ]);
      expect(await reply.json()).toEqual({ created: 1, data: [{ b64_json: png }] });
      const sent = last().body;
      const names = [...sent.toString('latin1').matchAll(/; name="([^"]+)"/g)].map((m) => m[1]);
      expect(names.slice(0, 5)).toEqual(['model', 'image[]', 'image[]', 'prompt', 'mask']);
      expect(names.slice(5)).toEqual(adapter === 'openai' ? [] : ['response_format']);
      expect(sent.includes(PNG) && sent.includes(JPEG)).toBe(true);
      expect(last().path).toBe('/v1/images/edits');
    });
  },
);

describe('OpenAI’s images', () => {
  it('pass as they are, addresses too', async () => {
    const data = [{ url: 'https://oai.blob/a.png?sig=1', revised_prompt: 'b' }];
    const gateway = await scene('openai', { 'POST *': { body: { created: 1, data } } });
    const call = { model: 'm', prompt: 'p' };
    const reply = await gateway.post('/v1/images/generations', call);
    expect(await reply.json()).toEqual({ created: 1, data });
    expect(gateway.json()).toEqual(call);
  });
});

it.each<readonly [OwnName, string, string]>([
  ['ollama', '/v1/images/generations', 'imageGeneration'],
  ['ollama', '/v1/audio/speech', 'speech'],
  ['ollama', '/v1/rerank', 'rerank'],
])('%s has no %s: 501 with the adapters that have', async (adapter, path, service) => {
  const { post, last } = await scene(adapter, {});
  const reply = await post(path, {
    model: 'm',
    prompt: 'p',
    input: 'i',
    query: 'q',
    documents: ['d'],
  });
  expect(reply.status).toBe(501);
  const { error } = (await reply.json()) as { error: { message: string; code: string } };
  expect(error.code).toBe('unsupported_service');
  expect(error.message).toContain(service);
  expect(error.message).toMatch(/xinference.*localai.*gpustack/);
  expect(last()).toBe(undefined);
});
