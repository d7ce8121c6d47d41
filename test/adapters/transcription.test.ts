import { describe, expect, it } from 'vitest';
import { localai } from '../../src/adapters/localai.ts';
import { ollama } from '../../src/adapters/ollama.ts';
import { openai } from '../../src/adapters/openai.ts';
import { vllm } from '../../src/adapters/vllm.ts';
import { xinference } from '../../src/adapters/xinference.ts';
import type { Adapter } from '../../src/adapters/adapter.ts';
import { bodyOf, wireSample } from '../support/wire-samples.ts';
import { eventsOf, formCall } from './call.ts';

function call(fields: Record<string, string> = {}, file: Buffer = Buffer.from('sound')) {
  const texts = Object.entries(fields).map(([name, value]) => ({ name, value }));
  const upload = { name: 'file', filename: 'a.wav', base64: file.toString('base64') };
  return formCall('transcriptions', [upload, { name: 'model', value: 'm' }, ...texts]);
}

function answer(
  adapter: Adapter,
  fields: Record<string, string>,
  sent: { body: unknown; type?: string; file?: Buffer },
) {
  const transform = adapter.operations.transcriptions!.response!(call(fields, sent.file))!;
  const body = typeof sent.body === 'string' ? sent.body : JSON.stringify(sent.body);
  const changed = transform.body!(Buffer.from(body), sent.type ?? 'application/json');
  return changed && { ...changed, body: String(changed.body) };
}

describe('the format that a backend is asked for', () => {
  const asked = (adapter: Adapter, fields: Record<string, string>): unknown => {
    const patch = adapter.operations.transcriptions!.request?.(call(fields));
    return patch?.set?.['response_format'] ?? fields['response_format'];
  };

  it.each([
    // client's           xinference      vllm            localai         ollama  openai
    [undefined, 'json', 'json', 'json', 'json', undefined],
    ['json', 'json', 'json', 'json', 'json', 'json'],
    ['text', 'json', 'json', 'text', 'text', 'text'],
    ['srt', 'verbose_json', 'verbose_json', 'srt', 'json', 'srt'],
    ['vtt', 'verbose_json', 'verbose_json', 'vtt', 'json', 'vtt'],
    ['verbose_json', 'verbose_json', 'verbose_json', 'verbose_json', 'json', 'verbose_json'],
    ['lrc', 'lrc', 'lrc', 'lrc', 'lrc', 'lrc'],
  ])('when the client says %s', (format, ...formats) => {
    const fields: Record<string, string> = format === undefined ? {} : { response_format: format };
    const backends = [xinference, vllm, localai, ollama, openai];
    expect(backends.map((adapter) => asked(adapter, fields))).toEqual(formats);
  });

  it('is JSON for a stream, with usage from vLLM', () => {
    const fields = { stream: 'true', response_format: 'text' };
    expect(vllm.operations.transcriptions.request!(call(fields))).toEqual({
      set: { response_format: 'json', stream_include_usage: 'true' },
    });
    expect(asked(xinference, fields)).toBe('json');
  });

  it('comes with segments when subtitles are to be made of it', () => {
    const fields = { response_format: 'srt', 'timestamp_granularities[]': 'word' };
    const patch = vllm.operations.transcriptions.request!(call(fields));
    expect(patch?.remove).toContain('timestamp_granularities[]');
    expect(
      xinference.operations.transcriptions.request!(
        call({ ...fields, response_format: 'verbose_json' }),
      ),
    ).toBe(undefined);
  });
});

