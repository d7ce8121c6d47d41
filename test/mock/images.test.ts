import { crc32, inflateSync } from 'node:zlib';
import { toFile } from 'openai';
import { describe, expect, test } from 'vitest';
import { png } from '../../src/mock/png.ts';
import { client, post, started } from './started.ts';

const MODEL = 'mock-image';

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly colour: string;
}

/** Reads a PNG of one colour, and checks all that can be wrong with the file. */
function read(file: Buffer): Picture {
  expect(file.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < file.length;) {
    const length = file.readUInt32BE(at);
    const body = file.subarray(at + 4, at + 8 + length);
    expect(file.readUInt32BE(at + 8 + length)).toBe(crc32(body));
    chunks.set(body.toString('latin1', 0, 4), body.subarray(4));
    at += length + 12;
  }
  expect([...chunks.keys()]).toEqual(['IHDR', 'PLTE', 'IDAT', 'IEND']);
  const header = chunks.get('IHDR')!;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  expect(inflateSync(chunks.get('IDAT')!)).toHaveLength((1 + Math.ceil(width / 8)) * height);
  return { width, height, colour: chunks.get('PLTE')!.toString('hex') };
}

function decode(image: string | undefined): Picture {
  return read(Buffer.from(image!, 'base64'));
}

describe('images', () => {
  test('are PNG files, of a colour that depends on the prompt', async () => {
    const openai = await client();
    const paint = async (prompt: string): Promise<Picture> => {
      const { data } = await openai.images.generate({ model: MODEL, prompt });
      return decode(data![0]!.b64_json);
    };
    const fox = await paint('a fox');
    expect(fox).toMatchObject({ width: 256, height: 256 });
    expect(await paint('a fox')).toEqual(fox);
    expect((await paint('a wolf')).colour).not.toBe(fox.colour);
  });

  test('have the size and the number that are asked for', async () => {
    const openai = await client();
    const { data, usage } = await openai.images.generate({
      model: MODEL,
      prompt: 'a fox',
      size: '1536x1024',
      n: 2,
    });
    const pictures = data!.map((image) => decode(image.b64_json));
    expect(pictures).toMatchObject([
      { width: 1536, height: 1024 },
      { width: 1536, height: 1024 },
    ]);
    expect(pictures[0]!.colour).not.toBe(pictures[1]!.colour);
    expect(usage!.output_tokens).toBe(2);
  });

  test('come as a link that needs no server', async () => {
    const openai = await client();
    const { data } = await openai.images.generate({
      model: MODEL,
      prompt: 'a fox',
      response_format: 'url',
    });
    expect(data![0]!.b64_json).toBeUndefined();
    const image = Buffer.from(await (await fetch(data![0]!.url!)).arrayBuffer());
    expect(read(image)).toMatchObject({ width: 256 });
  });

  test('stream', async () => {
    const openai = await client();
    const stream = await openai.images.generate({
      model: MODEL,
      prompt: 'a fox',
      stream: true,
      partial_images: 2,
    });
    const types: string[] = [];
    for await (const event of stream) {
      types.push(event.type);
      decode(event.b64_json);
    }
    expect(types).toEqual([
      'image_generation.partial_image',
      'image_generation.partial_image',
      'image_generation.completed',
    ]);
  });

  test('are edited: another image, another colour', async () => {
    const openai = await client();
    const edit = async (blue: number): Promise<string> => {
      const file = await toFile(png(2, 2, { red: 0, green: 0, blue }), 'in.png');
      const { data } = await openai.images.edit({ model: MODEL, prompt: 'a hat', image: [file] });
      return decode(data![0]!.b64_json).colour;
    };
    expect(await edit(1)).toBe(await edit(1));
    expect(await edit(1)).not.toBe(await edit(2));
  });

  test('are edited from links in JSON', async () => {
    const { url } = await started();
    const order = { model: MODEL, prompt: 'a hat' };
    const images = [{ image_url: 'data:image/png;base64,AA==' }];
    const response = await post(`${url}/v1/images/edits`, { ...order, images });
    expect(response.status).toBe(200);
    const without = await post(`${url}/v1/images/edits`, order);
    expect(without.status).toBe(400);
    expect(await without.json()).toMatchObject({ error: { param: 'image' } });
  });

  test('are varied', async () => {
    const openai = await client();
    const image = await toFile(png(2, 2, { red: 9, green: 9, blue: 9 }), 'in.png');
    const { data } = await openai.images.createVariation({ model: MODEL, image, n: 2 });
    expect(data!.map((one) => decode(one.b64_json).width)).toEqual([256, 256]);
  });

  test.each([
    [{ prompt: undefined }, 'prompt'],
    [{ size: '99999x1' }, 'size'],
    [{ size: 'large' }, 'size'],
    [{ n: 11 }, 'n'],
    [{ output_format: 'webp' }, 'output_format'],
  ])('are refused for %o', async (wrong, param) => {
    const { url } = await started();
    const order = { model: MODEL, prompt: 'a fox', ...wrong };
    const response = await post(`${url}/v1/images/generations`, order);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param } });
  });
});
