import { crc32, deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestRefused } from '../../src/adapters/adapter.ts';
import { toInpaintingMask } from '../../src/adapters/mask.ts';

interface Picture {
  readonly width: number;
  readonly height: number;
  /** 4: grey with alpha, 6: RGBA. */
  readonly colour: number;
  readonly pixels: Buffer;
  /** One for each row. */
  readonly filters: readonly number[];
}

function chunk(kind: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

function png(
  { width, height, colour, pixels, filters }: Picture,
  change: { readonly depth?: number; readonly interlace?: number } = {},
): Buffer {
  const size = colour === 4 ? 2 : colour === 6 ? 4 : 3;
  const at = (x: number, y: number) => (x < 0 || y < 0 ? 0 : pixels[y * width * size + x]!);
  const rows: number[] = [];
  for (let y = 0; y < height; y += 1) {
    const filter = filters[y % filters.length]!;
    rows.push(filter);
    for (let x = 0; x < width * size; x += 1) {
      const [left, up, corner] = [
        at(x - size, y),
        at(x, y - 1),
        x < size ? 0 : at(x - size, y - 1),
      ];
      const p = left + up - corner;
      const near = [left, up, corner].toSorted((a, b) => Math.abs(p - a) - Math.abs(p - b))[0]!;
      const guess = [0, left, up, (left + up) >> 1, near][filter]!;
      rows.push((at(x, y) - guess) & 0xff);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([change.depth ?? 8, colour, 0, 0, change.interlace ?? 0], 8);
  const packed = deflateSync(Buffer.from(rows));
  const half = packed.length >> 1;
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('tEXt', Buffer.from('Software\0test')),
    chunk('IDAT', packed.subarray(0, half)),
    chunk('IDAT', packed.subarray(half)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The pixels of an 8-bit grey PNG without filters, checked as a reader would. */
function readGrey(file: Buffer): { width: number; height: number; pixels: number[] } {
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < file.length;) {
    const length = file.readUInt32BE(at);
    const body = file.subarray(at + 4, at + 8 + length);
    expect(file.readUInt32BE(at + 8 + length)).toBe(crc32(body));
    chunks.set(body.toString('latin1', 0, 4), body.subarray(4));
    at += length + 12;
  }
  expect([...chunks.keys()]).toEqual(['IHDR', 'IDAT', 'IEND']);
  const header = chunks.get('IHDR')!;
  expect([...header.subarray(8)]).toEqual([8, 0, 0, 0, 0]);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const rows = inflateSync(chunks.get('IDAT')!);
  const pixels: number[] = [];
  for (let y = 0; y < height; y += 1) {
    expect(rows[y * (width + 1)]).toBe(0);
    pixels.push(...rows.subarray(y * (width + 1) + 1, (y + 1) * (width + 1)));
  }
  return { width, height, pixels };
}

const picture: fc.Arbitrary<Picture> = fc
  .record({
    width: fc.integer({ min: 1, max: 9 }),
    height: fc.integer({ min: 1, max: 9 }),
    colour: fc.constantFrom(4, 6),
    filters: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 9 }),
  })
  .chain((shape) => {
    const length = shape.width * shape.height * (shape.colour === 4 ? 2 : 4);
    const byte = fc.oneof(fc.constantFrom(0, 255), fc.integer({ min: 0, max: 255 }));
    return fc
      .array(byte, { minLength: length, maxLength: length })
      .map((bytes) => ({ ...shape, pixels: Buffer.from(bytes) }));
  });

describe('a mask for inpainting', () => {
  it('is white where the client’s is fully transparent, and black elsewhere', () => {
    fc.assert(
      fc.property(picture, (mask) => {
        const size = mask.colour === 4 ? 2 : 4;
        const alphas = [...mask.pixels].filter((_, index) => index % size === size - 1);
        const { width, height, pixels } = readGrey(toInpaintingMask(png(mask)));
        expect([width, height]).toEqual([mask.width, mask.height]);
        expect(pixels).toEqual(alphas.map((alpha) => (alpha === 0 ? 255 : 0)));
      }),
    );
  });

  const whole = { width: 2, height: 2, colour: 6, pixels: Buffer.alloc(16), filters: [0] };
  it.each([
    ['is not a PNG file', Buffer.from('\xff\xd8\xff JPEG', 'latin1')],
    ['is a damaged PNG file', png(whole).subarray(0, 20)],
    ['is a damaged PNG file', png({ ...whole, filters: [7] })],
    [
      'is a damaged PNG file',
      png({ ...whole, pixels: Buffer.alloc(4), height: 1, width: 1 }).fill(0xff, 60, 64),
    ],
    ['has no alpha channel', png({ ...whole, colour: 2 })],
    ['has 16 bits a channel', png(whole, { depth: 16 })],
    ['is interlaced', png(whole, { interlace: 1 })],
    ['the limit is 4096×4096', png({ ...whole, width: 5000, height: 1 })],
  ])('cannot be made when the file %s', (why, file) => {
    expect(() => toInpaintingMask(file)).toThrow(RequestRefused);
    expect(() => toInpaintingMask(file)).toThrow(why);
  });
});
