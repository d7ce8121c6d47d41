import { writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { ROUTES } from '../src/http/admin/routes.ts';
import { expectDescribed, openApi } from './support/admin.ts';
import { chatChunk, deadPort, fakeBackend, json, startEvents } from './support/fake-backend.ts';
import { ADMIN_TOKEN, oneInstance, startGateway, startOnFile, until } from './support/gateway.ts';
import { tempDir } from './support/temp-dir.ts';

const DESCRIPTION = '/admin/openapi.json';

/** fetch sets Host and Origin by itself. */
function ask(url: string, headers: Record<string, string>, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      const request = httpRequest(url, { method, headers }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body }),
        );
      });
      request.on('error', reject);
      request.end();
    },
  );
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('the admin token', () => {
  it('opens /admin, and nothing else does', async () => {
    const server = { apiKeys: [{ name: 'me', key: 'sk-me' }], adminToken: 'fixed-token' };
    const { url } = await startGateway({ server });
    const status = async (headers: Record<string, string>) =>
      (await ask(url + DESCRIPTION, headers)).status;
    expect(await status(bearer(ADMIN_TOKEN))).toBe(200);
    expect(await status(bearer('fixed-token'))).toBe(200);
    expect(await status({})).toBe(401);
    expect(await status(bearer(''))).toBe(401);
    expect(await status(bearer('wrong'))).toBe(401);
    expect(await status(bearer('sk-me'))).toBe(401);
    expect(await status({ 'x-api-key': ADMIN_TOKEN })).toBe(401);
  });

  it('is asked for before anything else is told, and never told itself', async () => {
    const gateway = await startGateway({ server: { adminToken: 'fixed-token' } });
    for (const path of ['/admin', '/admin/nothing', '/admin/status']) {
      const { status, headers, body } = await ask(gateway.url + path, bearer('fixed-tokem'));
      expect({ path, status }).toEqual({ path, status: 401 });
      expect(headers['www-authenticate']).toMatch(/^Bearer/);
      expect(JSON.parse(body)).toMatchObject({ error: { code: 'invalid_admin_token' } });
      expect(body).not.toContain('fixed-token');
    }
    expect(gateway.said.join('\n')).toContain('401 GET /admin/nothing');
  });

  it('does not stand in for an API key', async () => {
    const { url } = await startGateway({ server: { apiKeys: [{ name: 'me', key: 'sk-me' }] } });
    expect((await ask(`${url}/v1/models`, bearer(ADMIN_TOKEN))).status).toBe(401);
  });
});

describe('browsers', () => {
  it('are held to the same rules as elsewhere', async () => {
    const { url } = await startGateway({ server: { cors: { origins: ['http://tool.example'] } } });
    const of = (headers: Record<string, string>) =>
      ask(url + DESCRIPTION, { ...bearer(ADMIN_TOKEN), ...headers });
    expect((await of({ host: 'evil.example' })).status).toBe(403);
    expect((await of({ origin: 'https://evil.example' })).status).toBe(403);
    const allowed = await of({ origin: 'http://tool.example' });
    expect(allowed.status).toBe(200);
    expect(allowed.headers['access-control-allow-origin']).toBe('http://tool.example');
  });

  it('may ask beforehand for every method there is', async () => {
    const { url } = await startGateway({ server: { cors: { origins: ['http://tool.example'] } } });
    const headers = { origin: 'http://tool.example' };
    const answer = await ask(`${url}/admin/instances/a`, headers, 'OPTIONS');
    expect(answer.status).toBe(204);
    const methods = String(answer.headers['access-control-allow-methods']).split(', ');
    const used = Object.keys(ROUTES).map((key) => key.split(' ')[0]);
    expect(methods).toEqual(expect.arrayContaining([...new Set(used)]));
  });
});

