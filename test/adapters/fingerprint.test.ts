import { describe, expect, it } from 'vitest';
import type { Adapter, Backend } from '../../src/adapters/adapter.ts';
import { COMPATIBLE } from '../../src/adapters/fingerprint.ts';
import { ADAPTERS } from '../../src/adapters/index.ts';
import { serve, serveWire, type Routes } from './server.ts';

const RECOGNISERS: readonly { name: string; recognise?(backend: Backend): Promise<boolean> }[] = [
  ...Object.values<Adapter>(ADAPTERS),
  COMPATIBLE,
];
const LISTS: readonly string[] = [COMPATIBLE.name];

async function recognisedBy(backend: Backend): Promise<string[]> {
  const names = RECOGNISERS.map(async (one) =>
    (await one.recognise?.(backend)) ? [one.name] : [],
  );
  return (await Promise.all(names)).flat();
}

const entry = (owned_by: string) => ({ object: 'list', data: [{ id: 'a', owned_by, created: 1 }] });
const starting = { status: 503, body: { status: 'starting', reason: 'preload' } };
const version = { body: { version: '0.9.0' } };
const running = { body: 'Ollama is running' };
const loading = { error: { message: 'Loading model', type: 'unavailable_error', code: 503 } };
const unauthorised = (error: unknown) => ({ status: 401, body: { error } });

describe('a server', () => {
  it.each([
    'ollama',
    'vllm',
    'xinference',
    'localai',
    'gpustack',
    'llamacpp',
    'lmstudio',
    'sglang',
    'tei',
    'infinity',
  ])('that is %s is taken for that and nothing else', async (name) => {
    const { backend } = await serveWire(name);
    const names = await recognisedBy(backend);
    expect(names.filter((one) => !LISTS.includes(one))).toEqual([name]);
  });

  const cases: readonly [string, Routes, readonly string[]][] = [
    ['OpenAI', { 'GET /v1/models': { body: entry('system') } }, LISTS],
    ['llama.cpp', { 'GET /v1/models': { body: entry('llamacpp') } }, ['llamacpp', ...LISTS]],
    ['llama.cpp that loads', { 'GET /v1/models': { status: 503, body: loading } }, ['llamacpp']],
    [
      'LM Studio',
      {
        'GET /v1/models': { body: entry('organization_owner') },
        'GET /version': { body: { error: 'Unexpected endpoint or method. (GET /version)' } },
      },
      ['lmstudio', ...LISTS],
    ],
    [
      'SGLang, which has a version and emulates that of Ollama',
      {
        'GET /v1/models': { body: entry('sglang') },
        'GET /get_model_info': { body: { model_path: 'a', is_generation: true } },
        'GET /version': version,
        'GET /api/version': version,
      },
      ['sglang', ...LISTS],
    ],
    ['TEI', { 'GET /info': { body: { model_id: 'a', model_type: { reranker: {} } } } }, ['tei']],
    ['Infinity', { 'GET /health': { body: { unix: 1755850000.1 } } }, ['infinity']],
    ['LocalAI that starts', { 'GET /readyz': starting }, ['localai']],
    [
      'LocalAI that wants a key',
      {
        'GET /readyz': { body: '' },
        'GET /v1/models/capabilities': unauthorised({ code: 401, message: 'x' }),
      },
      ['localai'],
    ],
    [
      'LocalAI before version 4',
      {
        'GET /readyz': { body: '' },
        'GET /v1/models': { body: { data: [{ id: 'a', object: 'model' }] } },
      },
      ['localai', ...LISTS],
    ],
    [
      'LocalAI with all its emulation of Ollama',
      {
        'GET /': running,
        'GET /api/version': version,
        'GET /version': version,
        'GET /readyz': { body: '' },
        'GET /v1/models/capabilities': { body: { data: [] } },
      },
      ['localai'],
    ],
    [
      'vLLM that wants a key',
      { 'GET /version': version, 'GET /v1/models': unauthorised('Unauthorized') },
      ['vllm'],
    ],
    [
      'GPUStack that wants a key',
      {
        'GET /version': { body: { version: 'v2.2.3', git_commit: '47277d7' } },
        'GET /v1/models': { status: 401, body: { code: 401, reason: 'Unauthorized' } },
      },
      ['gpustack'],
    ],
    ['a web page', { 'GET /': { body: '<html>' }, 'GET /v1/models': { body: '<html>' } }, []],
    ['nothing that it knows', {}, []],
  ];
  it.each(cases)('that is %s', async (_, routes, names) => {
    const { backend } = await serve(routes);
    expect(await recognisedBy(backend)).toEqual(names);
  });
});
