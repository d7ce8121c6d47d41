import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ADAPTERS } from '../../src/adapters/index.ts';
import { schema, type ConfigInput } from '../../src/config/schema.ts';
import { Queue } from '../../src/gateway/protect/queue.ts';
import { inspect, type Inspection } from '../../src/instances/inspection.ts';
import { Instance } from '../../src/instances/instance.ts';
import { instanceSettings } from '../../src/instances/settings.ts';
import { deadPort, fakeServer, foreignPort, KINDS, silentPort } from './fingerprints.ts';

type Input = NonNullable<ConfigInput['instances']>[string];

async function look(
  input: Input,
  { keyVariables = [], unset }: { keyVariables?: readonly string[]; unset?: string } = {},
): Promise<Inspection> {
  const config = schema.parse({ instances: { a: { health: { timeout: '1s' }, ...input } } });
  const [settings] = instanceSettings(config, {
    adapters: ADAPTERS,
    certificates: new Map(),
    unset: new Map(unset === undefined ? [] : [['a', unset]]),
    env: {},
  });
  const instance = new Instance(settings!, { queue: new Queue(), onState() {} });
  onTestFinished(() => instance.connections.destroy());
  return inspect(instance, keyVariables);
}

const at = (port: number): string => `http://127.0.0.1:${port}`;

describe('an instance that is there', () => {
  test('tells its version, its models by service, and how fast it answers', async () => {
    const port = await fakeServer(KINDS.ollama);
    const { latency, ...found } = await look({ adapter: 'ollama', baseUrl: at(port) });
    expect(latency).toBeGreaterThan(0);
    expect(found).toMatchObject({
      state: 'ok',
      version: expect.any(String) as string,
      missing: [],
    });
    expect(found.models).toContainEqual({
      id: 'nomic-embed-text:latest',
      services: ['embeddings'],
    });
    expect(found).not.toHaveProperty('problem');
  });

  test('is not said to do what nobody tells', async () => {
    const port = await fakeServer(KINDS['OpenAI-compatible server']);
    const { models } = await look({ adapter: 'openai', baseUrl: at(port) });
    expect(models).toEqual([{ id: 'some-model' }]);
  });

  test('lacks models that the config says it has', async () => {
    const ollama = await fakeServer(KINDS.ollama);
    const pulled = await look({
      adapter: 'ollama',
      baseUrl: at(ollama),
      models: ['llama3.2', 'qwen3:30b', 'gpt-*'],
    });
    expect(pulled).toMatchObject({
      state: 'ok',
      missing: ['qwen3:30b'],
      problem: 'it has no model qwen3:30b',
      hint: 'ollama pull qwen3:30b',
    });
    const generic = await fakeServer(KINDS['OpenAI-compatible server']);
    const near = await look({ adapter: 'openai', baseUrl: at(generic), models: ['some-modle'] });
    expect(near.hint).toBe('is some-model meant?');
    const far = await look({ adapter: 'openai', baseUrl: at(generic), models: ['x'] });
    expect(far.hint).toBe('it has some-model');
  });

  test('but loads, says so', async () => {
    const port = await fakeServer({
      ...KINDS.localai,
      '/readyz': { status: 503, body: { status: 'starting', reason: 'loading qwen' } },
    });
    expect(await look({ adapter: 'localai', baseUrl: at(port) })).toMatchObject({
      state: 'loading',
      problem: 'loading qwen',
    });
  });
});

describe('an instance that is not asked', () => {
  test('is disabled, or lacks a variable', async () => {
    const input: Input = { adapter: 'openai', baseUrl: 'http://127.0.0.1:9' };
    expect(await look({ ...input, enabled: false })).toEqual({ state: 'disabled', missing: [] });
    expect(await look(input, { unset: 'A_KEY' })).toEqual({
      state: 'off',
      missing: [],
      problem: 'the variable A_KEY is not set',
      hint: 'set A_KEY, or put it into a .env beside the config',
    });
  });
});

