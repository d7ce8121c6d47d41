import { describe, expect, it } from 'vitest';
import { fakeBackend, json } from '../../support/fake-backend.ts';
import { imported, loaded, reasonFor, started } from './imported.ts';

/** One service with one instance, and more options at each level. */
function one(
  more: { readonly model?: string; readonly service?: string; readonly instance?: string } = {},
): string {
  return `
model:
  ${more.model ?? 'adapter: vllm'}
  services:
    chat:
      ${more.service ?? 'load-balance: { type: random }'}
      instances:
        - name: qwen3
          base-url: http://10.0.0.1:8000
          path: /v1/chat/completions
          ${more.instance ?? 'weight: 1'}
`;
}

describe('instances of JAiRouter', () => {
  it('are not named after a pool whose name no instance can have', async () => {
    const { config } = await imported(`
model:
  services:
    chat:
      instances: [{ name: '*', base-url: 'http://h:1/v1', instance-id: a }]
  pools: [{ pool-name: openai/x, members: [{ instance-id: a }] }]
`);
    expect(Object.keys(config.instances ?? {})).toEqual(['openai-h']);
  });

  it('are grouped by the backend that they are on', async () => {
    const { config, left } = await imported(`
model:
  adapter: gpustack
  services:
    chat:
      instances:
        - { name: qwen3, base-url: 'http://10.0.0.6:9090', path: /v1/chat/completions }
        - { name: qwen3, base-url: 'http://10.0.0.7:9090', path: /v1/chat/completions }
    embedding:
      instances:
        - { name: bge-m3, base-url: 'http://10.0.0.6:9090/', path: /v1/embeddings }
        - { name: nomic, base-url: 'http://10.0.0.6:11434', path: /v1/embeddings, adapter: ollama }
    rerank:
      adapter: normal
      instances:
        - { name: jina, base-url: 'http://10.0.0.9:7000', path: /rerank }
    tts:
      instances: [{ name: cosy, base-url: 'http://10.0.0.6:9090', path: /v1/audio/speech }]
    stt:
      instances: [{ name: whisper, base-url: 'http://10.0.0.6:9090', path: /v1/audio/transcriptions }]
    imgGen:
      instances: [{ name: sd, base-url: 'http://10.0.0.6:9090', path: /v1/images/generations }]
    imgEdit:
      instances: [{ name: sd, base-url: 'http://10.0.0.6:9090', path: /v1/images/edits }]
`);
    expect(config.instances).toEqual({
      'gpustack-10.0.0.6': {
        adapter: 'gpustack',
        baseUrl: 'http://10.0.0.6:9090',
        services: ['chat', 'embeddings', 'speech', 'transcription', 'imageGeneration', 'imageEdit'],
        models: ['qwen3', 'bge-m3', 'cosy', 'whisper', 'sd'],
      },
      'gpustack-10.0.0.7': {
        adapter: 'gpustack',
        baseUrl: 'http://10.0.0.7:9090',
        services: ['chat'],
        models: ['qwen3'],
      },
      ollama: {
        adapter: 'ollama',
        baseUrl: 'http://10.0.0.6:11434',
        services: ['embeddings'],
        models: ['nomic'],
      },
      'openai-rerank': {
        adapter: 'openai-rerank',
        baseUrl: 'http://10.0.0.9:7000',
        services: ['rerank'],
        models: ['jina'],
      },
    });
    expect(config.adapters).toEqual({
      'openai-rerank': { extends: 'openai', paths: { rerank: '/rerank' }, models: ['jina'] },
    });
    // Clients call them by the backends' own names.
    expect(config.models).toBeUndefined();
    expect(left.map(({ what }) => what)).toEqual(['server.address']);
  });

  it('keep what differs between models of one backend apart', async () => {
    const { config } = await imported(`
model:
  services:
    chat:
      instances:
        - { name: a, base-url: 'http://h:1', weight: 2 }
        - { name: b, base-url: 'http://h:1', status: inactive }
        - { name: c, base-url: 'http://h:1', rate-limit: { enabled: true, rate: 5, capacity: 9 } }
`);
    expect(config.instances).toMatchObject({
      'openai-h': { weight: 2, models: ['a'] },
      'openai-h-1': { enabled: false, models: ['b'] },
      openai: { rateLimit: { rate: '5/s', capacity: 9 }, models: ['c'] },
    });
  });

  it('that are one model twice at one address become one', async () => {
    const text = one({
      instance: 'weight: 1\n        - { name: qwen3, base-url: http://10.0.0.1:8000, weight: 2 }',
    });
    const result = await imported(text);
    expect(result.config.instances).toMatchObject({ vllm: { weight: 3, models: ['qwen3'] } });
    expect(reasonFor(result, 'model.services.chat.instances')).toContain('of both weights');
  });

  it.each([
    ['Authorization: Bearer abc', { apiKey: 'abc' }],
    ["authorization: 'bearer ${VLLM_KEY:}'", { apiKey: '${VLLM_KEY}' }],
    ["Authorization: 'Bearer ${VLLM_KEY:fallback}'", { apiKey: '${VLLM_KEY:-fallback}' }],
    ["Authorization: 'Basic dTpw'", { headers: { Authorization: 'Basic dTpw' } }],
    ["X-Team: 'costs $${5}'", undefined],
    ["X-Team: 'costs $5'", { headers: { 'X-Team': 'costs $5' } }],
    ["X-Team: '${TEAM}-${spring.application.name}'", undefined],
    ["'bad name': x", undefined],
    ['Content-Length: 5', undefined],
  ])('send their headers: %s', async (headers, expected) => {
    const result = await imported(one({ instance: `headers: { ${headers} }` }));
    const { apiKey, headers: own } = result.config.instances!['vllm']!;
    expect({ ...(apiKey && { apiKey }), ...(own && { headers: own }) }).toEqual(expected ?? {});
    const told = result.left.some(({ what }) => what.includes('headers'));
    expect(told).toBe(expected === undefined);
  });

  it.each([
    ['/v1/chat/completions', 'http://10.0.0.1:8000', false],
    ['/gateway/v1/chat/completions', 'http://10.0.0.1:8000/gateway', false],
    ['/v1-openai/chat/completions', 'http://10.0.0.1:8000', true],
    ['/api/chat', 'http://10.0.0.1:8000', true],
  ])('are called where their path says: %s', async (path, baseUrl, told) => {
    const result = await imported(one().replace('/v1/chat/completions', path));
    expect(result.config.instances!['vllm']!.baseUrl).toBe(baseUrl);
    expect(result.left.some(({ what }) => what.endsWith('.path'))).toBe(told);
  });

  it.each([
    ['http://h', '/v1/chat/completions', { adapter: 'openai', baseUrl: 'http://h' }],
    ['http://h', '', { adapter: 'openai', baseUrl: 'http://h' }],
    ['http://h/v1/', '', { adapter: 'openai', baseUrl: 'http://h' }],
    ['http://h', '/api/v1/chat/completions', { adapter: 'openai', baseUrl: 'http://h/api' }],
    [
      'http://h',
      'api/v3/chat/completions',
      { adapter: 'openai-plain', baseUrl: 'http://h/api/v3' },
    ],
    ['http://h', '/say/it', { adapter: 'openai-say-it', baseUrl: 'http://h' }],
    ['https://open.bigmodel.cn', '/api/paas/v4/chat/completions', { adapter: 'zhipu' }],
    ['https://api.openai.com/', '/v1/chat/completions', { adapter: 'openai' }],
    ['https://api.groq.com/openai/v1', '', { adapter: 'groq' }],
    ['${URL:http://h}', '/v1/chat/completions', { adapter: 'openai', baseUrl: '${URL:-http://h}' }],
  ])('that speak OpenAI’s dialect are called where they are: %s %s', async (base, path, place) => {
    const result = await imported(`
model:
  adapter: normal
  services:
    chat:
      instances: [{ name: m, base-url: '${base}', path: '${path}' }]
`);
    const [instance] = Object.values(result.config.instances!);
    expect(instance).toEqual({ ...place, models: ['m'], services: ['chat'] });
    expect(result.left.map(({ what }) => what)).toEqual(['server.address']);
    const { config } = await loaded(result);
    expect(Object.keys(config.instances)).toHaveLength(1);
  });

  it('have an adapter of their own for each path that has nothing of OpenAI’s', async () => {
    const { config } = await imported(`
model:
  services:
    chat:
      instances:
        - { name: a, base-url: 'http://h:1', path: /say/it }
        - { name: b, base-url: 'http://h:2', path: /say-it }
        - { name: c, base-url: 'http://h:3', path: '/say it' }
    embedding:
      instances: [{ name: d, base-url: 'http://h:1', path: /say/it }]
`);
    expect(config.adapters).toEqual({
      'openai-say-it': {
        extends: 'openai',
        paths: { chat: '/say/it', embeddings: '/say/it' },
        models: ['a', 'd'],
      },
      'openai-say-it-2': { extends: 'openai', paths: { chat: '/say-it' }, models: ['b'] },
    });
    expect(config.instances).toMatchObject({
      'openai-say-it': { baseUrl: 'http://h:1', models: ['a', 'd'] },
      'openai-say-it-2': { baseUrl: 'http://h:2', models: ['b'] },
      openai: { baseUrl: 'http://h:3', models: ['c'] },
    });
  });

  it.each([
    ['name: ""', 'needs a `name`'],
    ['base-url: ftp://h', 'its address must be an http or https address'],
    ['base-url: http://me:pw@h', 'must not carry a user or password'],
    ['adapter: carrier-pigeon', 'it is no adapter here, and `openai` in its place'],
    ['weight: heavy', 'it must be a number above 0'],
    ['tags: { gpu: a100 }', 'INSTANCE/MODEL'],
    ['moon-phase: full', 'there is no such option of an instance here'],
  ])('tell what can’t be carried over: %s', async (option, why) => {
    const { left } = await imported(one({ instance: option }));
    expect(left.map((one) => one.why).join('\n')).toContain(why);
  });

  it('read variables in addresses, which are no matter of the import', async () => {
    const result = await imported(
      one().replace('http://10.0.0.1:8000', '"${VLLM_URL:http://h:1}"'),
    );
    expect(result.config.instances!['vllm']!.baseUrl).toBe('${VLLM_URL:-http://h:1}');
    const { config } = await loaded(result, { VLLM_URL: 'http://h:2' });
    expect(config.instances['vllm']!.baseUrl).toBe('http://h:2');
  });
});

