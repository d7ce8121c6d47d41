import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { discover, type DiscoverOptions, type Found } from '../../src/instances/discovery.ts';
import { startMock } from '../../src/mock/server.ts';
import { SERVICES } from '../../src/service.ts';
import { deadPort, fakeServer, foreignPort, KINDS, silentPort } from './fingerprints.ts';

function look(ports: DiscoverOptions['ports'], more: Partial<DiscoverOptions> = {}) {
  return discover({ env: {}, ports: ports ?? {}, ...more });
}

function summary(found: readonly Found[]): unknown[] {
  return found.map(({ name, adapter, kind, usable }) => ({ name, adapter, kind, usable }));
}

describe('a backend on its own port', () => {
  test.each([
    ['ollama', ['llama3.2:latest', 'nomic-embed-text:latest'], 'embeddings'],
    ['vllm', ['Qwen/Qwen3-8B'], 'chat'],
    ['xinference', ['qwen3-chat', 'bge-m3'], 'embeddings'],
    ['localai', ['gpt-4', 'whisper-1', 'bert'], 'transcription'],
    ['gpustack', ['bge-m3'], 'embeddings'],
    ['llamacpp', ['qwen3-8b-q4.gguf'], 'chat'],
    ['lmstudio', ['gemma-3-12b'], 'chat'],
    ['sglang', ['meta-llama/Llama-3.1-8B-Instruct'], 'chat'],
    ['tei', ['BAAI/bge-reranker-base'], 'rerank'],
    ['infinity', ['BAAI/bge-m3', 'BAAI/bge-reranker-v2-m3'], 'embeddings'],
  ] as const)('is found and asked for its models: %s', async (kind, models, service) => {
    const port = await fakeServer(KINDS[kind]);
    const [found, ...more] = await look({ [kind]: [port] });
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      name: kind,
      adapter: kind,
      kind,
      baseUrl: `http://127.0.0.1:${port}`,
      usable: true,
    });
    expect(found!.models).toEqual(expect.arrayContaining([...models]));
    expect(found!.services).toContain(service);
    expect(found!.apiKeyVariable).toBeUndefined();
  });

  test('tells its version, and what its models can do', async () => {
    const port = await fakeServer(KINDS.ollama);
    const [found] = await look({ ollama: [port] });
    expect(found!.version).toMatch(/^\d+\.\d+/);
    expect(found!.services).toEqual(['chat', 'embeddings']);
  });

  test.each([['OpenAI-compatible server', 'local', ['some-model']]] as const)(
    'is used through the adapter openai: %s',
    async (kind, name, models) => {
      const port = await fakeServer(KINDS[kind]);
      const found = await look({ [kind]: [port] });
      expect(summary(found)).toEqual([{ name, adapter: 'openai', kind, usable: true }]);
      expect(found[0]!.models).toEqual(models);
    },
  );

  test('that demands a key is told with the variable to put it into', async () => {
    const unauthorized = { status: 401, body: { error: 'Unauthorized' } };
    const port = await fakeServer({ ...KINDS.vllm, '/v1/models': unauthorized });
    const [found] = await look({ vllm: [port] });
    expect(found).toMatchObject({ name: 'vllm', usable: false, apiKeyVariable: 'VLLM_API_KEY' });
    expect(found!.note).toBe('it wants a key: set VLLM_API_KEY');
  });

  test('that demands a key gets the one that is set for its kind', async () => {
    const locked = {
      ...KINDS.vllm,
      '/v1/models': { status: 401, body: { error: 'Unauthorized' } },
    };
    const port = await fakeServer(locked, { 'Bearer right': KINDS.vllm });
    const right = { VLLM_API_KEY: 'right', OPENAI_API_KEY: '' };
    expect(await look({ vllm: [port] }, { env: right })).toMatchObject([
      {
        name: 'vllm',
        usable: true,
        apiKeyVariable: 'VLLM_API_KEY',
        models: ['Qwen/Qwen3-8B', 'sql-lora'],
      },
    ]);
    expect(await look({ vllm: [port] }, { env: { VLLM_API_KEY: 'wrong' } })).toMatchObject([
      { usable: false, apiKeyVariable: 'VLLM_API_KEY', note: 'it refuses the key in VLLM_API_KEY' },
    ]);
  });

  test('that is still loading is told as what it is', async () => {
    const loading = { status: 503, body: { status: 'starting', reason: 'preloading' } };
    const port = await fakeServer({ ...KINDS.localai, '/readyz': loading });
    const [found] = await look({ localai: [port] });
    expect(found).toMatchObject({ kind: 'localai', usable: true, note: 'preloading', models: [] });
  });

  test('that lists its models too slowly is found all the same', async () => {
    const port = await fakeServer({ ...KINDS.xinference, '/v1/models': 'hangs' });
    const [found] = await look({ xinference: [port] }, { timeout: 300 });
    expect(found).toMatchObject({ kind: 'xinference', usable: true, models: [] });
    expect(found!.note).toContain('in time');
  });
});