describe('a request that is none of them', () => {
  it('is told so in JSON', async () => {
    const gateway = await startGateway({});
    for (const path of ['/admin', '/admin/', '/admin/nothing', '/admin/openapi.json/x']) {
      const answer = await gateway.admin(`GET ${path}`);
      expect({ path, status: answer.status }).toEqual({ path, status: 404 });
      expect(await answer.json()).toMatchObject({ error: { code: 'unknown_route' } });
    }
  });

  it('is told which methods there are', async () => {
    const gateway = await startGateway({});
    const answer = await gateway.admin(`DELETE ${DESCRIPTION}`);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, OPTIONS');
    expect(await answer.json()).toMatchObject({ error: { code: 'method_not_allowed' } });
  });

  it('gets the headers alone when it is a HEAD', async () => {
    const gateway = await startGateway({});
    const whole = await gateway.admin(`GET ${DESCRIPTION}`);
    const head = await gateway.admin(`HEAD ${DESCRIPTION}`);
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe(String((await whole.text()).length));
    expect(await head.text()).toBe('');
    expect(head.headers.get('cache-control')).toBe('no-store');
  });
});

/** A request to each route, and what it must come to. */
const SAMPLES: Readonly<Record<string, { readonly path?: string; readonly body?: unknown }>> = {
  'GET /admin/status': {},
  'GET /admin/instances': {},
  'GET /admin/instances/{name}': { path: '/admin/instances/a' },
  'POST /admin/instances/{name}/breaker': {
    path: '/admin/instances/a/breaker',
    body: { action: 'reset' },
  },
  'POST /admin/instances': { body: { name: 'new', adapter: 'openai' } },
  'PATCH /admin/instances/{name}': { path: '/admin/instances/a', body: { draining: false } },
  'DELETE /admin/instances/{name}': { path: '/admin/instances/new' },
  'GET /admin/config': {},
  'PUT /admin/config': { body: { text: '{}' } },
  'POST /admin/config/validate': { body: { text: '{}' } },
  'GET /admin/config/history': {},
  'GET /admin/config/history/{n}': { path: '/admin/config/history/1' },
  'POST /admin/config/rollback/{n}': { path: '/admin/config/rollback/1' },
  'POST /admin/reload': {},
  'GET /admin/models': {},
  'GET /admin/requests': { path: '/admin/requests?limit=5&errors=false' },
  'GET /admin/requests/{id}': { path: '/admin/requests/call-1' },
  'GET /admin/explain': { path: '/admin/explain?model=coder' },
  'POST /admin/explain': { body: { request: { model: 'm' } } },
  'GET /admin/openapi.json': {},
};

/** With an alias, a pattern, an instance that is down, and calls of every ending. */
async function busyGateway() {
  const backend = await fakeBackend(
    async (received, response) => {
      const { stream, model } = JSON.parse(received.body.toString()) as Record<string, unknown>;
      if (model === 'm2') return json(response, 500, { error: { message: 'broken' } });
      if (!stream)
        return json(response, 200, { usage: { prompt_tokens: 3, completion_tokens: 7 } });
      startEvents(response);
      response.write(chatChunk('a'));
      if (stream === true) response.end(`${chatChunk('b')}data: [DONE]\n\n`);
    },
    { models: ['m', 'm2'] },
  );
  const config = {
    instances: {
      a: {
        adapter: 'openai',
        baseUrl: backend.url,
        apiKey: 'sk-backend-secret',
        headers: { 'x-token': 'sk-header-secret', 'x-team': 'dev' },
        maxConcurrency: 4,
      },
      down: {
        adapter: 'openai',
        baseUrl: `http://127.0.0.1:${await deadPort()}`,
        models: ['gpt-*'],
      },
    },
    models: { coder: { targets: ['a/m', 'down/gpt-5'], fallback: ['m2'] } },
  };
  const folder = await tempDir();
  const file = join(folder, 'jairouter.config.json');
  await writeFile(file, JSON.stringify(config, null, 2));
  const gateway = await startOnFile(file, { state: folder });
  const headers = { 'x-request-id': 'call-1' };
  await (await gateway.post('/v1/chat/completions', { model: 'coder' }, { headers })).text();
  await (await gateway.post('/v1/chat/completions', { model: 'm', stream: true })).text();
  await (await gateway.post('/v1/chat/completions', { model: 'm2' })).text();
  await (await gateway.post('/v1/chat/completions', { model: 'nope' })).text();
  await until(() => gateway.outcomes.length === 4);
  return gateway;
}

