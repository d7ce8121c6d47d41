import { describe, expect, it } from 'vitest';
import { scripted, type Script } from './adapters/exchange.ts';
import { startEvents } from './support/fake-backend.ts';
import { startGateway, until } from './support/gateway.ts';

const LONG = 'word '.repeat(6000);
const ask = (content: string, more: object = {}) => ({
  model: 'm',
  messages: [{ role: 'user', content }],
  ...more,
});

/** An Ollama with a model in memory, or about to be. */
async function ollama(
  usage: { prompt_tokens: number; completion_tokens: number },
  loadedBefore = true,
) {
  let loaded = loadedBefore;
  const answer: Script = (received, response) => {
    loaded = true;
    const { stream } = JSON.parse(received.body.toString()) as { stream?: boolean };
    if (!stream) return { body: { object: 'chat.completion', choices: [], usage } };
    const event = (chunk: object) => `data: ${JSON.stringify(chunk)}\n\n`;
    startEvents(response);
    response.write(event({ choices: [{ index: 0, delta: { content: 'hi' } }] }));
    setTimeout(() => response.end(`${event({ choices: [], usage })}data: [DONE]\n\n`), 20);
    return undefined;
  };
  const { url } = await scripted({
    'GET /api/tags': {
      body: { models: [{ name: 'm:latest', digest: 'd', capabilities: ['completion'] }] },
    },
    'GET /api/ps': () => ({
      body: {
        models: loaded ? [{ name: 'm:latest', model: 'm:latest', context_length: 4096 }] : [],
      },
    }),
    'POST /v1/chat/completions': answer,
  });
  const gateway = await startGateway({
    instances: { laptop: { adapter: 'ollama', baseUrl: url } },
  });
  const warning = async (body: object) => {
    const reply = await gateway.post('/v1/chat/completions', body);
    await reply.text();
    return reply.headers.get('x-jairouter-warning');
  };
  const warned = () => gateway.said.filter((line) => line.startsWith('instance laptop: '));
  return { warning, warned };
}

describe('a prompt that Ollama cuts to its context', () => {
  it('is told in a header, and once in the log', async () => {
    const { warning, warned } = await ollama({ prompt_tokens: 3000, completion_tokens: 10 });
    for (let times = 0; times < 2; times += 1) {
      for (const stream of [false, true]) {
        expect(await warning(ask(LONG, { stream }))).toMatch(
          /about 7\d{3} tokens.*context of 4096.*set instances\.laptop\.ollama\.numCtx/,
        );
      }
    }
    expect(warned()).toEqual([expect.stringMatching(/^instance laptop: the prompt has about 7/)]);
    expect(await warning(ask('short'))).toBe(null);
  });

  it('is told by the tokens of its answer, when these fill the context', async () => {
    const { warning, warned } = await ollama({ prompt_tokens: 4000, completion_tokens: 96 });
    expect(await warning(ask('dense'))).toMatch(/filled the context of 4096 tokens/);
    // The head of a stream is out before its tokens are known: only the log and a trailer tell.
    expect(await warning(ask('dense', { stream: true }))).toBe(null);
    expect(warned()).toHaveLength(1);
  });

  it('is found out after the call that loads the model, too', async () => {
    const { warning, warned } = await ollama(
      { prompt_tokens: 4000, completion_tokens: 200 },
      false,
    );
    expect(await warning(ask('dense'))).toBe(null);
    await until(() => warned().length > 0);
    expect(warned()).toEqual([
      expect.stringMatching(/^instance laptop: .*filled the context of 4096/),
    ]);
  });

  it('is none below that', async () => {
    const { warning, warned } = await ollama({ prompt_tokens: 4000, completion_tokens: 95 });
    expect(await warning(ask('fits'))).toBe(null);
    expect(warned()).toEqual([]);
  });
});

it('a num_ctx that Ollama does not hear is told', async () => {
  const { warning, warned } = await ollama({ prompt_tokens: 5, completion_tokens: 5 });
  expect(await warning(ask('a', { options: { num_ctx: 32768 } }))).toMatch(/num_ctx is not heard/);
  expect(await warning(ask('a', { num_ctx: 32768 }))).toMatch(/num_ctx is not heard/);
  expect(warned()).toHaveLength(1);
});
