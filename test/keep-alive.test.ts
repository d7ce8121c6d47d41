import { describe, expect, it } from 'vitest';
import { fakeBackend, json } from './support/fake-backend.ts';
import { oneInstance, startGateway, until } from './support/gateway.ts';

const CHAT = '/v1/chat/completions';

describe('connections to a backend', () => {
  it('are used again', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway(oneInstance(backend.url));
    for (let i = 0; i < 10; i++) await (await gateway.post(CHAT, { model: 'm' })).text();
    expect(backend.connections()).toBe(1);
  });

  it('that a backend closed while idle cost the client nothing, and count against nobody', async () => {
    let reset = false;
    const backend = await fakeBackend((_, response) => {
      if (reset) {
        reset = false;
        response.socket!.resetAndDestroy();
      } else {
        json(response, 200, { ok: true });
      }
    });
    const gateway = await startGateway(oneInstance(backend.url));
    await (await gateway.post(CHAT, { model: 'm' })).text();
    reset = true;
    const answer = await gateway.post(CHAT, { model: 'm' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-jairouter-attempts')).toBe('1');
    expect(backend.received).toHaveLength(3);
    expect(backend.received[2]!.body.toString()).toBe('{"model":"m"}');
  });

  it.each(['HTTP/1.1 200 OK\r\nConten', 'garbage\r\n\r\n'])(
    'that answer %j and break have got the request, which is not sent again',
    async (bytes) => {
      let broken = false;
      const backend = await fakeBackend((_, response) => {
        if (!broken) return json(response, 200, {});
        response.socket!.write(bytes);
        setTimeout(() => response.socket?.resetAndDestroy(), 20);
        return undefined;
      });
      const gateway = await startGateway(oneInstance(backend.url));
      await (await gateway.post(CHAT, { model: 'm' })).text();
      broken = true;
      expect((await gateway.post(CHAT, { model: 'm' })).status).toBe(502);
      expect(backend.received).toHaveLength(2);
    },
  );

  it('that break twice are not tried a third time', async () => {
    let broken = false;
    const backend = await fakeBackend((_, response) => {
      if (broken) response.socket!.resetAndDestroy();
      else json(response, 200, {});
    });
    const gateway = await startGateway(oneInstance(backend.url));
    await (await gateway.post(CHAT, { model: 'm' })).text();
    broken = true;
    expect((await gateway.post(CHAT, { model: 'm' })).status).toBe(502);
    expect(backend.received).toHaveLength(3);
  });

  it('survive a backend that hangs up on idle sockets all the time', async () => {
    const backend = await fakeBackend(undefined, { keepAliveTimeout: 5 });
    const gateway = await startGateway(oneInstance(backend.url));
    for (let i = 0; i < 60; i++) {
      const answer = await gateway.post(CHAT, { model: 'm' });
      expect(answer.status).toBe(200);
      await answer.text();
      await new Promise((resolve) => setTimeout(resolve, i % 12));
    }
  });

  it('are dropped by us before a backend of the uvicorn kind drops them', async () => {
    const backend = await fakeBackend((_, response) => {
      // Like uvicorn, it does not say how long it keeps a socket.
      response.setHeader('connection', 'keep-alive');
      json(response, 200, {});
    });
    const gateway = await startGateway({
      instances: {
        a: { adapter: 'vllm', baseUrl: backend.url, models: ['m'], health: { interval: '1h' } },
      },
    });
    for (const instance of gateway.gateway.fleet.instances()) instance.become('healthy', undefined);
    await until(() => backend.sockets.size === 0, 8000);
    const began = performance.now();
    await (await gateway.post(CHAT, { model: 'm' })).text();
    expect(backend.sockets.size).toBe(1);
    await until(() => backend.sockets.size === 0, 8000);
    const idle = performance.now() - began;
    expect(idle).toBeGreaterThan(1500);
    // uvicorn, cpp-httplib and Express close at 5 s.
    expect(idle).toBeLessThan(5000);
  });
});
