import { describe, expect, it } from 'vitest';
import { wavDuration } from '../../src/adapters/wav.ts';

/** 16-bit mono at 8 kHz: 16,000 bytes a second. */
function wav(bytes: number, options: { readonly told?: number; readonly extra?: Buffer } = {}) {
  const format = Buffer.alloc(24);
  format.write('fmt ', 0, 'latin1');
  format.writeUInt32LE(16, 4);
  format.writeUInt16LE(1, 8);
  format.writeUInt16LE(1, 10);
  format.writeUInt32LE(8000, 12);
  format.writeUInt32LE(16_000, 16);
  const data = Buffer.alloc(8);
  data.write('data', 0, 'latin1');
  data.writeUInt32LE(options.told ?? bytes, 4);
  const head = Buffer.from('RIFF\0\0\0\0WAVE', 'latin1');
  return Buffer.concat([head, format, options.extra ?? Buffer.alloc(0), data, Buffer.alloc(bytes)]);
}

describe("a sound file's length", () => {
  it('is read from its header', () => {
    expect(wavDuration(wav(40_000))).toBe(2.5);
  });

  it('is found behind other chunks, padded to an even length', () => {
    const list = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1');
    expect(wavDuration(wav(16_000, { extra: list }))).toBe(1);
  });

  it('is that of the bytes there when the header was never finished', () => {
    expect(wavDuration(wav(16_000, { told: 0 }))).toBe(1);
    expect(wavDuration(wav(16_000, { told: 0xffff_ffff }))).toBe(1);
  });

  it('is not known of anything else', () => {
    expect(wavDuration(Buffer.from('RIFF$\0\0\0WAVEfmt ', 'latin1'))).toBe(undefined);
    expect(wavDuration(Buffer.from('ID3 this is an mp3'))).toBe(undefined);
    expect(wavDuration(Buffer.alloc(0))).toBe(undefined);
  });
});
