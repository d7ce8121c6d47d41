import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCli, type RunningCli } from './support/cli.ts';
import { startWireBackend, type WireBackend } from './support/wire-backend.ts';

/** What each backend's samples know; absent: the backend does not offer it. */
interface Offer {
  readonly chat: string;
  readonly tools?: string;
  readonly embeddings: string;
  readonly rerank?: string;
  readonly speech?: string;
  readonly transcription?: string;
  readonly image?: string;
  readonly edit?: string;
}

const OFFERS: Readonly<Record<string, Offer>> = {
  openai: {
    chat: 'gpt-4o-mini',
    tools: 'gpt-4o-mini',
    embeddings: 'text-embedding-3-small',
    speech: 'gpt-4o-mini-tts',
    transcription: 'whisper-1',
    image: 'gpt-image-1',
    edit: 'gpt-image-1',
  },
  ollama: { chat: 'llama3.2', embeddings: 'nomic-embed-text', transcription: 'gemma4-audio' },
  vllm: {
    chat: 'Qwen/Qwen3-8B',
    tools: 'Qwen/Qwen3-8B',
    embeddings: 'BAAI/bge-m3',
    rerank: 'BAAI/bge-reranker-v2-m3',
    speech: 'Qwen/Qwen3-Omni',
    transcription: 'openai/whisper-large-v3',
    image: 'Qwen/Qwen-Image',
  },
  xinference: {
    chat: 'qwen3-chat',
    embeddings: 'bge-m3',
    rerank: 'bge-reranker',
    speech: 'cosyvoice',
    transcription: 'whisper',
    image: 'flux',
    edit: 'flux',
  },
  localai: {
    chat: 'gpt-4',
    tools: 'gpt-4',
    embeddings: 'bert',
    rerank: 'jina-reranker',
    speech: 'tts-1',
    transcription: 'whisper-1',
    image: 'stablediffusion',
  },
  gpustack: {
    chat: 'qwen3',
    embeddings: 'bge-m3',
    rerank: 'bge-reranker-v2-m3',
    speech: 'cosyvoice',
    transcription: 'whisper-large-v3',
    image: 'qwen-image',
    edit: 'qwen-image-edit',
  },
};

const MESSAGES = [{ role: 'user' as const, content: 'Say hi' }];
const TOOL = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    description: 'Get weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
    },
  },
};

const backends: Record<string, WireBackend> = {};
let cli: RunningCli;
let client: OpenAI;
let url: string;
let cwd: string;

beforeAll(async () => {
  const lines = ['server: { port: 0 }', 'instances:'];
  for (const name of Object.keys(OFFERS)) {
    backends[name] = await startWireBackend(name);
    lines.push(
      `  ${name}: { adapter: ${name}, baseUrl: "${backends[name].url}", apiKey: sk-test }`,
    );
  }
  cwd = await mkdtemp(join(tmpdir(), 'jairouter-'));
  await writeFile(join(cwd, 'jairouter.config.yaml'), `${lines.join('\n')}\n`);
  cli = startCli(['serve'], { cwd });
  const [, address] = await cli.waitFor(/endpoint +(http:\S+)/);
  await cli.waitFor(/gpustack +\S+ +\S+ +healthy/);
  url = address!;
  client = new OpenAI({ baseURL: url, apiKey: 'none', maxRetries: 0 });
}, 60_000);

afterAll(async () => {
  await cli?.stop();
  for (const backend of Object.values(backends)) await backend.close();
  await rm(cwd, { recursive: true });
});

/** The formats of a transcription, but for those that a backend renders itself and no sample has. */
function formatsOf(backend: string) {
  const all = ['json', 'text', 'srt', 'vtt', 'verbose_json'] as const;
  const unrecorded = backend === 'openai' ? 'vtt' : backend === 'localai' ? 'srt' : undefined;
  return all.filter((format) => format !== unrecorded);
}

function wav() {
  return toFile(Buffer.from('UklGRiQAAABXQVZFZm10IA==', 'base64'), 'a.wav', { type: 'audio/wav' });
}

/** One transparent pixel. */
function png() {
  const pixel =
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR4nGNgAAIAAAUAAXpeqz8AAAAASUVORK5CYII=';
  return toFile(Buffer.from(pixel, 'base64'), 'a.png', { type: 'image/png' });
}