describe('settings of JAiRouter', () => {
  it('are found in both spellings', async () => {
    const kebab = await imported(`
model:
  load-balance: { type: round-robin, hash-algorithm: md5 }
  circuit-breaker: { enabled: true, failure-threshold: 7, timeout: 1500, success-threshold: 3 }
  rate-limit: { enabled: true, algorithm: leaky-bucket, capacity: 50, rate: 2.5 }
  services:
    img-gen: { instances: [{ name: sd, base-url: 'http://h' }] }
`);
    const camel = await imported(`
model:
  loadBalance: { type: round-robin, hashAlgorithm: md5 }
  circuitBreaker: { enabled: true, failureThreshold: 7, timeout: 1500, successThreshold: 3 }
  rateLimit: { enabled: true, algorithm: leaky-bucket, capacity: 50, rate: 2.5 }
  services:
    imgGen: { instances: [{ name: sd, baseUrl: 'http://h' }] }
`);
    expect(camel.config).toEqual(kebab.config);
    expect(kebab.config.defaults).toEqual({
      loadBalance: 'round-robin',
      circuitBreaker: { failureThreshold: 7, openFor: '1500ms', successThreshold: 3 },
      rateLimit: { algorithm: 'leaky-bucket', rate: '2.5/s', capacity: 50 },
    });
    expect(kebab.config.instances!['openai']!.services).toEqual(['imageGeneration']);
  });

  it('are found in the config as the gateway stores it', async () => {
    const stored = { services: { chat: { instances: [{ name: 'q', baseUrl: 'http://h' }] } } };
    const { config } = await imported({ 'model-router-config.json': JSON.stringify(stored) });
    expect(config.instances).toMatchObject({ openai: { models: ['q'] } });
  });

  it('of a service hold for it, and its breaker for its instances', async () => {
    const { config } = await imported(
      one({
        service: `load-balance: { type: ip-hash }
      rate-limit: { enabled: true, algorithm: sliding-window, rate: 5, capacity: 9, scope: client-ip }
      circuit-breaker: { failureThreshold: 9 }`,
      }),
    );
    expect(config.services).toEqual({
      chat: {
        loadBalance: 'ip-hash',
        rateLimit: { algorithm: 'sliding-window', rate: '5/s', per: 'ip' },
      },
    });
    expect(config.instances!['vllm']!.circuitBreaker).toEqual({ failureThreshold: 9 });
  });

  it.each([
    ['enabled: false, rate: 5', undefined],
    ['rate: 0', undefined],
    ['rate: 5, scope: global', { rateLimit: { rate: '5/s' } }],
    ['rate: 5, scope: service', { defaults: { rateLimit: { rate: '5/s' } } }],
  ])('know whom a limit is for: %s', async (limit, expected) => {
    const { config } = await imported(one({ model: `rate-limit: { ${limit} }` }));
    const { rateLimit, defaults } = config;
    expect({ ...(rateLimit && { rateLimit }), ...(defaults && { defaults }) }).toEqual(
      expected ?? {},
    );
  });

  it('name pools, which are names for several targets', async () => {
    const { config } = await imported(`
model:
  pools:
    - { pool-name: auto, service-type: chat, members: [{ instance-id: a }, { instance-id: b }, { instance-id: gone }] }
  services:
    chat:
      instances:
        - { name: q, base-url: 'http://h:1', instance-id: a }
        - { name: r, base-url: 'http://h:2', instance-id: b }
`);
    expect(config.models).toEqual({ auto: { targets: ['openai-h/q', 'openai-h-2/r'] } });
  });

  it('carry the keys of clients, when security is on', async () => {
    const keys = (enabled: boolean): string => `
jairouter:
  security:
    enabled: ${enabled}
    api-key:
      header-name: X-API-Key
      keys:
        - { key-id: ann, key-value: '\${ANN_KEY:}', permissions: [read] }
        - { keyId: bob, keyValue: sk-bob, enabled: false }
server: { port: 8080, address: 0.0.0.0 }
${one()}`;
    expect((await imported(keys(true))).config.server).toEqual({
      host: '0.0.0.0',
      port: 8080,
      apiKeys: [{ name: 'ann', key: '${ANN_KEY}' }],
    });
    const off = await imported(keys(false));
    expect(off.config.server).toEqual({ port: 8080 });
    expect(reasonFor(off, 'server.address')).toContain('only this machine may call');
  });

  it('that are known to have no counterpart say why, and unknown ones too', async () => {
    const result = await imported(`${one({ service: 'fallback: { enabled: true }' })}
monitoring: { metrics: { enabled: true } }
store: { type: file }
webclient: { connection-timeout: 10s, read-timeout: 30s }
moon: full
`);
    expect(result.config.defaults).toEqual({ timeouts: { connect: '10s' } });
    expect(reasonFor(result, 'model.services.chat.fallback')).toContain('no answers are made up');
    expect(reasonFor(result, 'monitoring')).toContain('metrics need no options');
    expect(reasonFor(result, 'webclient.read-timeout')).toContain('`timeouts`');
    expect(reasonFor(result, 'moon')).toBe('there is no such option here');
  });
});

