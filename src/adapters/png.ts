import { crc32, deflateSync, inflateSync } from 'node:zlib';

/** One byte a pixel, row by row. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly pixels: Buffer;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Bytes a pixel of the colour types that have an alpha channel, which is the pixel's last byte. */
const PIXEL_BYTES: Readonly<Record<number, number>> = { 4: 2, 6: 4 };
/** Image models take no more; it bounds what a small file can be blown up to. */
const MAX_SIDE = 4096;

/**
 * Reads the alpha channel of a PNG: grey or RGB with alpha, 8 bits, not interlaced.
 * @throws Error saying what the file is instead, as the end of a sentence.
 */
export function readAlpha(file: Buffer): Plane {
  if (!file.subarray(0, 8).equals(SIGNATURE)) throw new Error('is not a PNG file');
  const chunks = [...readChunks(file)];
  const header = chunks.find(({ kind }) => kind === 'IHDR')?.data;
  if (!header || header.length < 13) throw new Error('is a damaged PNG file');
  const width = header.readUInt32BE(0);
  const height = header.readUInt32BE(4);
  const pixelBytes = PIXEL_BYTES[header[9]!];
  if (pixelBytes === undefined) throw new Error('has no alpha channel');
  if (header[8] !== 8) throw new Error(`has ${header[8]} bits a channel instead of 8`);
  if (header[12] !== 0) throw new Error('is interlaced');
  if (width === 0 || height === 0 || width > MAX_SIDE || height > MAX_SIDE) {
    throw new Error(`is ${width}×${height} pixels, but the limit is ${MAX_SIDE}×${MAX_SIDE}`);
  }
  const packed = Buffer.concat(chunks.flatMap(({ kind, data }) => (kind === 'IDAT' ? data : [])));
  const rows = inflate(packed, (width * pixelBytes + 1) * height);
  undoFilters(rows, width * pixelBytes, pixelBytes);
  const pixels = Buffer.allocUnsafe(width * height);
  for (let y = 0, at = 0; y < height; y += 1) {
    const row = y * (width * pixelBytes + 1) + 1;
    for (let x = 0; x < width; x += 1, at += 1) {
      pixels[at] = rows[row + (x + 1) * pixelBytes - 1]!;
    }
  }
  return { width, height, pixels };
}

/** Writes an 8-bit grey PNG. */
export function writeGrey({ width, height, pixels }: Plane): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  // Every row begins with its filter, 0: none.
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) {
    pixels.copy(rows, y * (width + 1) + 1, y * width, (y + 1) * width);
  }
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function* readChunks(file: Buffer): Generator<{ kind: string; data: Buffer }> {
  for (let at = 8; at + 12 <= file.length;) {
    const length = file.readUInt32BE(at);
    const kind = file.toString('latin1', at + 4, at + 8);
    yield { kind, data: file.subarray(at + 8, at + 8 + length) };
    at += length + 12;
  }
}

function inflate(packed: Buffer, length: number): Buffer {
  let rows: Buffer;
  try {
    rows = inflateSync(packed, { maxOutputLength: length });
  } catch (cause) {
    throw new Error('is a damaged PNG file', { cause });
  }
  if (rows.length !== length) throw new Error('is a damaged PNG file');
  return rows;
}

/**
 * PNG stores each byte as its difference from a guess, made of the same channel's bytes left and
 * above. Only the last channel, alpha, is restored: it depends on no other.
 */
function undoFilters(rows: Buffer, rowBytes: number, pixelBytes: number): void {
  for (let row = 0; row < rows.length; row += rowBytes + 1) {
    const filter = rows[row]!;
    if (filter > 4) throw new Error('is a damaged PNG file');
    if (filter === 0) continue;
    for (let x = pixelBytes - 1; x < rowBytes; x += pixelBytes) {
      const at = row + 1 + x;
      const left = x >= pixelBytes ? rows[at - pixelBytes]! : 0;
      const up = row > 0 ? rows[at - rowBytes - 1]! : 0;
      const corner = row > 0 && x >= pixelBytes ? rows[at - rowBytes - 1 - pixelBytes]! : 0;
      rows[at] = rows[at]! + guess(filter, left, up, corner);
    }
  }
}

function guess(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  const estimate = left + up - corner;
  const toLeft = Math.abs(estimate - left);
  const toUp = Math.abs(estimate - up);
  const toCorner = Math.abs(estimate - corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function chunk(kind: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
