import { toFile } from 'openai';
import { describe, expect, test } from 'vitest';
import { wav } from '../../src/mock/sound.ts';
import { client, dataOf, post, started } from './started.ts';

const INPUT = 'Thirty characters are 2 seconds';

describe('speech', () => {
  test('is MP3 by default: frames that a player can follow', async () => {
    const openai = await client();
    const answer = await openai.audio.speech.create({
      model: 'mock-tts',
      voice: 'alloy',
      input: INPUT,
    });
    expect(answer.headers.get('content-type')).toBe('audio/mpeg');
    const audio = Buffer.from(await answer.arrayBuffer());
    let frames = 0;
    for (let at = 0; at < audio.length; frames++) {
      const header = audio.readUInt32BE(at);
      // Sync word, MPEG 1, layer III, no checksum; 32 kbit/s, 48 kHz, no padding.
      expect((header >>> 8).toString(16)).toBe('fffb14');
      at += (144 * 32_000) / 48_000;
    }
    expect(frames).toBe(Math.round(INPUT.length / 15 / 0.024));
  });

  test('is a WAV file that sounds', async () => {
    const openai = await client();
    const answer = await openai.audio.speech.create({
      model: 'mock-tts',
      voice: 'alloy',
      input: INPUT,
      response_format: 'wav',
      speed: 2,
    });
    expect(answer.headers.get('content-type')).toBe('audio/wav');
    const audio = Buffer.from(await answer.arrayBuffer());
    expect(audio.toString('latin1', 0, 4) + audio.toString('latin1', 8, 16)).toBe('RIFFWAVEfmt ');
    expect(audio.readUInt32LE(4)).toBe(audio.length - 8);
    expect(audio.readUInt32LE(40)).toBe(audio.length - 44);
    expect((audio.length - 44) / audio.readUInt32LE(28)).toBeCloseTo(INPUT.length / 15 / 2, 2);
    const samples = new Int16Array(audio.buffer.slice(audio.byteOffset + 44));
    expect(Math.max(...samples)).toBeGreaterThan(5000);
    expect(samples[0]).toBe(0);
  });

  test('is raw samples as pcm', async () => {
    const { url } = await started();
    const body = { model: 'mock-tts', input: INPUT, response_format: 'pcm' };
    const answer = await post(`${url}/v1/audio/speech`, body);
    expect(answer.headers.get('content-type')).toBe('audio/pcm');
    const samples = Buffer.from(await answer.arrayBuffer());
    expect(samples.equals(wav(INPUT.length / 15).subarray(44))).toBe(true);
  });

  test('is refused in formats that need an encoder', async () => {
    const openai = await client();
    const call = openai.audio.speech.create({
      model: 'mock-tts',
      voice: 'alloy',
      input: INPUT,
      response_format: 'opus',
    });
    await expect(call).rejects.toMatchObject({ status: 400, param: 'response_format' });
  });

  test('streams as events', async () => {
    const { url } = await started();
    const order = { model: 'mock-tts', input: INPUT, response_format: 'wav' };
    const whole = await (await post(`${url}/v1/audio/speech`, order)).arrayBuffer();
    const streamed = await post(`${url}/v1/audio/speech`, { ...order, stream_format: 'sse' });
    const events = dataOf(await streamed.text()).map(
      (data) => JSON.parse(data) as { type: string; audio: string; usage?: unknown },
    );
    const done = events.pop();
    expect(done).toMatchObject({ type: 'speech.audio.done', usage: { input_tokens: 6 } });
    expect(events.length).toBeGreaterThan(5);
    const audio = Buffer.concat(events.map((event) => Buffer.from(event.audio, 'base64')));
    expect(audio.equals(Buffer.from(whole))).toBe(true);
  });

  test('takes a form as well', async () => {
    const { url } = await started();
    const body = new FormData();
    for (const [name, value] of Object.entries({ model: 'mock-tts', input: 'Hi', speed: '1.5' })) {
      body.append(name, value);
    }
    const answer = await fetch(`${url}/v1/audio/speech`, { method: 'POST', body });
    expect(answer.status).toBe(200);
  });
});

describe('transcription', () => {
  const recording = wav(2.4);
  const text = 'This is the mock model mock-stt. You sent 115244 bytes of sound in hello.wav.';
  const ask = async (response_format: string, more: object = {}): Promise<unknown> => {
    const openai = await client();
    return openai.audio.transcriptions.create({
      model: 'mock-stt',
      file: await toFile(recording, 'hello.wav'),
      response_format: response_format as 'json',
      ...more,
    });
  };

  test('says what it was sent', async () => {
    expect(await ask('json')).toEqual({ text, usage: { type: 'duration', seconds: 3 } });
    expect(await ask('text')).toBe(`${text}\n`);
  });

  test('makes subtitles', async () => {
    expect(await ask('srt')).toBe(
      '1\n00:00:00,000 --> 00:00:01,011\nThis is the mock model mock-stt.\n\n' +
        '2\n00:00:01,011 --> 00:00:02,400\nYou sent 115244 bytes of sound in hello.wav.\n\n',
    );
    expect(await ask('vtt')).toMatch(
      /^WEBVTT\n\n00:00:00\.000 --> 00:00:01\.011\nThis is the mock model mock-stt\.\n\n/,
    );
  });

  test('tells segments and words when asked for them', async () => {
    expect(await ask('verbose_json')).toMatchObject({
      task: 'transcribe',
      language: 'english',
      duration: 2.4,
      text,
      segments: [
        { id: 0, start: 0, end: 1.011, text: 'This is the mock model mock-stt.' },
        { id: 1, start: 1.011, end: 2.4 },
      ],
    });
    const words = (await ask('verbose_json', { timestamp_granularities: ['word'] })) as {
      words: { word: string; start: number; end: number }[];
      segments?: unknown;
    };
    expect(words.segments).toBeUndefined();
    expect(words.words.map((word) => word.word).join(' ')).toBe(text);
    expect(words.words.at(-1)!.end).toBeCloseTo(2.4, 2);
  });

  test('streams', async () => {
    const openai = await client();
    const stream = await openai.audio.transcriptions.create({
      model: 'mock-stt',
      file: await toFile(recording, 'hello.wav'),
      stream: true,
    });
    let heard = '';
    let whole = '';
    for await (const event of stream) {
      if (event.type === 'transcript.text.delta') heard += event.delta;
      if (event.type === 'transcript.text.done') whole = event.text;
    }
    expect(heard).toBe(text);
    expect(whole).toBe(text);
  });

  test('translates into English', async () => {
    const openai = await client();
    const answer = await openai.audio.translations.create({
      model: 'mock-stt',
      file: await toFile(recording, 'hello.wav'),
      response_format: 'verbose_json',
    });
    expect(answer).toMatchObject({ task: 'translate', language: 'english', text });
  });

  test('wants a file', async () => {
    const { url } = await started();
    const body = new FormData();
    body.append('model', 'mock-stt');
    const answer = await fetch(`${url}/v1/audio/transcriptions`, { method: 'POST', body });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { param: 'file' } });
  });
});
