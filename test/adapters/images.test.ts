import { describe, expect, it } from 'vitest';
import type { Adapter } from '../../src/adapters/adapter.ts';
import { gpustack } from '../../src/adapters/gpustack.ts';
import { localai } from '../../src/adapters/localai.ts';
import { openai } from '../../src/adapters/openai.ts';
import { vllm } from '../../src/adapters/vllm.ts';
import { xinference } from '../../src/adapters/xinference.ts';
import { bodyOf, wireSample, type SamplePart } from '../support/wire-samples.ts';
import { eventsOf, formCall, jsonCall } from './call.ts';

const PNG = Buffer.from('89504e470d0a1a0a', 'hex').toString('base64');
const JPEG = Buffer.from('ffd8ffe0', 'hex').toString('base64');
const WEBP = Buffer.from('RIFF....WEBP').toString('base64');

const transform = (adapter: Adapter, fields = {}) =>
  adapter.operations.imageGenerations!.response!(jsonCall('imageGenerations', fields))!;
const outward = (answer: unknown, fields = {}): unknown => {
  const changed = transform(xinference, fields).body!(Buffer.from(JSON.stringify(answer)), '');
  return changed && JSON.parse(String(changed.body));
};

describe('an image request', () => {
  it.each([xinference, localai, vllm, gpustack])('asks $name for the bytes', (adapter: Adapter) => {
    const patch = (fields: object) =>
      adapter.operations.imageGenerations!.request!(jsonCall('imageGenerations', { ...fields }));
    for (const fields of [{}, { response_format: 'url' }]) {
      expect(patch(fields)?.set).toEqual({ response_format: 'b64_json' });
    }
    expect(patch({ response_format: 'b64_json' })).toBe(undefined);
    const streamed = patch({ response_format: 'b64_json', stream: true });
    expect(streamed?.remove).toEqual(['stream', 'partial_images']);
  });

  it('goes to OpenAI as it is, whose newer models refuse a format', () => {
    for (const operation of ['imageGenerations', 'imageEdits', 'imageVariations'] as const) {
      expect(Object.keys(openai.operations[operation])).toEqual(['path']);
    }
  });

  it.each([xinference, localai, vllm])(
    'that names its images in JSON is refused for $name, which takes forms',
    (adapter: Adapter) => {
      const call = jsonCall('imageEdits', { images: [{ image_url: 'data:…' }], prompt: 'x' });
      expect(() => adapter.operations.imageEdits!.request!(call)).toThrow(/multipart\/form-data/);
    },
  );
});

