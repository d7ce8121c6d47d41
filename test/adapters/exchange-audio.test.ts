import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { offering, type OwnName, postForm, scene, type Script, type Scripted } from './exchange.ts';

const SOUND = Buffer.from('RIFFnot really');

const TEXT = 'Привет, 世界! Ça va?';
const segments = [
  { id: 0, start: 3598.9996, end: 3600.0004, text: ' Привет, 世界!', avg_logprob: -0.1 },
  { id: 1, start: 3600.5, end: 7325.25, text: ' Ça va?', avg_logprob: null },
];
const SRT =
  '1\n00:59:59,000 --> 01:00:00,000\nПривет, 世界!\n\n2\n01:00:00,500 --> 02:02:05,250\nÇa va?\n\n';
const VTT =
  'WEBVTT\n\n00:59:59.000 --> 01:00:00.000\nПривет, 世界!\n\n01:00:00.500 --> 02:02:05.250\nÇa va?\n\n';
const VERBOSE = { language: 'russian', duration: 7325.25, text: TEXT, segments };

const text = (body: string): Scripted => ({ headers: { 'content-type': 'text/plain' }, body });

/** How each backend's newest version answers a format; `backends.md` section 9. */
function engine(adapter: OwnName): Script {
  return ({ body }): Scripted => {
    const form = body.toString('utf8');
    const format = /name="response_format"\r\n\r\n(\w+)/.exec(form)?.[1];
    const words = form.includes('timestamp_granularities');
    switch (adapter) {
      case 'ollama':
        return format === 'text' ? text(`${TEXT}\n`) : { body: { text: TEXT } };
      case 'llamacpp':
        return { body: { text: TEXT } };
      case 'xinference':
        if (format === 'json') return { body: { text: TEXT } };
        if (format !== 'verbose_json')
          return {
            status: 500,
            body: { detail: `[address=x] Unsupported response format: ${format}` },
          };
        return {
          body: words
            ? { text: TEXT, words: [], language: 'russian' }
            : { task: 'transcribe', ...VERBOSE },
        };
      case 'vllm':
      case 'gpustack':
        if (format === 'verbose_json')
          return { body: { ...VERBOSE, duration: '7325.25', words: null } };
        if (format !== 'json' && format !== 'text')
          return { status: 400, body: { error: { message: 'bad format', type: 'x', code: 400 } } };
        return { body: { text: TEXT, usage: { type: 'duration', seconds: 7326 } } };
      default:
        if (format === 'srt') return text(SRT);
        if (format === 'vtt') return text(VTT);
        if (format === 'text') return text(`${TEXT}\n`);
        if (format === 'verbose_json' || (adapter === 'localai' && format === undefined))
          return { body: { task: 'transcribe', ...VERBOSE } };
        return { body: { text: TEXT, segments: null, language: 'russian', duration: 7325.25 } };
    }
  };
}

/** They tell no times. */
const TEXT_ONLY: readonly OwnName[] = ['ollama', 'llamacpp'];

describe.each(offering('transcriptions'))('a transcription through %s', (adapter) => {
  const textOnly = TEXT_ONLY.includes(adapter);
  const ask = async (...fields: (readonly [string, string])[]) => {
    const { last, ...gateway } = await scene(adapter, { 'POST *': engine(adapter) });
    const reply = await postForm(gateway, '/v1/audio/transcriptions', [
      ...fields,
      ['file', SOUND],
      ['model', 'm'],
    ]);
    const body = await reply.text();
    expect(reply.status).toBe(200);
    return { reply, body, last };
  };

  it.each([undefined, 'json'])('is the text alone in JSON (%s)', async (format) => {
    const { body, reply } = await ask(...(format ? [['response_format', format] as const] : []));
    expect(reply.headers.get('content-type')).toMatch(/^application\/json/);
    const { usage: _, ...rest } = JSON.parse(body) as { usage?: unknown };
    expect(rest).toEqual({ text: TEXT });
  });

  it('is plain text', async () => {
    const { body, reply } = await ask(['response_format', 'text']);
    expect(body.trim()).toBe(TEXT);
    expect(reply.headers.get('content-type')).toMatch(/^text\/plain/);
  });

  it.each([
    ['srt', SRT],
    ['vtt', VTT],
  ])('is subtitles: %s', async (format, expected) => {
    const { body, reply } = await ask(
      ['timestamp_granularities[]', 'word'],
      ['response_format', format],
    );
    expect(reply.headers.get('content-type')).toMatch(/^text\/plain/);
    if (textOnly) expect(body).toMatch(/00:00:00[,.]000 --> 00:00:\d\d[,.]\d{3}\nПривет/);
    else expect(body).toBe(expected);
  });

  it('is verbose', async () => {
    const { body } = await ask(['response_format', 'verbose_json'], ['language', 'ru']);
    const verbose = JSON.parse(body) as typeof VERBOSE & { task: string };
    expect(verbose).toMatchObject({
      task: 'transcribe',
      text: TEXT,
      language: textOnly ? 'ru' : 'russian',
    });
    expect(typeof verbose.duration).toBe('number');
    expect(verbose.segments.length).toBe(textOnly ? 1 : 2);
    expect(verbose).not.toHaveProperty('words');
  });

  it('sends the file, its name and the other fields on', async () => {
    const { last } = await ask(['prompt', 'Ünïcode'], ['temperature', '0.2']);
    const sent = last().body.toString('utf8');
    expect(sent).toMatch(/name="prompt"\r\n\r\nÜnïcode\r\n/);
    expect(sent).toMatch(/filename="a\.wav"[^]*\r\n\r\nRIFFnot really\r\n/);
  });
});

