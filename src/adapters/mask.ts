import { RequestRefused } from './adapter.ts';
import { readAlpha, writeGrey } from './png.ts';

/**
 * Turns OpenAI's mask, transparent where the image is to be edited, into the one that inpainting
 * models take: a grey PNG, white there and black elsewhere.
 * @throws RequestRefused when the file is not a PNG that has an alpha channel.
 */
export function toInpaintingMask(mask: Buffer): Buffer {
  const alpha = readMask(mask);
  const pixels = alpha.pixels.map((value) => (value === 0 ? 255 : 0));
  return writeGrey({ ...alpha, pixels: Buffer.from(pixels.buffer, 0, pixels.length) });
}

function readMask(mask: Buffer) {
  try {
    return readAlpha(mask);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RequestRefused(
      `The mask ${why}: send a non-interlaced 8-bit PNG whose fully transparent pixels mark what to edit.`,
      'mask',
    );
  }
}
