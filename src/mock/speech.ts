import type { Call } from './call.ts';
import { MockError } from './error.ts';
import { choice, requiredText, type Fields } from './fields.ts';
import { tokens } from './prose.ts';
import { pcm, silentMp3, wav } from './sound.ts';

const FORMATS = {
  mp3: { contentType: 'audio/mpeg', make: silentMp3 },
  wav: { contentType: 'audio/wav', make: wav },
  pcm: { contentType: 'audio/pcm', make: pcm },
} as const;

/** Bytes a chunk: a tenth of a second of samples. */
const CHUNK = 4800;

/** `POST /v1/audio/speech`: a tone (as MP3: silence) about as long as the text takes to say. */
export async function speech(call: Call): Promise<void> {
  const input = requiredText(call.fields, 'input');
  const { contentType, make } = formatOf(call.fields);
  const sse = choice(call.fields, 'stream_format', ['audio', 'sse']) === 'sse';
  const audio = make(secondsFor(input, call.fields));
  const chunks: Buffer[] = [];
  for (let at = 0; at < audio.length; at += CHUNK) chunks.push(audio.subarray(at, at + CHUNK));

  if (!sse) {
    await call.pace.first();
    return call.reply.bytes(contentType, chunks);
  }
  const events = call.reply.events();
  await call.pace.first();
  for (const chunk of chunks) {
    if (chunk !== chunks[0]) await call.pace.tokens(1);
    await events.send({ type: 'speech.audio.delta', audio: chunk.toString('base64') });
  }
  const read = tokens(input).length;
  await events.send({
    type: 'speech.audio.done',
    usage: {
      input_tokens: read,
      output_tokens: chunks.length,
      total_tokens: read + chunks.length,
    },
  });
  events.end();
}

function formatOf(fields: Fields): (typeof FORMATS)[keyof typeof FORMATS] {
  const name = choice(fields, 'response_format', ['mp3', 'wav', 'pcm', 'opus', 'aac', 'flac']);
  if (name in FORMATS) return FORMATS[name as keyof typeof FORMATS];
  throw new MockError(
    400,
    `The mock makes mp3 (silent), wav and pcm, not ${name}: ask for one of those.`,
    { param: 'response_format', code: 'unsupported_value' },
  );
}

/** Fifteen characters a second are said, at most a minute of them. */
function secondsFor(input: string, fields: Fields): number {
  const speed = Number(fields['speed'] ?? 1);
  if (speed >= 0.25 && speed <= 4) return Math.min(60, Math.max(0.2, input.length / 15) / speed);
  throw new MockError(400, "'speed' must be a number from 0.25 to 4.", {
    param: 'speed',
    code: 'invalid_value',
  });
}
