import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deadPort, fakeBackend, json } from './support/fake-backend.ts';
import { oneInstance, startGateway, until } from './support/gateway.ts';
import { collectGarbage } from './support/memory.ts';

const CHAT = '/v1/chat/completions';
const defaults = { retry: { bufferLimit: '100kb' } };
const large = { model: 'm', messages: [{ role: 'user', content: 'ü'.repeat(100_000) }] };

describe('a request body above retry.bufferLimit', () => {
  it('arrives whole', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway(oneInstance(backend.url, { defaults }));
    expect((await gateway.post(CHAT, large)).status).toBe(200);
    expect(JSON.parse(backend.received[0]!.body.toString())).toEqual(large);
    expect(backend.received[0]!.headers['content-length']).toBe(
      String(Buffer.byteLength(JSON.stringify(large))),
    );
  });

  it('is not sent a second time', async () => {
    const backends = [await fakeBackend(), await fakeBackend()];
    for (const one of backends) {
      one.behave = (_, response) => json(response, 503, { error: { message: 'not now' } });
    }
    const [a, b] = backends.map(({ url }) => ({ adapter: 'openai', baseUrl: url }));
    const gateway = await startGateway({ defaults, instances: { a: a!, b: b! } });
    const answer = await gateway.post(CHAT, large);
    expect([answer.status, answer.headers.get('x-jairouter-attempts')]).toEqual([503, '1']);
    const small = await gateway.post(CHAT, { model: 'm' });
    expect(small.headers.get('x-jairouter-attempts')).not.toBe('1');
  });

  it('is tried elsewhere when nobody took it', async () => {
    const backend = await fakeBackend();
    const dead = `http://127.0.0.1:${await deadPort()}`;
    const gateway = await startGateway(
      {
        defaults,
        instances: {
          dead: { adapter: 'openai', baseUrl: dead, models: ['m'] },
          good: { adapter: 'openai', baseUrl: backend.url, priority: 1 },
        },
      },
      { probed: false },
    );
    expect((await gateway.post(CHAT, large)).status).toBe(200);
    expect(JSON.parse(backend.received[0]!.body.toString())).toEqual(large);
    expect(gateway.outcomes[0]!.attempts.at(-1)).toMatchObject({
      instance: 'good',
      error: undefined,
    });
  });

  it('takes up no memory while its backend works', { timeout: 60_000 }, async () => {
    const size = 64 * 1024 * 1024;
    let arrived = 0;
    let answer = (): void => {};
    const server = createServer((request, response) => {
      if (request.method === 'GET') {
        return json(response, 200, { object: 'list', data: [{ id: 'm', object: 'model' }] });
      }
      request.on('data', (chunk: Buffer) => (arrived += chunk.length));
      request.on('end', () => (answer = () => json(response, 200, { text: 'done' })));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    const { port } = server.address() as AddressInfo;
    const gateway = await startGateway(oneInstance(`http://127.0.0.1:${port}`, { defaults }));

    const held = (): number => {
      collectGarbage();
      return process.memoryUsage().arrayBuffers;
    };
    const before = held();
    const head =
      '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nm\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n';
    const upload = httpRequest(`${gateway.url}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
    });
    upload.write(head);
    const piece = Buffer.alloc(1024 * 1024, 1);
    for (let sent = 0; sent < size; sent += piece.length) {
      if (!upload.write(piece)) await once(upload, 'drain');
    }
    upload.end('\r\n--b--\r\n');
    await until(() => arrived > size, 30_000);
    await until(() => held() - before < size / 4, 10_000);
    answer();
    const [response] = (await once(upload, 'response')) as [{ statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(200);
  });
});