test('a server whose API is below a path of its own is asked there', async () => {
  const port = await fakeServer({
    '/': { body: 'Docker Model Runner is running' },
    '/engines/v1/models': {
      body: { object: 'list', data: [{ id: 'ai/qwen3', object: 'model', owned_by: 'docker' }] },
    },
  });
  const [found] = await look({ 'docker-model-runner': [port] });
  expect(found).toMatchObject({
    name: 'docker-model-runner',
    baseUrl: `http://127.0.0.1:${port}/engines`,
    models: ['ai/qwen3'],
  });
});

describe('which backend it is', () => {
  test('is told by the most specific mark, where several kinds share a port', async () => {
    const generic = 'OpenAI-compatible server';
    const port = await fakeServer(KINDS.llamacpp);
    const shared = { localai: [port], llamacpp: [port], [generic]: [port] };
    expect(summary(await look(shared))).toMatchObject([{ kind: 'llamacpp' }]);
  });

  test('is told by its answers, not by its port', async () => {
    const port = await fakeServer(KINDS.ollama);
    const found = await look({ vllm: [port], 'OpenAI-compatible server': [port] });
    expect(summary(found)).toMatchObject([{ kind: 'ollama', adapter: 'ollama' }]);
  });

  test('is not asked of servers that have nothing to do with models', async () => {
    const asked: string[] = [];
    const routes = new Proxy({}, { get: (_, path) => void asked.push(String(path)) });
    const port = await fakeServer(routes);
    expect(await look({ gpustack: [port] })).toEqual([]);
    expect(asked).toEqual(['/version']);
  });

  test('never is jairouter itself, nor its mock', async () => {
    const itself = await fakeServer({
      ...KINDS['OpenAI-compatible server'],
      '/ready': { status: 503, body: { status: 'not ready', instances: {} } },
    });
    const mock = await startMock();
    try {
      expect(await look({ 'OpenAI-compatible server': [itself, mock.port] })).toEqual([]);
    } finally {
      await mock.close();
    }
  });
});

