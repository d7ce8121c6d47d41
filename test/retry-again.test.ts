import { describe, expect, it } from 'vitest';
import { fakeBackend, json, type Behaviour } from './support/fake-backend.ts';
import { oneInstance, startGateway } from './support/gateway.ts';

const CHAT = '/v1/chat/completions';

/** One instance that refuses the first calls so, and serves the others. */
async function alone(refusals: number, behave: Behaviour) {
  const backend = await fakeBackend(async (received, response) => {
    if (backend.received.length <= refusals) await behave(received, response);
    else json(response, 200, { ok: true });
  });
  const gateway = await startGateway(oneInstance(backend.url));
  const ask = async () => {
    const began = performance.now();
    const answer = await gateway.post(CHAT, { model: 'm' });
    await answer.arrayBuffer();
    return {
      status: answer.status,
      attempts: answer.headers.get('x-jairouter-attempts'),
      retry: answer.headers.get('x-should-retry'),
      after: answer.headers.get('retry-after'),
      took: performance.now() - began,
    };
  };
  return { ask, backend, gateway };
}

const refuse =
  (status: number, headers: Record<string, string> = {}): Behaviour =>
  (_, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    json(response, status, { error: { message: 'not now', type: 'server_error' } });
  };

describe('an instance that nobody can stand in for', () => {
  it.each([408, 425, 429, 503, 529])(
    'is asked again after a pause when it answers %i',
    async (status) => {
      const { ask } = await alone(1, refuse(status));
      const answer = await ask();
      expect(answer).toMatchObject({ status: 200, attempts: '2' });
      expect(answer.took).toBeGreaterThan(240);
    },
  );

  it.each([500, 502, 504, 400, 401])('is not asked again when it answers %i', async (status) => {
    const { ask } = await alone(1, refuse(status));
    expect(await ask()).toMatchObject({ status, attempts: '1', retry: null });
  });

  it('is asked as often as retry.attempts allows, and then the client is told not to go on', async () => {
    const { ask, backend } = await alone(9, refuse(503));
    expect(await ask()).toMatchObject({ status: 503, attempts: '3', retry: 'false' });
    expect(backend.received).toHaveLength(3);
  });

  it('is given the rest that it asks for', async () => {
    const { ask } = await alone(1, refuse(429, { 'retry-after-ms': '700' }));
    const answer = await ask();
    expect(answer).toMatchObject({ status: 200, attempts: '2' });
    expect(answer.took).toBeGreaterThan(690);
  });

  it('is not waited for when it wants a long rest: the client hears when to come back', async () => {
    const { ask } = await alone(1, refuse(429, { 'retry-after': '20' }));
    const answer = await ask();
    expect(answer).toMatchObject({ status: 429, attempts: '1', retry: null, after: '20' });
    expect(answer.took).toBeLessThan(5000);
  });

  it('is not asked again for a client that left during the pause', async () => {
    const { backend, gateway } = await alone(9, refuse(503));
    const leaving = new AbortController();
    const answer = gateway.post(CHAT, { model: 'm' }, { signal: leaving.signal });
    while (backend.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    leaving.abort();
    await expect(answer).rejects.toThrow(/aborted/);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(backend.received).toHaveLength(1);
    expect(gateway.outcomes).toMatchObject([{ ending: 'aborted' }]);
  });
});
