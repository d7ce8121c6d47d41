import { isDeepStrictEqual } from 'node:util';
import type { AdapterCall, Answer, OperationSpec, RequestPatch } from './adapter.ts';
import { parseJson, type JsonObject } from './json.ts';
import { transcriptAsStream, transcriptEvents } from './transcript-events.ts';
import { parseTranscript, renderTranscript, toVerbose, type Transcript } from './transcript.ts';

/** The formats that every OpenAI client may ask for; others are the backend's own affair. */
const FORMATS = ['json', 'text', 'srt', 'vtt', 'verbose_json'] as const;
type Format = (typeof FORMATS)[number];

const GRANULARITIES = ['timestamp_granularities[]', 'timestamp_granularities'];

/** For OpenAI's own service and servers that do as it does: asked as the client asked. */
export function transcription(
  path: '/v1/audio/transcriptions' | '/v1/audio/translations',
): OperationSpec {
  return { path, response: transcriptResponse };
}

/**
 * For backends that do not have all formats, or another default.
 * @param native The formats that this backend answers rightly.
 * @param extra More fields for calls that stream.
 */
export function translatedTranscription(
  path: '/v1/audio/transcriptions' | '/v1/audio/translations',
  native: readonly Format[],
  extra: Readonly<Record<string, string>> = {},
): OperationSpec {
  return {
    path,
    request: (call) => askFor(call, native, extra),
    response: transcriptResponse,
  };
}

function askFor(
  call: AdapterCall,
  native: readonly Format[],
  extra: Readonly<Record<string, string>>,
): RequestPatch | undefined {
  const { fields } = call;
  const wanted = fields['response_format'] || 'json';
  if (call.stream) {
    const set =
      fields['response_format'] === 'json' ? extra : { response_format: 'json', ...extra };
    return Object.keys(set).length > 0 ? { set } : undefined;
  }
  if (!isFormat(wanted)) return undefined;
  const format = supported(wanted, native);
  if (fields['response_format'] === format) return undefined;
  const set = { response_format: format };
  // Asked for words alone, a backend answers without the segments that subtitles are made of.
  return format === 'verbose_json' ? { set, remove: GRANULARITIES } : { set };
}

/** The format to ask for: what was wanted, else the one with times in it, else the text alone. */
function supported(wanted: Format, native: readonly Format[]): Format {
  if (native.includes(wanted)) return wanted;
  return wanted !== 'text' && native.includes('verbose_json') ? 'verbose_json' : 'json';
}

/** Goes by what came rather than by what was asked: versions of one backend differ here. */
function transcriptResponse(call: AdapterCall): ReturnType<NonNullable<OperationSpec['response']>> {
  const wanted = call.fields['response_format'] || 'json';
  const event = transcriptEvents();
  if (call.stream) return { event, body: (body) => wholeAsStream(body.toString('utf8')) };
  if (!isFormat(wanted)) return { event };
  return {
    event,
    body: (body, contentType) => convert(body.toString('utf8'), contentType, wanted, call),
  };
}

/** The backend ignored `stream`, but the client reads events. */
function wholeAsStream(body: string): Answer {
  const transcript = parseTranscript(body);
  return transcript
    ? transcriptAsStream(transcript.text, transcript['usage'])
    : transcriptAsStream(body.trim(), undefined);
}

function convert(
  body: string,
  contentType: string,
  wanted: Format,
  call: AdapterCall,
): Answer | undefined {
  const json = /json/i.test(contentType);
  // GPUStack may give JSON another content type, or none.
  const readable = json || contentType === '' || /^\s*\{/.test(body);
  const transcript = readable ? parseTranscript(body) : undefined;
  if (wanted !== 'json' && wanted !== 'verbose_json') {
    if (!transcript) return undefined;
    // A finished file, but quoted: FastAPI makes JSON of whatever it is given.
    const rendered = wanted !== 'text' && isSubtitles(parseJson(body));
    const text = rendered ? transcript.text : renderTranscript(transcript, wanted, call);
    return { body: text, contentType: 'text/plain; charset=utf-8' };
  }
  const found = transcript ?? (json ? undefined : { text: body.trim() });
  if (!found) return undefined;
  const outward = wanted === 'json' ? concise(found) : toVerbose(found, call);
  if (isDeepStrictEqual(parseJson(body), outward)) return undefined;
  return { body: JSON.stringify(outward), contentType: 'application/json' };
}

/** What only `verbose_json` has; LocalAI tells it to a client that asked for the text, too. */
const VERBOSE = ['task', 'language', 'duration', 'segments', 'words'];

function concise(transcript: Transcript): JsonObject {
  return Object.fromEntries(Object.entries(transcript).filter(([name]) => !VERBOSE.includes(name)));
}

function isSubtitles(value: unknown): boolean {
  return typeof value === 'string' && value.includes(' --> ');
}

function isFormat(value: unknown): value is Format {
  return (FORMATS as readonly unknown[]).includes(value);
}
