import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { proxyFor } from '../src/instances/pool.ts';
import { fakeBackend, json } from './support/fake-backend.ts';
import { startGateway, type TestGateway } from './support/gateway.ts';

const fixture = (name: string): URL => new URL(`./fixtures/tls/${name}`, import.meta.url);

/** A backend whose certificate is signed by an authority of its own; @returns its address. */
async function tlsBackend(): Promise<string> {
  const [key, cert] = await Promise.all([
    readFile(fixture('server.key')),
    readFile(fixture('server.pem')),
  ]);
  const server = createHttpsServer({ key, cert }, (request, response) => {
    request.resume();
    json(response, 200, { object: 'list', data: [{ id: 'm' }] });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Proxy {
  readonly url: string;
  /** The `CONNECT` requests: where to, and with which credentials. */
  readonly asked: readonly (readonly [string, string | undefined])[];
}

/** An HTTP proxy that takes every host for this machine. */
async function connectProxy(): Promise<Proxy> {
  const asked: [string, string | undefined][] = [];
  const server = createHttpServer((_request, response) => json(response, 400, {}));
  server.on('connect', (request, client) => {
    asked.push([request.url!, request.headers['proxy-authorization']]);
    const upstream = connect(Number(request.url!.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function gatewayTo(
  baseUrl: string,
  more: { tls?: { ca?: string; rejectUnauthorized?: boolean }; proxy?: string },
): Promise<TestGateway> {
  return startGateway({ instances: { a: { adapter: 'openai', baseUrl, models: ['m'], ...more } } });
}

const status = async (gateway: TestGateway): Promise<number> =>
  (await gateway.post('/v1/chat/completions', { model: 'm' })).status;

describe('a backend with a certificate of its own authority', () => {
  const ca = fileURLToPath(fixture('ca.pem'));

  test.each([
    ['is refused', {}, 503],
    ['is trusted with tls.ca', { tls: { ca } }, 200],
    ['is trusted with rejectUnauthorized: false', { tls: { rejectUnauthorized: false } }, 200],
    [
      'is refused with the wrong tls.ca',
      { tls: { ca: fileURLToPath(fixture('server.pem')) } },
      503,
    ],
  ])('%s', async (_what, more, expected) => {
    expect(await status(await gatewayTo(await tlsBackend(), more))).toBe(expected);
  });

  test('is trusted through a proxy too', async () => {
    const [baseUrl, proxy] = [await tlsBackend(), await connectProxy()];
    const gateway = await gatewayTo(baseUrl, { proxy: proxy.url, tls: { ca } });
    expect(await status(gateway)).toBe(200);
    expect(proxy.asked[0]![0]).toBe(new URL(baseUrl).host);
    expect(await status(await gatewayTo(baseUrl, { proxy: proxy.url }))).toBe(503);
  });
});

describe('an instance’s proxy', () => {
  test('stands on every way to it', async () => {
    const [backend, proxy] = [await fakeBackend(), await connectProxy()];
    // Nobody but the proxy knows that name.
    const gateway = await gatewayTo(`http://gpu.invalid:${backend.port}`, { proxy: proxy.url });
    expect(await status(gateway)).toBe(200);
    expect(new Set(proxy.asked.map(([host]) => host))).toEqual(
      new Set([`gpu.invalid:${backend.port}`]),
    );
  });

  test('gets its credentials', async () => {
    const [backend, proxy] = [await fakeBackend(), await connectProxy()];
    const url = proxy.url.replace('//', '//me:pass@');
    expect(await status(await gatewayTo(backend.url, { proxy: url }))).toBe(200);
    expect(proxy.asked[0]![1]).toBe(`Basic ${Buffer.from('me:pass').toString('base64')}`);
    expect(backend.received[0]!.headers).not.toHaveProperty('proxy-authorization');
  });
});

describe('the proxy of the environment', () => {
  const env = {
    HTTP_PROXY: 'http://plain:3128',
    https_proxy: 'http://secure:3128',
    NO_PROXY: 'intern.example, .corp.example,10.0.0.5,gpu:8000',
  };

  test.each([
    ['http://api.example', 'http://plain:3128'],
    ['https://api.example', 'http://secure:3128'],
    ['http://127.0.0.1:8000', undefined],
    ['http://localhost:8000', undefined],
    ['http://[::1]:8000', undefined],
    ['http://intern.example', undefined],
    ['http://a.intern.example', undefined],
    ['http://x.corp.example', undefined],
    ['http://notintern.example', 'http://plain:3128'],
    ['http://10.0.0.5:8000', undefined],
    ['http://gpu:8000', undefined],
    ['http://gpu:9000', 'http://plain:3128'],
  ])('for %s: %s', (baseUrl, expected) => {
    expect(proxyFor(baseUrl, env)).toBe(expected);
    expect(proxyFor(baseUrl, { ...env, NO_PROXY: '*' })).toBeUndefined();
    expect(proxyFor(baseUrl, {})).toBeUndefined();
  });
});