describe('files of JAiRouter', () => {
  it('are read with what they import, which wins, and without what holds in one profile', async () => {
    const { config, left } = await imported({
      'application.yml': `
spring: { config: { import: ['classpath:config/services.yml', 'optional:classpath:gone.yml'] } }
server: { port: 8080 }
model: { adapter: vllm }
---
spring: { config: { activate: { on-profile: dev } } }
server: { port: 9090 }
`,
      'config/services.yml': one({ model: 'adapter: ollama' }),
    });
    expect(config.server).toEqual({ port: 8080 });
    expect(config.instances).toMatchObject({ ollama: { models: ['qwen3'] } });
    expect(left).toContainEqual({ what: 'gone.yml', why: 'it is named, and no such file' });
    expect(left.map(({ what }) => what)).toContain('the profile dev');
  });

  it('that name one another come to an end', async () => {
    const { config } = await imported({
      'a.yml': `spring: { config: { import: b.yml } }${one()}`,
      'b.yml': 'spring: { config: { import: a.yml } }',
    });
    expect(config.instances).toHaveProperty('vllm');
  });

  it.each([
    ['model: [', /^config\.yaml:\d+:\d+: /],
    ['a: 1', /^config\.yaml: is neither a JAiRouter config .* nor one of LiteLLM/],
    ['', /is neither/],
    ['- 1', /is neither/],
  ])('that are none are refused: %j', async (text, message) => {
    await expect(imported(text)).rejects.toThrow(message);
  });
});