describe('every route', () => {
  it('answers as the description says, field for field, and shows no secret', async () => {
    const gateway = await busyGateway();
    const api = await openApi(gateway);
    const events = Object.keys(ROUTES).filter(
      (key) => 'events' in ROUTES[key as keyof typeof ROUTES]!,
    );
    expect([...Object.keys(SAMPLES), ...events].toSorted()).toEqual(Object.keys(ROUTES).toSorted());
    for (const [route, { path, body }] of Object.entries(SAMPLES)) {
      const [method, template] = route.split(' ');
      const answer = await gateway.admin(`${method} ${path ?? template}`, body);
      const text = await answer.text();
      expect({ route, status: answer.status, text }).toMatchObject({ status: 200 });
      expectDescribed(api, route, 200, JSON.parse(text));
      expect(/sk-[a-z]+-secret|admin-token-of/.exec(text)?.[0]).toBeUndefined();
    }
  });

  it('that takes a name or a body says what is wrong with it', async () => {
    const gateway = await startGateway(oneInstance('http://127.0.0.1:9'), { probed: false });
    const api = await openApi(gateway);
    const refused = async (route: string, path: string, body?: unknown) => {
      const [method] = route.split(' ');
      const answer = await gateway.admin(`${method} ${path}`, body);
      const told = (await answer.json()) as { error: { code: string; message: string } };
      expectDescribed(api, route, answer.status, told);
      return `${answer.status} ${told.error.code} ${told.error.message}`;
    };
    expect(await refused('GET /admin/instances/{name}', '/admin/instances/b%2Fc')).toBe(
      '404 instance_not_found There is no instance "b/c": there are a.',
    );
    expect(await refused('GET /admin/requests/{id}', '/admin/requests/x')).toMatch(
      /^404 call_not_found No call "x" is kept/,
    );
    expect(await refused('GET /admin/requests', '/admin/requests?limit=0&errors=maybe')).toBe(
      '400 invalid_request The request is not valid: `limit` in the query must be a whole number from 1 to 1000; `errors` in the query must be true or false.',
    );
    const breaker = 'POST /admin/instances/{name}/breaker';
    expect(await refused(breaker, '/admin/instances/a/breaker', { action: 'shut' })).toBe(
      '400 invalid_request The request is not valid: `action` must be one of open, close, reset.',
    );
    expect(await refused(breaker, '/admin/instances/a/breaker', {})).toMatch(/`action` is missing/);
    expect(await refused(breaker, '/admin/instances/x/breaker', { action: 'open' })).toMatch(
      /^404/,
    );
  });
});

describe('the description', () => {
  it('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(
      // It looks references up in place.
      { ...structuredClone(await openApi(await startGateway({}))) },
    );
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
  });

  it('has every route, with an operationId of its own', async () => {
    const { paths } = await openApi(await startGateway({}));
    const listed = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(listed.toSorted()).toEqual(Object.keys(ROUTES).toSorted());
    const ids = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map(
        (operation) => (operation as { operationId?: string }).operationId,
      ),
    );
    expect(new Set(ids).size).toBe(listed.length);
  });

  it('fits itself', async () => {
    const gateway = await startGateway({});
    const api = await openApi(gateway);
    expectDescribed(api, `GET ${DESCRIPTION}`, 200, api);
    const refused = await fetch(gateway.url + DESCRIPTION);
    expectDescribed(api, `GET ${DESCRIPTION}`, 401, await refused.json());
  });
});
