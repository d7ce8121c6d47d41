import { describe, expect, it } from 'vitest';
import { scripted } from './adapters/exchange.ts';
import { startGateway } from './support/gateway.ts';

/** A server whose one model gives vectors of that length, or of the one that is asked for. */
async function embedder(length: number) {
  const { url, asked } = await scripted({
    'GET /v1/models': { body: { object: 'list', data: [{ id: 'e', object: 'model' }] } },
    'POST /v1/embeddings': ({ body }) => {
      const { input, dimensions } = JSON.parse(body.toString()) as {
        input: string | string[];
        dimensions?: number;
      };
      const embedding = Array.from({ length: dimensions ?? length }, () => 0.5);
      return {
        body: {
          object: 'list',
          model: 'e',
          data: [input].flat().map((_, index) => ({ object: 'embedding', index, embedding })),
        },
      };
    },
  });
  const calls = () => asked.filter(({ path }) => path === '/v1/embeddings').length;
  return { config: { adapter: 'openai', baseUrl: url }, calls };
}

interface Answer {
  data?: { embedding: number[] }[];
  error?: { code: string; message: string };
}

async function pair(lengths: readonly [number, number]) {
  const [a, b] = [await embedder(lengths[0]), await embedder(lengths[1])];
  const gateway = await startGateway({
    services: { embeddings: { loadBalance: 'round-robin' } },
    instances: { a: a.config, b: b.config },
  });
  const ask = async (more: object = {}) => {
    const reply = await gateway.post('/v1/embeddings', { model: 'e', input: ['x'], ...more });
    const body = (await reply.json()) as Answer;
    return {
      status: reply.status,
      instance: reply.headers.get('x-jairouter-instance'),
      length: body.data?.[0]?.embedding.length,
      error: body.error,
    };
  };
  return { a, b, gateway, ask };
}

describe('embeddings of one name', () => {
  it('of two lengths come from the first instance alone', async () => {
    const { a, b, ask, gateway } = await pair([3, 5]);
    const first = await ask();
    for (let times = 0; times < 6; times += 1) {
      expect(await ask()).toMatchObject({ status: 200, length: first.length });
    }
    // The other one was asked once, to find out.
    expect(Math.min(a.calls(), b.calls())).toBe(1);
    const states = [...gateway.gateway.fleet.instances()].map(({ breaker }) =>
      breaker.admits(performance.now()),
    );
    expect(states).toEqual([true, true]);
  });

  it('are refused, with the reason, when only the other one is left', async () => {
    const { ask, gateway } = await pair([3, 5]);
    const { instance, length } = await ask();
    const [owner] = [...gateway.gateway.fleet.instances()].filter(({ name }) => name === instance);
    owner!.breaker.force('open', performance.now());
    const refused = await ask();
    expect(refused.status).toBe(502);
    expect(refused.error?.code).toBe('embedding_mismatch');
    expect(refused.error?.message).toContain(`where ${instance} gives ${length}`);
    const again = await ask();
    expect(again.status).toBe(503);
    expect(again.error?.message).toContain('gives vectors of');
  });

  it('of one length are served by both', async () => {
    const { a, b, ask } = await pair([4, 4]);
    for (let times = 0; times < 4; times += 1) expect((await ask()).status).toBe(200);
    expect([a.calls(), b.calls()]).toEqual([2, 2]);
  });

  it('may be asked for in several lengths', async () => {
    const { ask } = await pair([8, 8]);
    for (const dimensions of [2, 2, 4, 4]) {
      expect(await ask({ dimensions })).toMatchObject({ status: 200, length: dimensions });
    }
    expect(await ask()).toMatchObject({ status: 200, length: 8 });
  });

  it('in base64 are measured, too', async () => {
    const { ask } = await pair([3, 5]);
    await ask();
    const answers = [
      await ask({ encoding_format: 'base64' }),
      await ask({ encoding_format: 'base64' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(new Set(answers.map(({ instance }) => instance)).size).toBe(1);
  });

  it('are measured on the routes of Ollama, too, translated or not', async () => {
    const { url } = await scripted({
      'GET /api/tags': { body: { models: [{ name: 'e', model: 'e', digest: 'd' }] } },
      'POST /api/embed': { body: { model: 'e', embeddings: [[1, 2, 3]] } },
      'POST /api/embeddings': { body: { embedding: [1, 2, 3] } },
    });
    const other = await embedder(5);
    const gateway = await startGateway({
      services: { embeddings: { loadBalance: 'round-robin' } },
      instances: {
        own: { adapter: 'ollama', baseUrl: url },
        other: { ...other.config, priority: 9 },
      },
    });
    const routes = ['/api/embed', '/api/embeddings', '/v1/embeddings'];
    const [own] = [...gateway.gateway.fleet.instances()];
    const asked = { model: 'e', input: ['x'], prompt: 'x' };
    for (const route of routes.slice(0, 2)) {
      const reply = await gateway.post(route, asked);
      expect(reply.headers.get('x-jairouter-instance')).toBe('own');
    }
    own!.breaker.force('open', performance.now());
    const refused = await gateway.post('/api/embed', asked);
    expect(await refused.json()).toMatchObject({
      error: expect.stringContaining('where own gives 3') as string,
    });
    for (const route of routes) expect((await gateway.post(route, asked)).status).toBe(503);
  });
});
