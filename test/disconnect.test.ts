import { request as httpRequest, type ClientRequest } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { OPERATIONS, type Operation } from '../src/service.ts';
import { chatChunk, fakeBackend, startEvents } from './support/fake-backend.ts';
import { oneInstance, startGateway, until } from './support/gateway.ts';

/** What is answered here, or has no stream that could break. */
const OTHERS = new Set<Operation>([
  'countTokens',
  'inputTokens',
  'ollamaEmbed',
  'ollamaEmbeddings',
]);
const OPERATION_NAMES = (Object.keys(OPERATIONS) as Operation[]).filter(
  (name) => !OTHERS.has(name),
);

/** What is read of a request that has to be translated. */
function ask(operation: Operation): Record<string, unknown> {
  const said = [{ role: 'user', content: 'Hi' }];
  if (operation === 'messages' || operation === 'ollamaChat') return { model: 'm', messages: said };
  return operation === 'ollamaGenerate' ? { model: 'm', prompt: 'Hi' } : { model: 'm' };
}

/** A call to the operation's route, in the kind of body that it takes. */
function call(url: string, operation: Operation, fields: Record<string, unknown>): ClientRequest {
  const { routes, body } = OPERATIONS[operation];
  const isJson = (body as readonly string[]).includes('json');
  const request = httpRequest(url + routes[0], {
    method: 'POST',
    headers: {
      'content-type': isJson ? 'application/json' : 'multipart/form-data; boundary=X',
    },
  });
  // It is torn down by its own side.
  request.on('error', () => {});
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `--X\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${String(value)}\r\n`,
  );
  request.end(isJson ? JSON.stringify(fields) : `${parts.join('')}--X--\r\n`);
  return request;
}

describe.each(OPERATION_NAMES)('a client of %s that leaves', (operation) => {
  it('before the first byte takes the call to the backend with it', async () => {
    const backend = await fakeBackend(() => {});
    const gateway = await startGateway(oneInstance(backend.url));
    const request = call(gateway.url, operation, ask(operation));
    await until(() => backend.received.length === 1);
    const left = performance.now();
    request.destroy();
    await until(() => backend.aborted() === 1);
    // The goal is 50 ms; the rest is what a busy machine may add.
    expect(performance.now() - left).toBeLessThan(500);
    await until(() => gateway.outcomes.length === 1);
    expect(gateway.outcomes[0]).toMatchObject({ ending: 'aborted', status: undefined });
    const [instance] = gateway.gateway.fleet.instances();
    expect(instance!.inFlight).toBe(0);
  });

  it('in the middle of the answer takes it with it too', async () => {
    const backend = await fakeBackend((_, response) => {
      startEvents(response);
      response.write(chatChunk('1'));
    });
    const gateway = await startGateway(oneInstance(backend.url));
    const request = call(gateway.url, operation, { ...ask(operation), stream: true });
    await new Promise<void>((resolve) => {
      request.on('response', (response) => response.once('data', () => resolve()));
    });
    request.destroy();
    await until(() => backend.aborted() === 1);
    await until(() => gateway.outcomes.length === 1);
    expect(gateway.outcomes[0]!.ending).toBe('aborted');
  });
});

describe('a client that leaves', () => {
  it('while its own body is still coming in reaches no backend', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway(oneInstance(backend.url));
    const request = httpRequest(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-length': '1000' },
    });
    request.on('error', () => {});
    request.write('{"model":"m"');
    await until(() => gateway.gateway.calls.size === 1);
    request.destroy();
    await until(() => gateway.outcomes.length === 1);
    expect(gateway.outcomes[0]!.ending).toBe('aborted');
    expect(backend.received).toHaveLength(0);
    await until(() => gateway.gateway.calls.size === 0);
  });

  it('while its compressed body is being unpacked reaches no backend', async () => {
    const backend = await fakeBackend(() => {});
    const gateway = await startGateway(oneInstance(backend.url));
    const body = gzipSync(`{"model":"m","x":"${'y'.repeat(60_000_000)}"}`);
    const request = httpRequest(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-encoding': 'gzip' },
    });
    request.on('error', () => {});
    request.end(body);
    await until(() => gateway.gateway.calls.size === 1);
    setTimeout(() => request.destroy(), 10);
    await until(() => gateway.outcomes.length === 1);
    expect(gateway.outcomes[0]!.ending).toBe('aborted');
    await until(() => backend.aborted() === backend.received.length);
  });

  it('while we connect is let go at once, and its request is never sent', async () => {
    // It accepts, but the TLS handshake never gets an answer: the connection does not come about.
    const silent = createServer((socket) => socket.on('error', () => {}));
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const baseUrl = `https://127.0.0.1:${port}`;
    const gateway = await startGateway(
      { instances: { a: { adapter: 'openai', baseUrl, models: ['m'] } } },
      { probed: false },
    );
    const request = call(gateway.url, 'chat', { model: 'm' });
    await until(() => gateway.gateway.calls.size === 1);
    request.destroy();
    await until(() => gateway.outcomes.length === 1, 1000);
    expect(gateway.outcomes[0]!.ending).toBe('aborted');
  });

  it('costs the instance nothing: the next call goes there as before', async () => {
    let calls = 0;
    const backend = await fakeBackend((_, response) => {
      calls += 1;
      if (calls > 1) response.end('{}');
    });
    const gateway = await startGateway(oneInstance(backend.url));
    const request = call(gateway.url, 'chat', { model: 'm' });
    await until(() => backend.received.length === 1);
    request.destroy();
    await until(() => gateway.outcomes.length === 1);
    const answer = await gateway.post('/v1/chat/completions', { model: 'm' });
    expect(answer.status).toBe(200);
  });
});