describe('an image answer', () => {
  it('has the bytes, and no key without a value', () => {
    const item = { url: null, b64_json: PNG, revised_prompt: null, extra: 1 };
    expect(outward({ created: 1, data: [item], usage: null })).toEqual({
      created: 1,
      data: [{ b64_json: PNG, extra: 1 }],
    });
  });

  it.each([
    ['png', PNG],
    ['jpeg', JPEG],
    ['webp', WEBP],
  ])('has a data URL of its kind for a client that asked for a URL: %s', (kind, base64) => {
    const data = [{ b64_json: base64, revised_prompt: 'x' }];
    expect(outward({ data }, { response_format: 'url' })).toEqual({
      data: [{ url: `data:image/${kind};base64,${base64}`, revised_prompt: 'x' }],
    });
  });

  it('is left alone when it is right, or is something else', () => {
    expect(outward({ created: 1, data: [{ b64_json: PNG }] })).toBe(undefined);
    expect(outward({ hello: 1 })).toBe(undefined);
  });

  it('is broken when it is a path on the disk of the server', () => {
    const body = bodyOf(wireSample('xinference', 'images-generations-url'));
    expect(() => transform(xinference).body!(body, '')).toThrow(/path on its own disk/);
    expect(() => outward({ data: [{}] })).toThrow(/path on its own disk/);
  });

  it('keeps an address that anybody can reach', () => {
    const data = [{ url: 'https://cdn.example.com/a.png', b64_json: null }];
    expect(outward({ data })).toEqual({ data: [{ url: 'https://cdn.example.com/a.png' }] });
  });

  it('takes in what LocalAI only links to', () => {
    const body = bodyOf(wireSample('localai', 'images-inpainting'));
    const { links, body: change } = transform(localai);
    expect(links!(body, '')).toEqual(['/generated-images/inpaint_1.png']);
    const changed = change!(body, '', [Buffer.from('the image')]);
    expect((JSON.parse(String(changed!.body)) as { data: unknown }).data).toEqual([
      { b64_json: Buffer.from('the image').toString('base64') },
    ]);
  });

  it('follows no link that is not the backend’s own', () => {
    const urls = ['https://cdn.example.com/a.png', '/root/.xinference/a.jpg', null];
    const body = Buffer.from(JSON.stringify({ data: urls.map((url) => ({ url })) }));
    expect(transform(localai).links!(body, '')).toEqual([]);
    const inline = Buffer.from(
      JSON.stringify({ data: [{ b64_json: PNG, url: 'http://h/generated-images/x' }] }),
    );
    expect(transform(localai).links!(inline, '')).toEqual([]);
  });

  it('is a stream with one event an image, for a client that asked for one', () => {
    const answer = { created: 7, data: [{ b64_json: PNG }, { b64_json: JPEG }] };
    const body = Buffer.from(JSON.stringify(answer));
    const changed = transform(vllm, { stream: true, size: '1024x1024' }).body!(body, '');
    expect(changed!.contentType).toMatch(/^text\/event-stream/);
    const events = eventsOf(String(changed!.body));
    expect(events.map(({ event }) => event)).toEqual(
      Array.from({ length: 2 }, () => 'image_generation.completed'),
    );
    expect(JSON.parse(events[1]!.data)).toEqual({
      type: 'image_generation.completed',
      b64_json: JPEG,
      created_at: 7,
      size: '1024x1024',
      quality: 'auto',
      background: 'auto',
      output_format: 'jpeg',
    });
  });
});

describe('an edit by LocalAI', () => {
  const { _multipart } = wireSample('localai', 'images-inpainting').request.body!;
  const [image, mask, ...rest] = _multipart as readonly SamplePart[];
  const patch = (...parts: readonly (SamplePart | undefined)[]) => {
    const call = formCall(
      'imageEdits',
      parts.filter((part) => part !== undefined),
    );
    return { call, patch: localai.operations.imageEdits.request(call) };
  };

  it('sends the one image, and a white-on-black mask', () => {
    const { call, patch: changes } = patch({ ...image!, name: 'image[]' }, mask, ...rest);
    const sent = changes.parts!(call.form!);
    expect(sent.map(({ name }) => name)).toEqual(['image', 'mask', 'model', 'prompt', 'steps']);
    expect(sent[0]!.data).toBe(call.form![0]!.data);
    expect(sent[1]).toMatchObject({ filename: 'm.png', contentType: 'image/png' });
    // 8 bits, grey.
    expect([...sent[1]!.data.subarray(24, 26)]).toEqual([8, 0]);
    expect(sent.slice(2)).toEqual(call.form!.slice(2));
    expect(sent[2]).toBe(call.form![2]);
  });

  it('is refused, with the reason, when it needs more than LocalAI can', () => {
    expect(() => patch(image, ...rest)).toThrow(/send a PNG as mask/);
    expect(() => patch(mask, ...rest)).toThrow(/one image at a time, not 0/);
    expect(() => patch(image, image, mask)).toThrow(/one image at a time, not 2/);
    expect(() => patch(image, mask, { name: 'n', value: '2' })).toThrow(/leave out n/);
    const jpeg = { ...mask!, base64: JPEG };
    expect(() => patch(image, jpeg)).toThrow(/The mask is not a PNG file/);
  });
});