describe('what was JAiRouter’s', () => {
  it('serves', async () => {
    const a = await fakeBackend((_, response) => json(response, 200, { from: 'a' }), {
      models: ['qwen3', 'bge'],
    });
    const b = await fakeBackend((_, response) => json(response, 200, { from: 'b' }), {
      models: ['qwen3'],
    });
    const result = await imported(`
model:
  load-balance: { type: round-robin }
  services:
    chat:
      instances:
        - { name: qwen3, base-url: '${a.url}', path: /v1/chat/completions, headers: { Authorization: 'Bearer k' } }
        - { name: qwen3, base-url: '${b.url}', path: /v1/chat/completions }
    embedding:
      instances:
        - { name: bge, base-url: '${a.url}', path: /v1/embeddings, headers: { Authorization: 'Bearer k' } }
`);
    expect((await loaded(result)).warnings).toEqual([]);
    const gateway = await started(result);
    const froms = new Set<unknown>();
    for (let call = 0; call < 2; call++) {
      const answer = await gateway.post('/v1/chat/completions', { model: 'qwen3' });
      froms.add(((await answer.json()) as { from: string }).from);
    }
    expect(froms).toEqual(new Set(['a', 'b']));
    expect((await gateway.post('/v1/embeddings', { model: 'bge', input: 'x' })).status).toBe(200);
    expect(a.received.every(({ headers }) => headers.authorization === 'Bearer k')).toBe(true);
    expect(b.received.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  it('serves what is called at paths of its own', async () => {
    // It lists no models where such a path would have them.
    const a = await fakeBackend((_, response) => json(response, 200, { from: 'a' }));
    const result = await imported(`
model:
  services:
    chat:
      instances: [{ name: m, base-url: '${a.url}', path: /api/v3/chat/completions }]
    rerank:
      instances: [{ name: r, base-url: '${a.url}', path: /rerank }]
`);
    const gateway = await started(result);
    await gateway.post('/v1/chat/completions', { model: 'm' });
    await gateway.post('/v1/rerank', { model: 'r', query: 'q', documents: ['d'] });
    // What it may have beside the usual is only asked for, with nothing in it.
    const calls = a.received.filter(({ body }) => body.toString() !== '{}');
    expect(calls.map(({ path }) => path)).toEqual(['/api/v3/chat/completions', '/rerank']);
  });
});
