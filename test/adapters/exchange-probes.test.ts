import { describe, expect, it } from 'vitest';
import { instanceOf, list, OWN, type OwnName, probed, scene, type Script } from './exchange.ts';
import { ADAPTERS } from '../../src/adapters/index.ts';

const HTML: Script = {
  headers: { 'content-type': 'text/html' },
  body: '<!doctype html><title>Hi</title>',
};

/** What the probes of all kinds ask for. */
const ROUTES = [
  '/v1/models',
  '/api/tags',
  '/health',
  '/readyz',
  '/v1/models/capabilities',
  '/info',
  '/models',
  '/openai/v1/models',
  '/v1beta/openai/models',
];

/** Servers that are none of ours, but answer. */
const STRANGERS: Readonly<Record<string, Script>> = {
  'a web server with a page for everything': HTML,
  'LM Studio’s answer to what it does not have': ({ method, path }) => ({
    headers: { 'x-powered-by': 'Express' },
    body: { error: `Unexpected endpoint or method. (${method} ${path})` },
  }),
  'an API that says ok to everything': { body: { ok: true, status: 'ok' } },
  'an API that echoes lists': { body: [] },
  'an API whose words mean something else': { body: { models: 'many', data: 'much', version: 1 } },
  'another API, without that route': { status: 404, body: { detail: 'Not Found' } },
  'a proxy whose upstream is gone': { status: 502, body: 'bad gateway' },
  'a server that sends nothing': { body: '' },
  'a login page elsewhere': { status: 302, headers: { location: 'https://login/' }, body: '' },
};

describe.each(Object.entries(STRANGERS))('%s', (_, script) => {
  it.each(OWN)('is not healthy as %s', async (adapter) => {
    // In place of every route that its probe would like.
    const probe = ROUTES.map((path) => [`GET ${path}`, script] as const);
    const here = await scene(adapter, { ...Object.fromEntries(probe), 'GET *': script });
    const instance = instanceOf(here);
    expect(instance.state).toBe('unhealthy');
    expect(instance.stateDetail).toMatch(/\w/);
    expect(here.asked.map(({ method }) => method)).not.toContain('POST');
  });
});

describe('LM Studio, which lists its models', () => {
  const unknown = STRANGERS['LM Studio’s answer to what it does not have']!;
  const routes: Record<string, Script> = {
    ...Object.fromEntries(ROUTES.map((path) => [`GET ${path}`, unknown])),
    'GET *': unknown,
    'GET /v1/models': list({ id: 'm', object: 'model', owned_by: 'organization_owner' }),
  };
  /** Those that ask for nothing else than that list. */
  const content: readonly OwnName[] = ['openai', 'lmstudio', 'anthropic'];

  it.each(OWN)('is healthy as one of these only, or not: %s', async (adapter) => {
    const here = await scene(adapter, routes);
    expect(instanceOf(here).state).toBe(content.includes(adapter) ? 'healthy' : 'unhealthy');
  });
});

describe.each(OWN)('a probe of %s', (adapter) => {
  const path = {
    ollama: 'GET /api/tags',
    localai: 'GET /v1/models/capabilities',
    tei: 'GET /info',
    infinity: 'GET /models',
    azure: 'GET /openai/v1/models',
    gemini: 'GET /v1beta/openai/models',
  };
  const listRoute = path[adapter as keyof typeof path] ?? 'GET /v1/models';

  it.each([401, 403])('with the wrong key (%i) is misconfigured', async (status) => {
    const body = { error: { message: 'Invalid key', code: status } };
    const here = await scene(adapter, { [listRoute]: { status, body } }, { apiKey: 'wrong' });
    expect(instanceOf(here).state).toBe('misconfigured');
    expect(instanceOf(here).stateDetail).toMatch(/apiKey/);
    const shown = ADAPTERS[adapter].auth('wrong');
    for (const { headers } of here.asked) expect(headers).toMatchObject(shown);
  });

  it.skipIf(adapter === 'tei')('of an empty list is healthy, and has no model', async () => {
    const empty =
      adapter === 'ollama' ? { body: { models: [] } } : { body: { object: 'list', data: null } };
    const here = await scene(adapter, { [listRoute]: empty });
    expect(instanceOf(here).state).toBe('healthy');
    const { operations } = ADAPTERS[adapter];
    const chats = 'chat' in operations || 'messages' in operations;
    const route = chats ? '/v1/chat/completions' : '/v1/embeddings';
    const reply = await here.post(route, { model: 'm', messages: [], input: 'a' });
    expect(reply.status).toBe(404);
  });

  /** Asked once: what a model can do, and for nothing (an empty request) whether a route is there. */
  const harmless: Partial<Record<OwnName, readonly string[]>> = {
    ollama: ['POST /api/show'],
    llamacpp: ['POST /v1/embeddings', 'POST /v1/rerank'],
  };

  it('takes few requests, and no generation', async () => {
    const { probe } = await probed(adapter, {
      'POST *': { status: 500, body: 'a generation!' },
      'GET /openapi.json': { body: { paths: { '/v1/chat/completions': {} } } },
      'POST /api/show': { body: { capabilities: ['completion'] } },
      'POST /v1/embeddings': { status: 501, body: { error: { type: 'not_supported_error' } } },
      'POST /v1/rerank': { status: 501, body: { error: { type: 'not_supported_error' } } },
    });
    const first = await probe();
    expect(first.state).toBe('healthy');
    const posts = first.asked.filter((route) => route.startsWith('POST'));
    expect(posts).toEqual(harmless[adapter] ?? []);
    const second = await probe();
    expect(second.asked.length).toBeLessThanOrEqual(3);
    expect(second.asked.every((route) => route.startsWith('GET '))).toBe(true);
    expect(second.services).toEqual(first.services);
  });
});