describe.each(Object.entries(OFFERS))('the official SDK over %s', (name, offer) => {
  const at = (model: string) => `${name}/${model}`;

  it('chats', async () => {
    const { data: chat, response } = await client.chat.completions
      .create({ model: at(offer.chat), messages: MESSAGES })
      .withResponse();
    expect(chat.choices[0]!.message.content).toBe('Hi!');
    expect(chat.usage!.completion_tokens).toBeGreaterThan(0);
    expect(response.headers.get('x-jairouter-instance')).toBe(name);
    expect(response.headers.get('x-jairouter-model')).toBe(offer.chat);
    const { json } = backends[name]!.requests.at(-1)!;
    expect(json).toEqual({ model: offer.chat, messages: MESSAGES });
  });

  it('chats in a stream, with usage', async () => {
    const stream = await client.chat.completions.create({
      model: at(offer.chat),
      messages: MESSAGES,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usage = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? '';
      usage = Math.max(usage, chunk.usage?.completion_tokens ?? 0);
    }
    expect(text).toBe('Hi!');
    // GPUStack's sample has none: nobody asked its engine.
    if (name !== 'gpustack') expect(usage).toBeGreaterThan(0);
  });

  it.runIf(offer.tools)('calls tools in a stream', async () => {
    const runner = client.chat.completions.stream({
      model: at(offer.tools!),
      messages: [{ role: 'user', content: 'Weather in Paris?' }],
      tools: [TOOL],
    });
    const [call] = (await runner.finalMessage()).tool_calls!;
    expect(call).toMatchObject({ function: { name: 'get_weather' } });
    if (call!.type !== 'function') throw new Error('not a function');
    expect(JSON.parse(call!.function.arguments)).toEqual({ city: 'Paris' });
  });

  it('sends images and unknown fields along untouched', async () => {
    const messages = [
      {
        role: 'user' as const,
        content: [
          { type: 'text' as const, text: 'what is it?' },
          { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AAAA' } },
        ],
      },
    ];
    const extra = { response_format: { type: 'json_object' as const }, top_k: 3 };
    await client.chat.completions.create({ model: at(offer.chat), messages, ...extra });
    expect(backends[name]!.requests.at(-1)!.json).toEqual({
      model: offer.chat,
      messages,
      ...extra,
    });
  });

  it('embeds, though the SDK asks for base64 by itself', async () => {
    const result = await client.embeddings.create({ model: at(offer.embeddings), input: ['a'] });
    const [first] = result.data;
    expect(first!.embedding.length).toBe(3);
    expect(first!.embedding[0]).toBeCloseTo(0.0123, 4);
    const floats = await client.embeddings.create({
      model: at(offer.embeddings),
      input: ['a'],
      encoding_format: 'float',
    });
    expect(floats.data[0]!.embedding[2]).toBeCloseTo(0.0789, 4);
  });

  it.runIf(offer.rerank)('reranks', async () => {
    const answer = await fetch(`${url}/rerank`, {
      method: 'POST',
      body: JSON.stringify({
        model: at(offer.rerank!),
        query: 'Where is Paris?',
        documents: ['Paris is in France.', 'Cats purr.'],
        top_n: 1,
        return_documents: true,
      }),
    });
    expect(await answer.json()).toMatchObject({
      object: 'list',
      results: [{ index: 0, relevance_score: 0.9931, document: { text: 'Paris is in France.' } }],
    });
  });

  it.runIf(offer.speech)('speaks', async () => {
    const answer = await client.audio.speech.create({
      model: at(offer.speech!),
      input: 'Hello',
      voice: 'alloy',
      response_format: 'mp3',
    });
    expect(answer.headers.get('content-type')).toMatch(/^audio\//);
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(0);
  });

  it.runIf(offer.transcription).each(formatsOf(name))(
    'transcribes an upload to %s',
    async (format) => {
      const result: unknown = await client.audio.transcriptions.create({
        model: at(offer.transcription!),
        file: await wav(),
        response_format: format,
      });
      const text = typeof result === 'string' ? result : (result as { text: string }).text;
      expect(text).toContain('Hello world.');
      if (format === 'srt') expect(text).toMatch(/^1\n00:00:00,000 --> \d\d:\d\d:\d\d,\d{3}\n/);
      if (format === 'vtt') expect(text).toMatch(/^WEBVTT\n\n00:00:00\.000 --> /);
      if (format === 'verbose_json') {
        expect(typeof (result as { duration: unknown }).duration).toBe('number');
      }
    },
  );

  it.runIf(offer.transcription && name !== 'gpustack')('transcribes in a stream', async () => {
    const model = name === 'openai' ? 'gpt-4o-mini-transcribe' : offer.transcription!;
    const stream = await client.audio.transcriptions.create({
      model: at(model),
      file: await wav(),
      stream: true,
    });
    const events: string[] = [];
    let final = '';
    for await (const event of stream) {
      events.push(event.type);
      if (event.type === 'transcript.text.done') final = event.text;
    }
    expect(events).toContain('transcript.text.delta');
    expect(final.trim()).toBe('Hello world.');
  });

  it.runIf(offer.image)('paints', async () => {
    const result = await client.images.generate({ model: at(offer.image!), prompt: 'a fox' });
    expect(Buffer.from(result.data![0]!.b64_json!, 'base64').subarray(1, 4).toString()).toBe('PNG');
    expect(result.data![0]!.url ?? null).toBeNull();
  });

  it.runIf(offer.edit)('edits uploaded images', async () => {
    const result = await client.images.edit({
      model: at(offer.edit!),
      image: name === 'openai' ? [await png(), await png()] : await png(),
      prompt: 'add a hat',
    });
    expect(result.data![0]!.b64_json).toMatch(/^iVBOR/);
    const files = backends[name]!.requests.at(-1)!.form!.filter((part) => part.filename);
    expect(files).toHaveLength(name === 'openai' ? 2 : 1);
    const sent = Buffer.from(await (await png()).arrayBuffer()).toString('base64');
    for (const { base64 } of files) expect(base64).toBe(sent);
  });

  it('raises the typed error of a backend that does not know the model', async () => {
    const failure = await client.chat.completions
      .create({ model: at('nope'), messages: MESSAGES })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(OpenAI.NotFoundError);
    expect((failure as InstanceType<typeof OpenAI.NotFoundError>).code).toBe('model_not_found');
  });

  it('lets go of a stream when its reader stops', async () => {
    const stream = await client.chat.completions.create({
      model: at(offer.chat),
      messages: MESSAGES,
      stream: true,
    });
    for await (const _ of stream) break;
    expect(stream.controller.signal.aborted).toBe(true);
  });
});

describe('the official SDK', () => {
  it('lists every model of every backend', async () => {
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    for (const { chat } of Object.values(OFFERS)) {
      expect(ids.some((id) => id === chat || id === `${chat}:latest`)).toBe(true);
    }
    expect((await client.models.retrieve('Qwen/Qwen3-8B')).id).toBe('Qwen/Qwen3-8B');
  });

  it('raises on an error in the middle of a stream', async () => {
    backends['openai']!.next('chat-stream-error');
    const stream = await client.chat.completions.create({
      model: 'openai/gpt-4o-mini',
      messages: MESSAGES,
      stream: true,
    });
    let text = '';
    await expect(async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    }).rejects.toThrow(/server had an error/);
    expect(text).toBe('Hi');
  });

  it('is told of a stream that Ollama cut off in silence', async () => {
    backends['ollama']!.next('chat-stream-error');
    const stream = await client.chat.completions.create({
      model: 'ollama/llama3.2',
      messages: MESSAGES,
      stream: true,
    });
    await expect(async () => {
      for await (const chunk of stream) expect(chunk).toBeDefined();
    }).rejects.toThrow(/not whole/);
  });

  it('gets the error status that Xinference hid in a stream', async () => {
    backends['xinference']!.next('chat-stream-error');
    await expect(
      client.chat.completions.create({
        model: 'xinference/qwen3-chat',
        messages: MESSAGES,
        stream: true,
      }),
    ).rejects.toThrow(/CUDA out of memory/);
  });

  it('edits through the inpainting of LocalAI, whose answer links to its own disk', async () => {
    const result = await client.images.edit({
      model: 'localai/dreamshaper',
      image: await png(),
      mask: await png(),
      prompt: 'a hat',
    });
    expect(result.data![0]!.b64_json).toMatch(/^iVBOR/);
    expect(result.data![0]!.url).toBeUndefined();
  });

  it('gets 501 for what no instance offers', async () => {
    await expect(
      client.images.edit({ model: 'ollama/llama3.2', image: await png(), prompt: 'x' }),
    ).rejects.toMatchObject({ status: 501, code: 'unsupported_service' });
  });
});
