import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ADAPTERS } from '../../../src/adapters/index.ts';
import type { JsonObject } from '../../../src/adapters/json.ts';
import { check } from '../../../src/config/check.ts';
import type { Imported } from '../../../src/config/import/imported.ts';
import { fromJAiRouter } from '../../../src/config/import/jairouter.ts';
import { fromLiteLLM } from '../../../src/config/import/litellm.ts';
import { hasVariable, interpolate } from '../../../src/config/interpolate.ts';
import { loadAdapters } from '../../../src/config/own-adapters.ts';
import { schema } from '../../../src/config/schema.ts';

/** What may stand where one thing is expected: that, and whatever people write in its place. */
const text = fc.constantFrom(
  'a',
  'openai/x',
  'ollama/y',
  'x/*',
  '*',
  '',
  '${A:b}',
  'os.environ/A',
  'http://h:1/v1',
  '$${',
  'Bearer k',
  'ftp://h',
  'a b',
);
const number = fc.constantFrom(0, 1, -1, 0.5, 2 ** 31, 1e300, '7', '1e9');
const odd = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.constant(null),
  fc.constant([]),
  fc.constant({}),
);

function block(keys: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<JsonObject> {
  return fc.record(
    Object.fromEntries(
      Object.entries(keys).map(([key, value]) => [
        key,
        fc.oneof({ weight: 6, arbitrary: value }, { weight: 1, arbitrary: odd }),
      ]),
    ),
    { requiredKeys: [] },
  );
}

const limit = block({
  enabled: fc.boolean(),
  algorithm: fc.constantFrom('token-bucket', 'sliding-window', 'x'),
  rate: number,
  capacity: number,
  scope: fc.constantFrom('global', 'client-ip', 'service'),
});
const breaker = block({
  enabled: fc.boolean(),
  failureThreshold: number,
  timeout: number,
  successThreshold: number,
});
const instance = block({
  name: text,
  'base-url': text,
  path: fc.oneof(text, fc.constantFrom('/rerank', '/a/b', '/a-b', '/v1/rerank', '/a b', '/')),
  weight: number,
  status: text,
  headers: fc.dictionary(text, odd),
  adapter: fc.constantFrom('normal', 'ollama', 'vllm', 'x'),
  'instance-id': text,
  'rate-limit': limit,
  circuitBreaker: breaker,
});
const service = block({
  'load-balance': block({ type: fc.constantFrom('random', 'x') }),
  adapter: text,
  instances: fc.array(instance, { maxLength: 3 }),
  'rate-limit': limit,
  'circuit-breaker': breaker,
});
const jairouter = block({
  model: block({
    services: block({ chat: service, embedding: service, imgGen: service }),
    'rate-limit': limit,
    'circuit-breaker': breaker,
    pools: fc.array(
      block({ 'pool-name': text, members: fc.array(block({ 'instance-id': text })) }),
      { maxLength: 2 },
    ),
  }),
  server: block({ port: number, address: text }),
  webclient: block({ 'connection-timeout': fc.constantFrom('10s', '999h', 'x') }),
  jairouter: block({
    security: block({
      enabled: fc.boolean(),
      'api-key': block({ keys: fc.array(block({ 'key-id': text, 'key-value': text })) }),
    }),
  }),
});

const params = block({
  model: text,
  api_base: text,
  api_key: text,
  rpm: number,
  tpm: number,
  weight: number,
  order: number,
  timeout: number,
  stream_timeout: number,
  max_parallel_requests: number,
  extra_headers: fc.dictionary(text, odd),
});
const settings = block({
  num_retries: number,
  timeout: number,
  request_timeout: number,
  stream_timeout: number,
  allowed_fails: number,
  cooldown_time: number,
  fallbacks: fc.array(fc.dictionary(text, fc.array(text))),
  model_group_alias: fc.dictionary(text, text),
  default_fallbacks: fc.array(text),
});
const litellm = block({
  model_list: fc.array(
    block({
      model_name: text,
      litellm_params: params,
      model_info: block({ mode: fc.constantFrom('chat', 'embedding') }),
    }),
    { maxLength: 4 },
  ),
  router_settings: settings,
  litellm_settings: settings,
  general_settings: block({
    master_key: text,
    completion_model: text,
    max_request_size_mb: number,
  }),
});

/** All that a loader would have against the config, were its variables set to what is right. */
async function problems({ config }: Imported): Promise<string[]> {
  const { data, findings } = interpolate(config, () => 'http://variable');
  const parsed = schema.safeParse(data);
  const isVariable = (path: readonly PropertyKey[]): boolean => {
    let value: unknown = config;
    for (const key of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
    return typeof value === 'string' && hasVariable(value);
  };
  const own = await loadAdapters(data, {
    folder: '.',
    cwd: '.',
    builtIn: ADAPTERS,
    files: new Set(),
    previous: undefined,
  });
  return [
    ...findings.map(({ path, message }) => `${path.join('.')} ${message}`),
    ...(parsed.error?.issues ?? [])
      .filter(({ path }) => !isVariable(path))
      .map((issue) => `${issue.path.join('.')} ${issue.message}`),
    ...own.errors.map(({ path, message }) => `${path.join('.')} ${message}`),
    ...check(data, { adapters: own.known, off: new Map() }).errors.map(({ message }) => message),
  ];
}

describe('whatever another gateway’s config says', () => {
  it.each([
    ['JAiRouter', jairouter, fromJAiRouter],
    ['LiteLLM', litellm, fromLiteLLM],
  ] as const)('what is made of it is valid: %s', async (_, configs, convert) => {
    await fc.assert(
      fc.asyncProperty(configs, async (data) => {
        expect(await problems(convert(data, ADAPTERS))).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});
