import { describe, expect, it } from 'vitest';
import type { Adapter } from '../../src/adapters/adapter.ts';
import { gpustack } from '../../src/adapters/gpustack.ts';
import { localai } from '../../src/adapters/localai.ts';
import { openai } from '../../src/adapters/openai.ts';
import { vllm } from '../../src/adapters/vllm.ts';
import { xinference } from '../../src/adapters/xinference.ts';
import { jsonCall } from './call.ts';

const typeOf = (given: string | undefined, response_format?: string) =>
  xinference.operations.speech.response(jsonCall('speech', { response_format })).contentType(given);
const patch = (adapter: Adapter, fields = {}) =>
  adapter.operations.speech!.request?.(jsonCall('speech', fields));

describe('spoken audio', () => {
  it.each([
    [undefined, 'audio/mpeg'],
    ['mp3', 'audio/mpeg'],
    ['opus', 'audio/opus'],
    ['aac', 'audio/aac'],
    ['flac', 'audio/flac'],
    ['wav', 'audio/wav'],
    ['pcm', 'audio/pcm'],
    ['midi', 'application/octet-stream'],
  ])('as %s is %s where the backend does not say', (format, type) => {
    expect(typeOf('application/octet-stream', format)).toBe(type);
    expect(typeOf(undefined, format)).toBe(type);
  });

  it('is what the backend says it is', () => {
    expect(typeOf('audio/x-wav', 'mp3')).toBe('audio/x-wav');
  });
});

describe('a request for speech', () => {
  it.each([localai, vllm, gpustack])('always names a format to $name', (adapter: Adapter) => {
    expect(patch(adapter)).toEqual({ set: { response_format: 'mp3' } });
    expect(patch(adapter, { response_format: 'wav' })).toBe(undefined);
  });

  it('goes as it is to backends whose default is mp3', () => {
    expect(patch(openai)).toBe(undefined);
    expect(patch(xinference)).toBe(undefined);
  });

  it.each([localai, xinference])(
    'as events is refused for $name, which would answer bytes',
    (adapter: Adapter) => {
      expect(() => patch(adapter, { stream_format: 'sse' })).toThrow(/leave it out/);
    },
  );
});
