import OpenAI, { toFile } from 'openai';
import { describe, expect, it } from 'vitest';
import { wireSample } from '../support/wire-samples.ts';
import { serveWire } from './server.ts';

async function client(name: string) {
  const wire = await serveWire(name);
  const openai = new OpenAI({ baseURL: `${wire.url}/v1`, apiKey: 'sk-test', maxRetries: 0 });
  return { ...wire, openai };
}
const messages = [{ role: 'user' as const, content: 'Say hi' }];

describe('the backend made of samples', () => {
  it('answers a real client, streaming or not', async () => {
    const { openai, requests } = await client('vllm');
    const chat = { model: 'Qwen/Qwen3-8B', messages };
    expect((await openai.chat.completions.create(chat)).choices[0]?.message.content).toBe('Hi!');
    let text = '';
    for await (const chunk of await openai.chat.completions.create({ ...chat, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).toBe('Hi!');
    expect(requests.map(({ json }) => json?.['stream'])).toEqual([undefined, true]);
  });

  it('sends its streams byte for byte', async () => {
    const { url } = await serveWire('xinference');
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'qwen3-chat', messages, stream: true }),
    });
    expect(await response.text()).toBe(wireSample('xinference', 'chat-stream').response.sse);
  });

  it('reads forms', async () => {
    const { openai, requests } = await client('localai');
    const file = await toFile(Buffer.from('sound'), 'a.wav');
    const params = { file, model: 'whisper-1', response_format: 'vtt' as const };
    expect(await openai.audio.transcriptions.create(params)).toMatch(/^WEBVTT/);
    expect(requests[0]?.form).toContainEqual(
      expect.objectContaining({ name: 'file', base64: Buffer.from('sound').toString('base64') }),
    );
  });

  it('knows its models, by every name', async () => {
    const { openai } = await client('ollama');
    await openai.chat.completions.create({ model: 'llama3.2:latest', messages });
    await expect(openai.chat.completions.create({ model: 'xyz', messages })).rejects.toMatchObject({
      status: 404,
      message: "404 model 'xyz' not found",
    });
  });

  it('gives the format that was asked for, and refuses what it does not have', async () => {
    const { openai, url } = await client('ollama');
    const embed = { model: 'nomic-embed-text', input: 'a' };
    const { data } = await openai.embeddings.create(embed);
    expect(data[0]?.embedding[0]).toBeCloseTo(0.0123);
    const int8 = { ...embed, encoding_format: 'int8' } as unknown as typeof embed;
    await expect(openai.embeddings.create(int8)).rejects.toMatchObject({ status: 400 });
    const unknown = await fetch(`${url}/v1/rerank`, { method: 'POST', body: '{}' });
    expect([unknown.status, await unknown.text()]).toEqual([404, '404 page not found']);
  });

  it('fails on request', async () => {
    const { openai, next } = await client('ollama');
    next('error-503-queue');
    const chat = { model: 'llama3.2', messages };
    await expect(openai.chat.completions.create(chat)).rejects.toMatchObject({ status: 503 });
    expect((await openai.chat.completions.create(chat)).choices).toHaveLength(1);
  });

  it('serves the images that it links to under its own address', async () => {
    const { openai, url } = await client('localai');
    const { data } = await openai.images.generate({ model: 'stablediffusion', prompt: 'a fox' });
    expect(data?.[0]?.url).toBe(`${url}/generated-images/b64123.png`);
    const image = await fetch(data![0]!.url!);
    expect(image.headers.get('content-type')).toBe('image/png');
  });
});