describe('looking around', () => {
  test('finds all at once, in the order of the adapters, each with a name of its own', async () => {
    const kinds = ['vllm', 'ollama', 'ollama', 'lmstudio'] as const;
    const [vllm, ollama, other, studio] = await Promise.all(
      kinds.map((kind) => fakeServer(KINDS[kind])),
    );
    const ports = { vllm: [vllm!], lmstudio: [studio!], ollama: [ollama!, other!] };
    const found = await look(ports, { env: { OPENAI_API_KEY: 'sk-1' } });
    expect(found.map(({ name }) => name)).toEqual([
      'ollama',
      `ollama-${other}`,
      'vllm',
      'lmstudio',
      'openai',
    ]);
  });

  test('ends within two seconds, however many ports hang, refuse or talk nonsense', async () => {
    const silent = await Promise.all(Array.from({ length: 20 }, silentPort));
    const others = await Promise.all([deadPort(), deadPort(), foreignPort()]);
    const port = await fakeServer(KINDS.vllm);
    const ports = { ollama: silent, localai: silent, gpustack: others, vllm: [port, ...silent] };
    const progress: number[] = [];
    const begin = performance.now();
    const found = await look(ports, { onProgress: (done) => void progress.push(done) });
    expect(performance.now() - begin).toBeLessThan(2500);
    expect(summary(found)).toMatchObject([{ kind: 'vllm' }]);
    expect(progress).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
  });

  test('is quick where nobody hangs', async () => {
    const ports = await Promise.all(Array.from({ length: 10 }, deadPort));
    const begin = performance.now();
    expect(await look({ ollama: ports, vllm: ports })).toEqual([]);
    expect(performance.now() - begin).toBeLessThan(1000);
  });

  test('leaves out the ports that it is told to', async () => {
    const port = await fakeServer(KINDS.vllm);
    expect(await look({ vllm: [port] }, { skipPorts: [port] })).toEqual([]);
  });

  test('leaves no connection behind', async () => {
    let open = 0;
    const server = createServer((socket) => {
      open++;
      socket
        .on('close', () => open--)
        .on('error', () => socket.destroy())
        .resume();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await look({ vllm: [(server.address() as AddressInfo).port] }, { timeout: 200 });
    await vi.waitFor(() => expect(open).toBe(0), { timeout: 500 });
    server.close();
  });
});

describe('the key of a provider', () => {
  test('is an instance that is not asked anything', async () => {
    const found = await look({}, { env: { OPENAI_API_KEY: 'sk-1' } });
    expect(found).toEqual([
      {
        name: 'openai',
        adapter: 'openai',
        kind: 'openai',
        baseUrl: 'https://api.openai.com',
        models: [],
        services: SERVICES,
        apiKeyVariable: 'OPENAI_API_KEY',
        usable: true,
      },
    ]);
  });

  test('of any provider is found in its variables, the usual one first', async () => {
    const env = { GROQ_API_KEY: 'a', QWEN_API_KEY: 'b', ZHIPU_API_KEY: 'c', ZHIPUAI_API_KEY: 'd' };
    const found = await look({}, { env });
    const told = found.map(({ kind, baseUrl, apiKeyVariable }) => [kind, baseUrl, apiKeyVariable]);
    expect(told).toEqual([
      ['groq', 'https://api.groq.com/openai', 'GROQ_API_KEY'],
      ['zhipu', 'https://open.bigmodel.cn/api/paas/v4', 'ZHIPUAI_API_KEY'],
      ['qwen', 'https://dashscope.aliyuncs.com/compatible-mode', 'QWEN_API_KEY'],
    ]);
    expect(found[0]!.services).toEqual(['chat', 'speech', 'transcription']);
  });

  test('counts only when there is one', async () => {
    expect(await look({}, { env: { OPENAI_API_KEY: ' ' } })).toEqual([]);
  });

  test('goes with the address that is set beside it', async () => {
    const env = { OPENAI_API_KEY: 'sk-1', OPENAI_BASE_URL: 'https://eu.api.openai.com/v1/' };
    const [found] = await look({}, { env });
    expect(found!.baseUrl).toBe('https://eu.api.openai.com');
  });

  test.each(['http://localhost:4747/v1', 'http://127.0.0.1:4747', 'http://[::1]:1', 'nonsense'])(
    'goes nowhere else when that address is no provider’s: %s',
    async (OPENAI_BASE_URL) => {
      const [found] = await look({}, { env: { OPENAI_API_KEY: 'sk-1', OPENAI_BASE_URL } });
      expect(found).toMatchObject({ kind: 'openai', usable: false });
      expect(found!.apiKeyVariable).toBeUndefined();
      expect(found!.note).toContain('OPENAI_BASE_URL');
    },
  );
});
