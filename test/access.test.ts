import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { fakeBackend } from './support/fake-backend.ts';
import { oneInstance, startGateway } from './support/gateway.ts';

const CHAT = '/v1/chat/completions';

/** fetch sets Host and Origin by itself. */
function ask(url: string, headers: Record<string, string>, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, unknown> }>((resolve, reject) => {
    const request = httpRequest(url, { method, headers }, (response) => {
      response.resume();
      resolve({ status: response.statusCode!, headers: response.headers });
    });
    request.on('error', reject);
    request.end();
  });
}

describe('API keys', () => {
  const server = {
    apiKeys: [
      { name: 'me', key: 'sk-me' },
      { name: 'guest', key: 'sk-guest', models: ['m', 'small-*'] },
    ],
  };

  it('are asked for once any is set, as Bearer or x-api-key', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway(oneInstance(backend.url, { server }));
    const status = async (headers: Record<string, string>) =>
      (await gateway.post(CHAT, { model: 'm' }, { headers })).status;
    expect(await status({})).toBe(401);
    expect(await status({ authorization: 'Bearer sk-wrong' })).toBe(401);
    expect(await status({ authorization: 'Bearer sk-me' })).toBe(200);
    expect(await status({ 'x-api-key': 'sk-guest' })).toBe(200);
    expect(backend.received).toHaveLength(2);
    expect(gateway.outcomes.map(({ key }) => key)).toEqual([undefined, undefined, 'me', 'guest']);
    expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(401);
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
  });

  it('may be limited to models, in calls and in lists', async () => {
    const backend = await fakeBackend(undefined, { models: ['m', 'big', 'small-1'] });
    const gateway = await startGateway(oneInstance(backend.url, { server }));
    const headers = { authorization: 'Bearer sk-guest' };
    const answer = await gateway.post(CHAT, { model: 'big' }, { headers });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ error: { code: 'model_not_allowed' } });
    const list = await fetch(`${gateway.url}/v1/models`, { headers });
    expect(await list.json()).toMatchObject({ data: [{ id: 'm' }, { id: 'small-1' }] });
  });

  it('are never shown in an error', async () => {
    const gateway = await startGateway({ server });
    const answer = await gateway.post(CHAT, {}, { headers: { authorization: 'Bearer sk-typo' } });
    expect(await answer.text()).not.toMatch(/sk-/);
  });
});

describe('browsers', () => {
  it('reach nothing under a foreign Host while no key is set (DNS rebinding)', async () => {
    const gateway = await startGateway({ server: { allowedHosts: ['box.lan'] } });
    const of = async (host: string) => (await ask(`${gateway.url}/v1/models`, { host })).status;
    expect(await of('evil.example')).toBe(403);
    expect(await of(`evil.example:${gateway.port}`)).toBe(403);
    expect(await of('localhost')).toBe(200);
    expect(await of(`127.0.0.1:${gateway.port}`)).toBe(200);
    expect(await of('[::1]:1')).toBe(200);
    expect(await of('box.lan:4747')).toBe(200);
  });

  it('of other origins are refused unless the config names them', async () => {
    const gateway = await startGateway({
      server: { cors: { origins: ['http://localhost:*', 'app://obsidian.md'] } },
    });
    const url = `${gateway.url}/v1/models`;
    expect((await ask(url, { origin: 'https://evil.example' })).status).toBe(403);
    const allowed = await ask(url, { origin: 'http://localhost:3000' });
    expect(allowed.status).toBe(200);
    expect(allowed.headers['access-control-allow-origin']).toBe('http://localhost:3000');
    expect((await ask(url, { origin: 'app://obsidian.md' })).status).toBe(200);
    expect((await ask(url, { origin: gateway.url })).status).toBe(200);
  });

  it('get an answer to their preflight', async () => {
    const gateway = await startGateway({ server: { cors: { origins: ['http://localhost:*'] } } });
    const preflight = (origin: string) =>
      ask(
        gateway.url + CHAT,
        { origin, 'access-control-request-headers': 'authorization,x-stainless-os' },
        'OPTIONS',
      );
    const allowed = await preflight('http://localhost:5173');
    expect(allowed.status).toBe(204);
    expect(allowed.headers['access-control-allow-headers']).toBe('authorization,x-stainless-os');
    expect((await preflight('https://evil.example')).status).toBe(403);
  });

  it('see the headers of CORS on proxied answers too', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway(
      oneInstance(backend.url, { server: { cors: { origins: ['*'] } } }),
    );
    const answer = await gateway.post(
      CHAT,
      { model: 'm' },
      { headers: { origin: 'http://page.example' } },
    );
    expect(answer.headers.get('access-control-allow-origin')).toBe('http://page.example');
  });
});