describe('a transcript', () => {
  const segments = [
    { start: 0, end: 1.2, text: ' Hello' },
    { start: 1.2, end: 2.4, text: ' world.' },
  ];
  const verbose = { text: ' Hello world.', duration: '2.4', language: 'en', segments, words: null };

  it('is plain text, subtitles or JSON as the client asked', () => {
    expect(answer(vllm, { response_format: 'text' }, { body: verbose })).toEqual({
      body: 'Hello world.\n',
      contentType: 'text/plain; charset=utf-8',
    });
    expect(answer(vllm, { response_format: 'srt' }, { body: verbose })?.body).toBe(
      '1\n00:00:00,000 --> 00:00:01,200\nHello\n\n2\n00:00:01,200 --> 00:00:02,400\nworld.\n\n',
    );
    expect(answer(vllm, { response_format: 'vtt' }, { body: verbose })).toEqual({
      body: 'WEBVTT\n\n00:00:00.000 --> 00:00:01.200\nHello\n\n00:00:01.200 --> 00:00:02.400\nworld.\n\n',
      contentType: 'text/plain; charset=utf-8',
    });
    expect(JSON.parse(answer(localai, {}, { body: verbose })!.body)).toEqual({
      text: ' Hello world.',
    });
  });

  it('has every field of verbose_json', () => {
    const fields = { response_format: 'verbose_json' };
    const outward = JSON.parse(answer(vllm, fields, { body: verbose })!.body) as object;
    expect(outward).toEqual({
      task: 'transcribe',
      language: 'en',
      duration: 2.4,
      text: ' Hello world.',
      segments: segments.map((segment, id) => ({
        id,
        seek: 0,
        ...segment,
        tokens: [],
        temperature: 0,
        avg_logprob: 0,
        compression_ratio: 0,
        no_speech_prob: 0,
      })),
    });
  });

  it('keeps words, and does not invent segments beside them', () => {
    const words = [{ word: 'Hello', start: 0, end: 1 }];
    const body = { task: 'transcribe', language: 'english', duration: 1, text: 'Hello', words };
    expect(answer(openai, { response_format: 'verbose_json' }, { body })).toBe(undefined);
  });

  it('is left alone when it is right', () => {
    const { body } = wireSample('openai', 'transcriptions-verbose').response;
    expect(answer(openai, { response_format: 'verbose_json' }, { body })).toBe(undefined);
    expect(answer(openai, {}, { body: { text: 'Hi', usage: { type: 'tokens' } } })).toBe(undefined);
    const srt = { body: '1\n00:00:00,000 --> 00:00:01,000\nHi\n\n', type: 'text/plain' };
    expect(answer(localai, { response_format: 'srt' }, srt)).toBe(undefined);
  });

  it('is JSON even where the backend answers text', () => {
    const changed = answer(openai, {}, { body: 'Hello world.\n', type: 'text/plain' });
    expect(changed).toEqual({ body: '{"text":"Hello world."}', contentType: 'application/json' });
  });

  it('is one cue over the whole sound where no times are told', () => {
    const second = Buffer.alloc(44 + 16_000);
    second.write('RIFF\0\0\0\0WAVEfmt \x10', 0, 'latin1');
    second.writeUInt32LE(16_000, 28);
    second.write('data', 36, 'latin1');
    const sent = { body: { text: 'Hello world.' }, file: second };
    expect(answer(ollama, { response_format: 'srt' }, sent)?.body).toBe(
      '1\n00:00:00,000 --> 00:00:01,000\nHello world.\n\n',
    );
    const outward = answer(ollama, { response_format: 'verbose_json', language: 'en' }, sent);
    expect(JSON.parse(outward!.body)).toMatchObject({
      task: 'transcribe',
      language: 'en',
      duration: 1,
      segments: [{ id: 0, start: 0, end: 1, text: 'Hello world.' }],
    });
  });

  it('lasts as long as its words take to say, where nothing else tells', () => {
    const last = (text: string) =>
      /--> (\S+)/.exec(answer(ollama, { response_format: 'vtt' }, { body: { text } })!.body)![1];
    expect(last('one two three four five')).toBe('00:00:02.000');
    expect(last('今天天气很好很好')).toBe('00:00:02.000');
    expect(last('hi')).toBe('00:00:01.000');
  });

  it('has no cue for silence', () => {
    expect(answer(ollama, { response_format: 'srt' }, { body: { text: '' } })?.body).toBe('');
  });

  it("reads LocalAI's old times in nanoseconds", () => {
    const body = { text: 'Hi', segments: [{ start: 0, end: 2_400_000_000, text: 'Hi' }] };
    const outward = answer(localai, { response_format: 'verbose_json' }, { body });
    expect(JSON.parse(outward!.body)).toMatchObject({ duration: 2.4, segments: [{ end: 2.4 }] });
  });
});

describe('a streamed transcript', () => {
  const stream = (adapter: Adapter, name: string) => {
    const events = eventsOf(bodyOf(wireSample(adapter.name, name)).toString('utf8'));
    const { event } = adapter.operations.transcriptions!.response!(call({ stream: 'true' }))!;
    return events.flatMap((one) => event!(one)).map(({ data }) => data);
  };

  it("is made of vLLM's chunks", () => {
    expect(
      stream(vllm, 'transcriptions-stream').map((data) => JSON.parse(data) as unknown),
    ).toEqual([
      { type: 'transcript.text.delta', delta: ' Hello' },
      { type: 'transcript.text.delta', delta: ' world.' },
      {
        type: 'transcript.text.done',
        text: ' Hello world.',
        usage: { type: 'tokens', input_tokens: 123, output_tokens: 3, total_tokens: 126 },
      },
    ]);
  });

  it('has one end', () => {
    expect(stream(localai, 'transcriptions-stream').at(-1)).toMatch(/transcript\.text\.done/);
  });

  it('tells errors as they came', () => {
    expect(stream(localai, 'transcriptions-stream-error')[0]).toMatch(/backend failed/);
  });

  it('does not end by itself: without the backend’s end it is cut short', () => {
    const { event } = vllm.operations.transcriptions.response!(call({ stream: 'true' }))!;
    const chunk = { object: 'transcription.chunk', choices: [{ delta: { content: 'Hi' } }] };
    expect(event!({ data: JSON.stringify(chunk) })).toHaveLength(1);
  });

  it('is made of a whole answer where the backend does not stream', () => {
    for (const sent of [
      { body: { text: 'Hi there' } },
      { body: 'Hi there\n', type: 'text/plain' },
    ]) {
      expect(answer(xinference, { stream: 'true' }, sent)).toEqual({
        body:
          'data: {"type":"transcript.text.delta","delta":"Hi there"}\n\n' +
          'data: {"type":"transcript.text.done","text":"Hi there"}\n\n',
        contentType: 'text/event-stream; charset=utf-8',
      });
    }
  });
});
