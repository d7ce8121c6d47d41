/** Sound that can be made without an encoder. All of it is mono. */

/** Hertz; what OpenAI's `pcm` has. */
const RATE = 24_000;
const TONE = 440;
/** A quarter of full scale: nobody should be startled by a rehearsal. */
const VOLUME = 0.25 * 0x7fff;

/** @returns A tone as raw samples: 24 kHz, 16 bit, signed, little endian. */
export function pcm(seconds: number): Buffer {
  const samples = new Int16Array(Math.round(seconds * RATE));
  // Faded in and out, or it would click.
  const fade = Math.min(samples.length / 2, RATE / 100);
  for (let index = 0; index < samples.length; index++) {
    const edge = Math.min(index, samples.length - 1 - index);
    const volume = VOLUME * Math.min(1, edge / fade);
    samples[index] = Math.round(volume * Math.sin((2 * Math.PI * TONE * index) / RATE));
  }
  return Buffer.from(samples.buffer);
}

/** @returns The same tone as a WAV file. */
export function wav(seconds: number): Buffer {
  const data = pcm(seconds);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(RATE, 24);
  head.writeUInt32LE(RATE * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

/**
 * MPEG 1 layer III, 32 kbit/s, 48 kHz, mono: 96 bytes a frame, for 24 ms. Side information of
 * zeros means that no frequency sounds.
 */
const SILENT_FRAME = Buffer.concat([Buffer.from([0xff, 0xfb, 0x14, 0xc4]), Buffer.alloc(92)]);
const FRAME_SECONDS = 1152 / 48_000;

/** @returns An MP3 file of silence. */
export function silentMp3(seconds: number): Buffer {
  const frames = Math.max(1, Math.round(seconds / FRAME_SECONDS));
  return Buffer.concat(Array.from({ length: frames }, () => SILENT_FRAME));
}

/** @returns How long a sound file lasts; of what is no WAV, guessed from its size. */
export function secondsOf(file: Buffer): number {
  const isWav = file.length > 44 && file.toString('latin1', 0, 4) === 'RIFF';
  const perSecond = isWav ? file.readUInt32LE(28) : 0;
  const seconds = perSecond > 0 ? (file.length - 44) / perSecond : file.length / 16_000;
  return Math.round(seconds * 100) / 100;
}
