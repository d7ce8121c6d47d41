import { describe, expect, it } from 'vitest';
import { ASKED, SERVED } from '../../src/dialects/index.ts';
import { startGateway } from '../support/gateway.ts';
import { scripted } from '../adapters/exchange.ts';
import { chunk, completion, ending, overChat } from './upstream.ts';

const token = (text: string) => ({
  token: text,
  logprob: -0.5,
  bytes: [...Buffer.from(text)],
  top_logprobs: [{ token: 'Ho', logprob: -1.5, bytes: [72, 111] }],
});
const [HI, YOU] = [token('Hi'), token(' you')];
const said = (content: readonly object[]) => ({ logprobs: { content, refusal: null } });
const USER = [{ role: 'user', content: 'x' }];
const WISH = SERVED.chat.readRequest({ messages: USER, logprobs: true, top_logprobs: 1 });

/** A backend of chat completions that tells how likely its tokens were. */
function likely() {
  return overChat([
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'Hi' }, said([HI])),
    chunk({ content: ' you' }, said([YOU])),
    ...ending('stop'),
  ]);
}

describe('how likely each token was', () => {
  it('is told in Responses, in streams and as a whole', async () => {
    const scene = await likely();
    const ask = { model: 'm', input: 'x', top_logprobs: 1 };
    const reply = await scene.gateway.post('/v1/responses', { ...ask, stream: true });
    const events = [...(await reply.text()).matchAll(/^data: (.*)$/gm)].map(
      ([, data]) => JSON.parse(data!) as { type: string; logprobs?: unknown; part?: object },
    );
    const of = (type: string) => events.filter((event) => event.type === `response.${type}`);
    expect(of('output_text.delta').map(({ logprobs }) => logprobs)).toEqual([[HI], [YOU]]);
    expect(of('output_text.done')[0]!.logprobs).toEqual([HI, YOU]);
    expect(of('content_part.done')[0]!.part).toMatchObject({ logprobs: [HI, YOU] });
    expect(scene.asked()).toMatchObject({ logprobs: true, top_logprobs: 1 });
    expect(reply.headers.has('x-jairouter-dropped')).toBe(false);

    const whole = completion({ content: 'Hi' });
    Object.assign((whole['choices'] as object[])[0]!, said([HI]));
    const one = await overChat(whole);
    const answer = await one.gateway.post('/v1/responses', {
      ...ask,
      top_logprobs: 0,
      include: ['message.output_text.logprobs'],
    });
    expect(await answer.json()).toMatchObject({ output: [{ content: [{ logprobs: [HI] }] }] });
    expect(one.asked()).toMatchObject({ logprobs: true });
    expect(one.asked()).not.toHaveProperty('top_logprobs');
  });

  it('is told to Ollama’s clients', async () => {
    const scene = await likely();
    const ask = { model: 'm', messages: USER, logprobs: true, top_logprobs: 1 };
    const reply = await scene.gateway.post('/api/chat', ask);
    const lines = (await reply.text()).trim().split('\n');
    const logprobs = lines.map((line) => (JSON.parse(line) as { logprobs?: unknown }).logprobs);
    expect(logprobs).toEqual([[HI], [YOU], undefined]);
    expect(scene.asked()).toMatchObject({ logprobs: true, top_logprobs: 1 });
  });

  it.each([true, false])('is asked of Ollama itself with numCtx (streamed: %s)', async (stream) => {
    const line = { model: 'm', message: { role: 'assistant', content: 'Hi' }, logprobs: [HI] };
    const last = { model: 'm', message: { role: 'assistant', content: '' }, done: true };
    const { url, asked } = await scripted({
      'GET /api/tags': { body: { models: [{ name: 'm', model: 'm', digest: 'd' }] } },
      'POST /api/chat': (_, response) => {
        if (!stream) return { body: { ...line, done: true } };
        response.writeHead(200, { 'content-type': 'application/x-ndjson' });
        response.end(`${JSON.stringify(line)}\n${JSON.stringify(last)}\n`);
        return undefined;
      },
    });
    const gateway = await startGateway({
      instances: { a: { adapter: 'ollama', baseUrl: url, ollama: { numCtx: 8192 } } },
    });
    const ask = { model: 'm', messages: USER, logprobs: true, top_logprobs: 1, stream };
    const text = await (await gateway.post('/v1/chat/completions', ask)).text();
    expect(text).toContain(`"logprobs":${JSON.stringify({ content: [HI], refusal: null })}`);
    const sent = asked.findLast(({ path }) => path === '/api/chat')!;
    expect(JSON.parse(sent.body.toString())).toMatchObject({ logprobs: true, top_logprobs: 1 });
  });

  it('is asked of Responses and read from them, where a backend has those alone', () => {
    const { fields } = ASKED.responses.writeRequest(WISH, { model: 'm', extras: [] });
    expect(fields).toMatchObject({ top_logprobs: 1, include: ['message.output_text.logprobs'] });
    const delta = { type: 'response.output_text.delta', delta: 'Hi', logprobs: [HI] };
    const told = { type: 'text', text: 'Hi', logprobs: [HI] };
    expect(ASKED.responses.eventReader()({ data: JSON.stringify(delta) })).toEqual([told]);
    const part = { type: 'output_text', text: 'Hi', annotations: [], logprobs: [HI] };
    const output = [{ type: 'message', role: 'assistant', content: [part] }];
    expect(ASKED.responses.readAnswer({ status: 'completed', output })).toContainEqual(told);
  });

  it('can not be asked of Anthropic’s models, nor of OpenAI’s that reason', () => {
    const messages = ASKED.messages.writeRequest(WISH, { model: 'claude', extras: [] });
    const chat = ASKED.chat.writeRequest(WISH, { model: 'gpt-5', extras: [] });
    for (const { fields, dropped } of [messages, chat]) {
      expect(fields).not.toHaveProperty('logprobs');
      expect(dropped).toEqual(['logprobs']);
    }
  });
});
