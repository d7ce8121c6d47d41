import type { AdapterCall, OperationSpec, RequestPatch } from './adapter.ts';
import { RequestRefused } from './adapter.ts';

const AUDIO_TYPES = new Map<unknown, string>([
  ['mp3', 'audio/mpeg'],
  ['opus', 'audio/opus'],
  ['aac', 'audio/aac'],
  ['flac', 'audio/flac'],
  ['wav', 'audio/wav'],
  ['pcm', 'audio/pcm'],
  ['ogg', 'audio/ogg'],
  ['m4a', 'audio/mp4'],
  ['webm', 'audio/webm'],
]);

/** Bytes pass through; only a content type that says nothing is replaced by the format's own. */
export const speech = {
  path: '/v1/audio/speech',
  response: (call) => ({
    contentType: (contentType) => {
      const known = contentType !== undefined && !/octet-stream/i.test(contentType);
      return known ? contentType : audioType(call);
    },
  }),
} satisfies OperationSpec;

/** For backends whose default is not OpenAI's mp3, or that have none. */
export const explicitSpeech = { ...speech, request: askForFormat } satisfies OperationSpec;

/** For backends that ignore `stream_format: sse` and would answer bytes to a client awaiting events. */
export function withoutEvents(
  request?: (call: AdapterCall) => RequestPatch | undefined,
): (call: AdapterCall) => RequestPatch | undefined {
  return (call) => {
    if (call.fields['stream_format'] === 'sse') {
      throw new RequestRefused(
        'stream_format "sse" is not supported here: leave it out, the audio itself is streamed.',
        'stream_format',
      );
    }
    return request?.(call);
  };
}

export function askForFormat({ fields }: AdapterCall): RequestPatch | undefined {
  return fields['response_format'] ? undefined : { set: { response_format: 'mp3' } };
}

function audioType({ fields }: AdapterCall): string {
  return AUDIO_TYPES.get(fields['response_format'] || 'mp3') ?? 'application/octet-stream';
}
