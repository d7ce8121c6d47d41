import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Backend } from '../../src/adapters/adapter.ts';
import type { BackendOptions } from '../../src/instances/backend.ts';
import { backendAt } from '../support/backend-at.ts';

async function backendOf(
  listener: RequestListener,
  options: Partial<BackendOptions> = {},
): Promise<Backend> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return backendAt(`http://127.0.0.1:${port}`, { timeout: 1000, ...options });
}

describe('a backend', () => {
  test('is asked with its credentials, below its base path', async () => {
    const server: RequestListener = (req, res) => {
      res.setHeader('set-cookie', ['a=1', 'b=2']);
      res.end(JSON.stringify({ url: req.url, auth: req.headers.authorization }));
    };
    const backend = await backendOf(server, { headers: { authorization: 'Bearer key' } });
    const reply = await backend.get('/v1/models');
    expect(reply).toMatchObject({
      status: 200,
      headers: { 'set-cookie': 'a=1, b=2' },
      text: '{"url":"/v1/models","auth":"Bearer key"}',
      json: { url: '/v1/models', auth: 'Bearer key' },
    });
  });

  test('is sent JSON', async () => {
    const backend = await backendOf((req, res) => {
      res.writeHead(422, { 'content-type': req.headers['content-type'] });
      req.pipe(res);
    });
    const reply = await backend.post('/v1/rerank', { query: 'ü' });
    expect(reply).toMatchObject({
      status: 422,
      headers: { 'content-type': 'application/json' },
      json: { query: 'ü' },
    });
  });

  test('may answer with what is no JSON', async () => {
    const backend = await backendOf((_, res) => void res.end('Ollama is running'));
    expect(await backend.get('/')).toMatchObject({ text: 'Ollama is running', json: undefined });
  });

  test('is not followed elsewhere', async () => {
    const backend = await backendOf((_, res) => void res.writeHead(302, { location: '/' }).end());
    expect(await backend.get('/')).toMatchObject({ status: 302, headers: { location: '/' } });
  });

  test('has only so much time, for the head and for the body', async () => {
    const silent = await backendOf(() => {}, { timeout: 100 });
    await expect(silent.get('/')).rejects.toMatchObject({ name: 'TimeoutError' });
    const slow = await backendOf((_, res) => void res.write('['), { timeout: 100 });
    await expect(slow.get('/')).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('is not waited for beyond a deadline', async () => {
    const deadline = performance.now() + 100;
    const silent = await backendOf(() => {}, { timeout: 10_000, deadline });
    await expect(silent.get('/')).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect(silent.get('/')).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('can’t fill our memory', async () => {
    const backend = await backendOf((_, res) => {
      const flood = (): void => {
        while (!res.destroyed && res.write(Buffer.alloc(1e6, '[')));
      };
      res.on('drain', flood);
      flood();
    });
    const reply = await backend.get('/');
    expect(reply.text).toHaveLength(8 * 1024 * 1024);
    expect(reply.json).toBeUndefined();
  });

  test('rejects when nobody listens', async () => {
    const nobody = backendAt('http://127.0.0.1:1');
    await expect(nobody.get('/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