describe('an instance that refuses us', () => {
  const locked = {
    ...KINDS.vllm,
    '/v1/models': { status: 401, body: { error: 'Unauthorized' } },
  };

  test.each([
    [{}, [], 'it wants a key: set `instances.a.apiKey`, such as "${VLLM_API_KEY}"'],
    [{ apiKey: 'wrong-key' }, ['GPU_KEY'], 'the key from GPU_KEY is not the right one for it'],
    [{ apiKey: 'wrong-key' }, [], '`instances.a.apiKey` is not the right key'],
  ] as const)('wants another key: %j from %j', async (more, keyVariables, hint) => {
    const port = await fakeServer(locked);
    const found = await look({ adapter: 'vllm', baseUrl: at(port), ...more }, { keyVariables });
    expect(found).toMatchObject({ state: 'refused', hint });
    expect(found.problem).toContain('it refuses our credentials');
  });

  test('never has our key in what it says', async () => {
    const said = { error: { message: 'Incorrect API key provided: sk-secret', code: 'x' } };
    const port = await fakeServer({ '/v1/models': { status: 401, body: said } });
    const found = await look({ adapter: 'openai', baseUrl: at(port), apiKey: 'sk-secret' });
    expect(found.problem).toContain('Incorrect API key');
    expect(JSON.stringify(found)).not.toContain('sk-secret');
  });

  test('for our Host, says how to let Ollama be reached', async () => {
    const port = await fakeServer({ ...KINDS.ollama, '/api/tags': { status: 403, body: '' } });
    const found = await look({ adapter: 'ollama', baseUrl: at(port) });
    expect(found).toMatchObject({ state: 'refused' });
    expect(found.problem).toMatch(/OLLAMA_HOST.*OLLAMA_ORIGINS/);
    expect(found.hint).toBeUndefined();
  });
});

describe('an instance that can’t be reached', () => {
  test('is not running, or on another port', async () => {
    const port = await deadPort();
    expect(await look({ adapter: 'ollama', baseUrl: at(port) })).toEqual({
      state: 'failed',
      missing: [],
      problem: `connection refused: nothing listens at 127.0.0.1:${port}`,
      hint: 'is it running (`ollama serve`)? Its usual port is 11434.',
    });
    const openai = await look({ adapter: 'openai', baseUrl: at(port) });
    expect(openai.hint).toBe('is it running?');
  });

  test('has a name that nobody knows', async () => {
    const found = await look({ adapter: 'vllm', baseUrl: 'http://no-such-host.invalid:8000' });
    expect(found.problem).toMatch(
      /^the host name no-such-host\.invalid (is not known|could not be)/,
    );
    expect(found.hint).toBeDefined();
  });

  test('is silent', async () => {
    const found = await look({
      adapter: 'vllm',
      baseUrl: at(await silentPort()),
      health: { timeout: '200ms' },
    });
    expect(found.problem).toBe('no answer within 200 ms');
    expect(found.hint).toContain('health.timeout');
  });

  test('speaks another protocol', async () => {
    const port = await foreignPort();
    const plain = await look({ adapter: 'vllm', baseUrl: at(port) });
    expect(plain.problem).toMatch(/^it (does not speak HTTP|hangs up)/);
    const http = await fakeServer(KINDS.vllm);
    const secure = await look({ adapter: 'vllm', baseUrl: `https://127.0.0.1:${http}` });
    expect(secure).toMatchObject({
      problem: 'it does not speak TLS',
      hint: `write http://127.0.0.1:${http}, if it is plain HTTP`,
    });
  });

  test('wants TLS', async () => {
    const port = await tlsServer();
    const plain = await look({ adapter: 'vllm', baseUrl: at(port) });
    expect(plain.problem).toMatch(/hangs up|does not speak HTTP/);
    expect(plain.hint).toContain(`https://127.0.0.1:${port}`);
  });

  test('has a certificate that is not trusted', async () => {
    const found = await look({
      adapter: 'vllm',
      baseUrl: `https://localhost:${await tlsServer()}`,
    });
    expect(found.problem).toContain('its certificate');
    expect(found.hint).toMatch(/tls\.ca.*rejectUnauthorized/);
  });

  test('is behind a proxy that is not there', async () => {
    const proxy = at(await deadPort());
    const found = await look({ adapter: 'vllm', baseUrl: 'http://10.0.0.1:1', proxy });
    expect(found.hint).toBe(`the way goes through the proxy ${proxy}: is that right?`);
  });
});

describe('another server than its adapter expects', () => {
  test('is told by what it shows itself to be', async () => {
    const port = await fakeServer(KINDS.ollama);
    expect(await look({ adapter: 'xinference', baseUrl: `${at(port)}/wrong` })).toMatchObject({
      state: 'failed',
      problem: expect.stringContaining('baseUrl right?') as string,
    });
    const vllm = await fakeServer({ ...KINDS.ollama, '/v1/models': { status: 500, body: '' } });
    expect(await look({ adapter: 'openai', baseUrl: at(vllm) })).toMatchObject({
      state: 'failed',
      hint: 'it shows itself as ollama: write `adapter: ollama`',
    });
  });
});

/** A server with a certificate of its own authority. */
async function tlsServer(): Promise<number> {
  const file = (name: string): string =>
    readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), 'utf8');
  const server = createServer({ key: file('server.key'), cert: file('server.pem') }, (_, res) =>
    res.end('{}'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}
