import type { AdapterCall } from './adapter.ts';
import {
  asNumber,
  asObject,
  asObjects,
  asText,
  parseJson,
  withoutNulls,
  type JsonObject,
} from './json.ts';
import { renderSrt, renderVtt, type Cue } from './subtitles.ts';
import { wavDuration } from './wav.ts';

/** A transcription's answer in JSON, of which only the text is sure. */
export type Transcript = JsonObject & { readonly text: string };

/** @returns The answer as an object with a `text`; `undefined` when it is something else. */
export function parseTranscript(body: string): Transcript | undefined {
  const value = parseJson(body);
  // Some servers write the bare text, but as JSON.
  if (typeof value === 'string') return { text: value };
  const object = asObject(value);
  return typeof object?.['text'] === 'string' ? (object as Transcript) : undefined;
}

/** A transcript in one of OpenAI's plain-text formats. */
export function renderTranscript(
  transcript: Transcript,
  format: 'text' | 'srt' | 'vtt',
  call: AdapterCall,
): string {
  if (format === 'text') return `${transcript.text.trim()}\n`;
  const cues = cuesOf(transcript, call);
  return format === 'srt' ? renderSrt(cues) : renderVtt(cues);
}

/** A transcript as OpenAI's `verbose_json`, with what the backend left out filled in. */
export function toVerbose(transcript: Transcript, call: AdapterCall): Transcript {
  const given = withoutNulls(transcript);
  const translated = call.operation === 'translations';
  const words = asObjects(given['words']);
  const segments = asObjects(given['segments']);
  const duration = durationOf(transcript, call);
  return {
    ...given,
    task: asText(given['task']) ?? (translated ? 'translate' : 'transcribe'),
    language:
      asText(given['language']) ??
      (translated ? 'english' : (asText(call.fields['language']) ?? 'unknown')),
    duration,
    text: transcript.text,
    // Whoever asks for words alone gets words alone.
    ...(segments || !words
      ? { segments: (segments ?? cuesOf(transcript, call)).map(toSegment) }
      : {}),
  };
}

/** Every field that OpenAI's type requires; clients in strict languages fail on a missing one. */
function toSegment(segment: JsonObject | Cue, index: number): JsonObject {
  const { start, end, text, ...rest } = segment as JsonObject;
  return {
    id: index,
    seek: 0,
    start: seconds(start),
    end: seconds(end),
    text: typeof text === 'string' ? text : '',
    tokens: [],
    temperature: 0,
    avg_logprob: 0,
    compression_ratio: 0,
    no_speech_prob: 0,
    ...withoutNulls(rest),
  };
}

function cuesOf(transcript: Transcript, call: AdapterCall): readonly Cue[] {
  const segments = asObjects(transcript['segments']);
  if (segments && segments.length > 0) {
    return segments
      .map(({ start, end, text }) => ({
        start: seconds(start),
        end: seconds(end),
        text: typeof text === 'string' ? text : '',
      }))
      .filter((cue) => cue.text.trim() !== '');
  }
  // Ollama tells no times at all: all of the text in one cue over all of the sound is the most
  // that can truthfully be said.
  const text = transcript.text.trim();
  return text === '' ? [] : [{ start: 0, end: durationOf(transcript, call), text }];
}

/** In seconds: what the answer says, else the sound file's header, else a guess by the text. */
function durationOf(transcript: Transcript, call: AdapterCall): number {
  const { duration } = transcript;
  // vLLM writes it as a string.
  const told = typeof duration === 'string' ? Number.parseFloat(duration) : asNumber(duration);
  if (told !== undefined && Number.isFinite(told)) return told;
  const usage = asObject(transcript['usage']);
  const ends = (asObjects(transcript['segments']) ?? []).map(({ end }) => seconds(end));
  if (ends.length > 0) return Math.max(...ends);
  const file = call.form?.find((part) => part.name === 'file')?.data;
  return (
    (file && wavDuration(file)) ??
    (usage?.['type'] === 'duration' ? asNumber(usage['seconds']) : undefined) ??
    spokenLength(transcript.text)
  );
}

/** People speak some 150 words a minute, or four characters of Chinese, Japanese or Korean a second. */
function spokenLength(text: string): number {
  const dense = text.match(/[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g)?.length ?? 0;
  const words = text.match(/[^\s\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+/g)?.length ?? 0;
  return Math.max(1, Math.round((dense / 4 + words / 2.5) * 10) / 10);
}

/** LocalAI wrote Go durations once, in nanoseconds; no recording lasts a million seconds. */
function seconds(value: unknown): number {
  const time = asNumber(value) ?? 0;
  return time >= 1e6 ? time / 1e9 : time;
}
