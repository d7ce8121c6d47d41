import type { Call } from './call.ts';
import { MockError } from './error.ts';
import { choice, flag } from './fields.ts';
import { introduction, tokens } from './prose.ts';
import { secondsOf } from './sound.ts';

/** A stretch of the recording, in seconds. */
interface Segment {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** `POST /v1/audio/transcriptions` */
export function transcriptions(call: Call): Promise<void> {
  return transcribe(call, 'transcribe');
}

/** `POST /v1/audio/translations` */
export function translations(call: Call): Promise<void> {
  return transcribe(call, 'translate');
}

/** The mock hears nothing: it says what it was sent. */
async function transcribe(call: Call, task: 'transcribe' | 'translate'): Promise<void> {
  const file = call.files.find((upload) => upload.field === 'file');
  if (!file) {
    throw new MockError(400, "Missing required parameter: 'file'.", {
      param: 'file',
      code: 'missing_required_parameter',
    });
  }
  const format = choice(call.fields, 'response_format', [
    'json',
    'text',
    'srt',
    'vtt',
    'verbose_json',
  ]);
  const duration = secondsOf(file.data);
  const segments = segmentsOf(
    [introduction(call.model), `You sent ${file.data.length} bytes of sound in ${file.filename}.`],
    duration,
  );
  const text = segments.map((segment) => segment.text).join(' ');
  if (flag(call.fields, 'stream')) return stream(call, text, duration);

  await call.pace.first();
  await call.pace.tokens(tokens(text).length);
  switch (format) {
    case 'text':
      return call.reply.text(`${text}\n`);
    case 'srt':
      return call.reply.text(
        segments.map((one, index) => `${index + 1}\n${span(one, ',')}\n${one.text}\n\n`).join(''),
      );
    case 'vtt':
      return call.reply.text(
        `WEBVTT\n\n${segments.map((one) => `${span(one, '.')}\n${one.text}\n\n`).join('')}`,
      );
    case 'json':
      return call.reply.json({ text, usage: { type: 'duration', seconds: Math.ceil(duration) } });
    case 'verbose_json':
      return call.reply.json({
        task,
        language: task === 'translate' ? 'english' : (call.fields['language'] ?? 'english'),
        duration,
        text,
        ...detail(call, segments),
        usage: { type: 'duration', seconds: Math.ceil(duration) },
      });
  }
}

async function stream(call: Call, text: string, duration: number): Promise<void> {
  const pieces = tokens(text);
  const heard = Math.ceil(duration * 10);
  const events = call.reply.events();
  await call.pace.first();
  for (const [at, delta] of pieces.entries()) {
    if (at > 0) await call.pace.tokens(1);
    await events.send({ type: 'transcript.text.delta', delta });
  }
  await events.send({
    type: 'transcript.text.done',
    text,
    usage: {
      type: 'tokens',
      input_tokens: heard,
      input_token_details: { text_tokens: 0, audio_tokens: heard },
      output_tokens: pieces.length,
      total_tokens: heard + pieces.length,
    },
  });
  events.end();
}

/** Shares the time out by the length of what is said. */
function segmentsOf(texts: readonly string[], duration: number): readonly Segment[] {
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  let said = 0;
  return texts.map((text) => {
    const start = at(duration, said / length);
    said += text.length;
    return { start, end: at(duration, said / length), text };
  });
}

function at(duration: number, share: number): number {
  return Math.round(duration * share * 1000) / 1000;
}

function detail(call: Call, segments: readonly Segment[]): object {
  const asked = call.fields['timestamp_granularities'];
  const kinds: unknown[] = Array.isArray(asked) ? asked : ['segment'];
  return {
    ...(kinds.includes('word') && {
      words: segments.flatMap(({ start, end, text }) =>
        segmentsOf(text.split(' '), end - start).map((word) => ({
          word: word.text,
          start: at(start + word.start, 1),
          end: at(start + word.end, 1),
        })),
      ),
    }),
    ...(kinds.includes('segment') && {
      segments: segments.map((segment, id) => ({
        id,
        seek: 0,
        ...segment,
        tokens: [],
        temperature: 0,
        avg_logprob: 0,
        compression_ratio: 1,
        no_speech_prob: 0,
      })),
    }),
  };
}

/** @returns `00:00:00,000 --> 00:00:02,400`, with SRT's comma or WebVTT's full stop. */
function span({ start, end }: Segment, mark: ',' | '.'): string {
  return [start, end]
    .map((seconds) =>
      new Date(Math.round(seconds * 1000)).toISOString().slice(11, 23).replace('.', mark),
    )
    .join(' --> ');
}
