import { describe, expect, it } from 'vitest';
import { fakeBackend, json, type Behaviour } from './support/fake-backend.ts';
import { startGateway, until } from './support/gateway.ts';

const CHAT = '/v1/chat/completions';

async function pair(
  first: Behaviour,
  second: Behaviour,
  more: { paid?: boolean; after?: string } = {},
) {
  const a = await fakeBackend(first);
  const b = await fakeBackend(second);
  const gateway = await startGateway({
    services: { chat: { hedge: { after: more.after ?? '80ms' } } },
    instances: {
      a: { adapter: 'openai', baseUrl: a.url },
      b: { adapter: 'openai', baseUrl: b.url, paid: more.paid ?? false },
    },
    defaults: { loadBalance: 'round-robin' },
  });
  return { a, b, gateway };
}

const quick: Behaviour = (_, response) => json(response, 200, { from: 'quick' });
const never: Behaviour = () => {};

describe('a late first byte', () => {
  it('is hedged on another instance; the first to answer wins and the other ends at once', async () => {
    const { a, gateway } = await pair(never, quick);
    const answer = await gateway.post(CHAT, { model: 'm' });
    expect(await answer.json()).toEqual({ from: 'quick' });
    expect(answer.headers.get('x-jairouter-instance')).toBe('b');
    expect(answer.headers.get('x-jairouter-attempts')).toBe('2');
    const ended = performance.now();
    await until(() => a.aborted() === 1);
    expect(performance.now() - ended).toBeLessThan(500);
    await until(() => gateway.outcomes.length === 1);
    expect(gateway.outcomes[0]).toMatchObject({ ending: 'ok', instance: 'b' });
    for (const instance of gateway.gateway.fleet.instances()) {
      expect(instance.inFlight).toBe(0);
      expect(instance.breaker.view(performance.now()).failures).toBe(0);
    }
  });

  it('is not hedged when it is not late', async () => {
    const { b, gateway } = await pair(quick, quick);
    await gateway.post(CHAT, { model: 'm' });
    expect(b.received).toHaveLength(0);
  });

  it('is not hedged where it would be paid for', async () => {
    const { b, gateway } = await pair(
      (_, response) => void setTimeout(() => json(response, 200, { from: 'slow' }), 250),
      quick,
      { paid: true },
    );
    const answer = await gateway.post(CHAT, { model: 'm' });
    expect(await answer.json()).toEqual({ from: 'slow' });
    expect(b.received).toHaveLength(0);
  });

  it('is not hedged by what is usual before that is known', async () => {
    const { b, gateway } = await pair(
      (_, response) => void setTimeout(() => json(response, 200, { from: 'slow' }), 150),
      quick,
      { after: 'p95' },
    );
    await gateway.post(CHAT, { model: 'm' });
    expect(b.received).toHaveLength(0);
  });

  it('that the second one fails to better is waited for', async () => {
    const { gateway } = await pair(
      (_, response) => void setTimeout(() => json(response, 200, { from: 'slow' }), 250),
      (_, response) => json(response, 500, { error: { message: 'no' } }),
    );
    const answer = await gateway.post(CHAT, { model: 'm' });
    expect(await answer.json()).toEqual({ from: 'slow' });
  });

  it('ends in both places when the client leaves', async () => {
    const { a, b, gateway } = await pair(never, never);
    const leaving = new AbortController();
    const answer = gateway.post(CHAT, { model: 'm' }, { signal: leaving.signal });
    await until(() => b.received.length === 1);
    leaving.abort();
    await expect(answer).rejects.toThrow();
    await until(() => a.aborted() === 1 && b.aborted() === 1);
    await until(() => gateway.outcomes.length === 1);
    expect(gateway.outcomes[0]!.ending).toBe('aborted');
  });
});

describe('an attempt that waits for the limit of its instance', () => {
  it('is not made any more once another one has won, and counts nowhere', async () => {
    const a = await fakeBackend(quick);
    const b = await fakeBackend(quick);
    const gateway = await startGateway({
      services: { chat: { hedge: { after: '40ms' } } },
      instances: {
        a: {
          adapter: 'openai',
          baseUrl: a.url,
          rateLimit: { algorithm: 'leaky-bucket', rate: '2/s', capacity: 5 },
        },
        b: { adapter: 'openai', baseUrl: b.url },
      },
      defaults: { loadBalance: 'round-robin' },
    });
    for (let call = 0; call < 3; call++) {
      const answer = await gateway.post(CHAT, { model: 'm' });
      expect(answer.headers.get('x-jairouter-attempts')).toBe('1');
      expect(await answer.json()).toEqual({ from: 'quick' });
    }
    await until(() => gateway.outcomes.length === 3);
    expect(gateway.outcomes[2]).toMatchObject({
      instance: 'b',
      attempts: [{ instance: 'b', ending: 'ok', choice: { by: 'hedge', after: 'a' } }],
    });
    // Past the moment at which its limit would have let it go.
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(a.received).toHaveLength(1);
    for (const instance of gateway.gateway.fleet.instances()) expect(instance.inFlight).toBe(0);
  });
});