it.each(['xinference', 'ollama', 'gpustack'] as const)(
  'a stream of %s that it cannot make is made of its answer',
  async (adapter) => {
    const gateway = await scene(adapter, { 'POST *': { body: { text: TEXT } } });
    const reply = await postForm(gateway, '/v1/audio/transcriptions', [
      ['stream', 'true'],
      ['response_format', 'json'],
      ['model', 'm'],
      ['file', SOUND],
    ]);
    expect(reply.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(await reply.text()).toBe(
      `data: ${JSON.stringify({ type: 'transcript.text.delta', delta: TEXT })}\n\n` +
        `data: ${JSON.stringify({ type: 'transcript.text.done', text: TEXT })}\n\n`,
    );
  },
);

/** Sends an event, then waits until the test has seen it. */
function slowly(response: ServerResponse, events: readonly string[], gate: Promise<void>) {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  const [first, ...rest] = events;
  response.write(first);
  void gate.then(() => response.end(rest.join('')));
  return undefined;
}

const chunk = (content: string, more: object = {}) =>
  `data: ${JSON.stringify({ id: 't', object: 'transcription.chunk', created: 1, model: 'm', choices: [{ delta: { content }, finish_reason: null }], ...more })}\n\n`;

it('a stream that only the backend understood to be asked for is OpenAI’s, too', async () => {
  const body = `${chunk('Hi')}data: [DONE]\n\n`;
  const headers = { 'content-type': 'text/event-stream' };
  const gateway = await scene('vllm', { 'POST *': { headers, body } });
  const reply = await postForm(gateway, '/v1/audio/translations', [
    ['stream', 'True'],
    ['file', SOUND],
    ['model', 'm'],
  ]);
  expect(await reply.text()).toBe(
    'data: {"type":"transcript.text.delta","delta":"Hi"}\n\n' +
      'data: {"type":"transcript.text.done","text":"Hi"}\n\n',
  );
});

describe.each(['vllm', 'gpustack', 'openai'] as const)(
  'a transcription streamed by %s',
  (adapter) => {
    it('is OpenAI’s events, each as soon as its chunk is there', async () => {
      let open!: () => void;
      const gate = new Promise<void>((resolve) => (open = resolve));
      const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
      const gateway = await scene(adapter, {
        'POST *': (_, response) =>
          slowly(
            response,
            [
              chunk('При'),
              chunk('вет'),
              chunk('', { choices: [{ delta: {}, finish_reason: 'stop' }] }),
              chunk('', { choices: [], usage }),
              'data: [DONE]\n\n',
            ],
            gate,
          ),
      });
      const reply = await postForm(gateway, '/v1/audio/transcriptions', [
        ['stream', 'true'],
        ['file', SOUND],
        ['model', 'm'],
      ]);
      const reader = reply.body!.pipeThrough(new TextDecoderStream()).getReader();
      const first = await reader.read();
      expect(first.value).toBe('data: {"type":"transcript.text.delta","delta":"При"}\n\n');
      open();
      let rest = '';
      for (let piece = await reader.read(); !piece.done; piece = await reader.read())
        rest += piece.value;
      const events = rest.trim().split('\n\n');
      expect(events.map((line) => JSON.parse(line.slice('data: '.length)) as unknown)).toEqual([
        { type: 'transcript.text.delta', delta: 'вет' },
        {
          type: 'transcript.text.done',
          text: 'Привет',
          usage: { type: 'tokens', input_tokens: 1, output_tokens: 2, total_tokens: 3 },
        },
      ]);
    });

    it('tells of an error in the middle, and of an end too soon', async () => {
      const error = { error: { message: 'boom', type: 'InternalServerError', code: 500 } };
      for (const tail of [`data: ${JSON.stringify(error)}\n\ndata: [DONE]\n\n`, '']) {
        const gateway = await scene(adapter, {
          'POST *': (_, response) => slowly(response, [chunk('Hi'), tail], Promise.resolve()),
        });
        const reply = await postForm(gateway, '/v1/audio/transcriptions', [
          ['stream', 'true'],
          ['file', SOUND],
          ['model', 'm'],
        ]);
        const body = await reply.text();
        expect(body).toMatch(/"delta":"Hi"/);
        expect(body).toMatch(/data: \{"error":\{"message":".*(boom|terminator)/);
        expect(body).not.toMatch(/transcript\.text\.done|\[DONE\]/);
      }
    });
  },
);

it('a transcript that comes as JSON under another type, or as text in quotes, is understood', async () => {
  const cases: [string | undefined, string][] = [
    ['text/plain; charset=utf-8', JSON.stringify({ text: TEXT })],
    [undefined, JSON.stringify({ text: TEXT })],
    ['application/json', JSON.stringify(TEXT)],
    ['text/plain', TEXT],
    [undefined, TEXT],
  ];
  for (const [type, body] of cases) {
    const gateway = await scene('gpustack', {
      'POST *': { ...(type ? { headers: { 'content-type': type } } : {}), body },
    });
    const form = [['file', SOUND] as const, ['model', 'm'] as const];
    const json = await postForm(gateway, '/v1/audio/transcriptions', form);
    expect(await json.json(), `${type}`).toEqual({ text: TEXT });
    const plain = await postForm(gateway, '/v1/audio/transcriptions', [
      ...form,
      ['response_format', 'text'],
    ]);
    expect((await plain.text()).trim(), `${type}`).toBe(TEXT);
  }
});

it('subtitles that come quoted are not made subtitles of', async () => {
  const gateway = await scene('localai', {
    'POST *': { body: JSON.stringify(SRT), headers: { 'content-type': 'application/json' } },
  });
  const reply = await postForm(gateway, '/v1/audio/transcriptions', [
    ['file', SOUND],
    ['model', 'm'],
    ['response_format', 'srt'],
  ]);
  expect(await reply.text()).toBe(SRT);
});

describe.each(offering('speech'))('speech through %s', (adapter) => {
  it.each([
    [undefined, 'audio/mpeg', {}],
    [undefined, 'audio/mpeg', { response_format: null }],
    ['application/octet-stream', 'audio/opus', { response_format: 'opus' }],
    ['application/octet-stream', 'audio/mpeg', { stream: true }],
    ['binary/octet-stream', 'audio/pcm', { response_format: 'pcm' }],
    ['audio/x-wav', 'audio/x-wav', { response_format: 'wav' }],
    [undefined, 'audio/aac', { response_format: 'aac' }],
    [undefined, 'application/octet-stream', { response_format: 'constructor' }],
  ])('of type %s is %s for %j', async (sent, expected, more) => {
    const sound = Buffer.from([0, 255, 1, 254]);
    const gateway = await scene(adapter, {
      'POST *': (_, response) => {
        response.writeHead(200, sent ? { 'content-type': sent } : {});
        response.end(sound);
        return undefined;
      },
    });
    const call = { voice: 'v', input: 'Grüße', model: 'm', ...more };
    const reply = await gateway.post('/v1/audio/speech', call);
    expect(reply.headers.get('content-type')).toBe(expected);
    expect(Buffer.from(await reply.arrayBuffer())).toEqual(sound);
    if (['vllm', 'gpustack', 'localai'].includes(adapter)) {
      expect(gateway.json()['response_format']).toBe(
        (more as { response_format?: string }).response_format ?? 'mp3',
      );
    }
  });

  it('that fails is an error in JSON', async () => {
    const gateway = await scene(adapter, {
      'POST *': {
        status: 400,
        headers: { 'content-type': 'audio/mpeg' },
        body: '{"detail":"no voice v"}',
      },
    });
    const reply = await gateway.post('/v1/audio/speech', { input: 'a', voice: 'v', model: 'm' });
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ error: { message: 'no voice v' } });
  });
});
