import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { fakeBackend, json } from '../../support/fake-backend.ts';
import { imported, loaded, reasonFor, started } from './imported.ts';

type Params = Readonly<Record<string, unknown>>;

/** A config with one deployment. */
function one(params: Params, more: Params = {}): string {
  return stringify({ model_list: [{ model_name: 'm', litellm_params: params }], ...more });
}

describe('a model of LiteLLM', () => {
  it.each([
    ['gpt-4o', { adapter: 'openai', apiKey: '${OPENAI_API_KEY}' }, 'gpt-4o'],
    ['openai/gpt-4o', { adapter: 'openai', apiKey: '${OPENAI_API_KEY}' }, 'gpt-4o'],
    ['ollama/qwen3:8b', { adapter: 'ollama', baseUrl: 'http://127.0.0.1:11434' }, 'qwen3:8b'],
    ['ollama_chat/a/b', { adapter: 'ollama', baseUrl: 'http://127.0.0.1:11434' }, 'a/b'],
    ['hosted_vllm/Qwen/Q', { adapter: 'vllm', baseUrl: '${HOSTED_VLLM_API_BASE}' }, 'Qwen/Q'],
  ])('goes to its provider: %s', async (model, instance, name) => {
    const { config } = await imported(one({ model }));
    const { adapter } = instance;
    expect(config.instances).toEqual({ [adapter]: { ...instance, models: [name] } });
    expect(config.models).toEqual({ m: { targets: [`${adapter}/${name}`] } });
  });

  it.each([
    ['openai/facebook/opt', 'facebook/opt'],
    ['facebook/opt', 'facebook/opt'],
    ['opt', 'opt'],
    ['custom_openai/opt', 'opt'],
  ])('with an address of its own speaks OpenAI’s API: %s', async (model, name) => {
    const { config } = await imported(
      one({ model, api_base: 'http://h:4000/v1', api_key: 'none' }),
    );
    expect(config.instances).toEqual({
      openai: { adapter: 'openai', baseUrl: 'http://h:4000', models: [name] },
    });
  });

  it('takes what it has from the environment, and what it says in plain text', async () => {
    const { config } = await imported(
      one({
        model: 'os.environ/MODEL',
        custom_llm_provider: 'openai',
        api_base: 'os.environ/BASE',
        api_key: 'sk-${x}',
        organization: 'os.environ/ORG',
        extra_headers: { 'x-team': 'dev' },
        ssl_verify: false,
      }),
    );
    expect(config.instances).toEqual({
      openai: {
        adapter: 'openai',
        baseUrl: '${BASE}',
        apiKey: 'sk-$${x}',
        headers: { 'x-team': 'dev', 'OpenAI-Organization': '${ORG}' },
        tls: { rejectUnauthorized: false },
        models: ['${MODEL}'],
      },
    });
  });

  it('finds its credentials by name', async () => {
    const { config } = await imported(
      one(
        { model: 'openai/x', litellm_credential_name: 'box' },
        {
          credential_list: [
            {
              credential_name: 'box',
              credential_values: { api_base: 'http://h:1', api_key: 'os.environ/BOX' },
            },
          ],
        },
      ),
    );
    expect(config.instances).toMatchObject({
      openai: { baseUrl: 'http://h:1', apiKey: '${BOX}' },
    });
  });

  it('has its own limits and place in the order', async () => {
    const { config } = await imported(
      one({
        model: 'openai/x',
        rpm: 60,
        tpm: 9000,
        weight: 3,
        order: 2,
        max_parallel_requests: 4,
        timeout: 300,
        stream_timeout: 0.5,
      }),
    );
    expect(config.instances!['openai']).toMatchObject({
      rateLimit: { rate: '60/m' },
      weight: 3,
      priority: 2,
      maxConcurrency: 4,
      timeouts: { firstByte: '5m', firstEvent: '500ms' },
    });
    expect(config.models!['m']!.rateLimit).toEqual({ rate: '9000/m', cost: 'tokens' });
  });

  it.each([
    [
      { model: 'openai/x', api_base: 'http://h/v1' },
      { adapter: 'openai', baseUrl: 'http://h' },
    ],
    [
      { model: 'openai/x', api_base: 'http://h' },
      { adapter: 'openai', baseUrl: 'http://h' },
    ],
    [
      { model: 'openai/x', api_base: 'http://h/api/v3/' },
      { adapter: 'openai-plain', baseUrl: 'http://h/api/v3' },
    ],
    [{ model: 'openai/x', api_base: 'https://api.deepseek.com' }, { adapter: 'deepseek' }],
    [{ model: 'openai/x', api_base: 'https://api.groq.com/openai/v1' }, { adapter: 'groq' }],
    [
      { model: 'openai/x', api_base: 'https://generativelanguage.googleapis.com/v1beta/openai/' },
      { adapter: 'gemini' },
    ],
    [
      { model: 'zai/x' },
      { adapter: 'zhipu', baseUrl: 'https://api.z.ai/api/paas/v4', apiKey: '${ZAI_API_KEY}' },
    ],
    [{ model: 'groq/x' }, { adapter: 'groq', apiKey: '${GROQ_API_KEY}' }],
    [
      { model: 'openai/x', api_base: 'https://api.openai.com/v1' },
      { adapter: 'openai', apiKey: '${OPENAI_API_KEY}' },
    ],
    [
      { model: 'azure/x', api_base: 'https://a.openai.azure.com', api_version: '2025-01-01' },
      {
        adapter: 'azure',
        baseUrl: 'https://a.openai.azure.com',
        apiKey: '${AZURE_API_KEY}',
        azure: { apiVersion: '2025-01-01' },
      },
    ],
    [
      { model: 'azure/x', api_version: 'os.environ/VERSION' },
      {
        adapter: 'azure',
        baseUrl: '${AZURE_API_BASE}',
        apiKey: '${AZURE_API_KEY}',
        azure: { apiVersion: '${VERSION}' },
      },
    ],
    [
      { model: 'azure/x', api_base: 'https://a', api_version: 'preview' },
      { baseUrl: 'https://a', azure: { api: 'v1' } },
    ],
  ])('is called where it is: %j', async (params, place) => {
    const result = await imported(one(params));
    const [instance] = Object.values(result.config.instances!);
    expect(instance).toMatchObject(place);
    expect(instance!.baseUrl).toBe((place as { baseUrl?: string }).baseUrl);
    const env = { AZURE_API_BASE: 'https://a', VERSION: '1' };
    const { config } = await loaded(result, env);
    expect(Object.keys(config.instances)).toHaveLength(1);
  });

  it('sends OpenAI’s key nowhere else', async () => {
    const result = await imported(one({ model: 'openai/x', api_base: 'http://h:1/v1' }));
    expect(result.config.instances!['openai']!.apiKey).toBeUndefined();
    expect(reasonFor(result, 'model_list[0].litellm_params.api_key')).toContain(
      'goes to no other address',
    );
  });

  it.each([
    [{ model: 'bedrock/claude' }, 'there is no adapter for the provider `bedrock` here'],
    [{ model: 'who-knows' }, 'there is no adapter for the provider `who-knows` here'],
    [{ model: 'vllm/x' }, 'it has no `api_base`'],
    [{ model: 'openai/x', api_base: 'h:1' }, 'its address must be an http or https address'],
    [{}, 'a model needs a `model_name` and a `litellm_params.model`'],
    [{ model: 'openai/gpt-*' }, 'a pattern can be no other name for what it stands for'],
    [{ model: 'gpt-4o', temperature: 1 }, 'calls go on as the client sends them'],
    [{ model: 'gpt-4o', organization: ['a', 'b'] }, 'one text or number is expected there'],
    [{ model: 'gpt-4o', extra_headers: { te: 'x' } }, 'it can be no header'],
  ])('tells what can’t be carried over: %j', async (params, why) => {
    const { left } = await imported(one(params));
    expect(left.map((each) => each.why).join('\n')).toContain(why);
  });

  it('of which there is a name for all is served by that name', async () => {
    const { config } = await imported(
      stringify({
        model_list: [
          { model_name: 'box/*', litellm_params: { model: 'ollama/*' } },
          { model_name: '*', litellm_params: { model: 'openai/*' } },
          { model_name: 'gpt-*', litellm_params: { model: 'openai/gpt-*' } },
        ],
      }),
    );
    expect(config.instances).toMatchObject({
      box: { adapter: 'ollama' },
      openai: { models: ['*', 'gpt-*'] },
    });
    expect(config.instances!['box']).not.toHaveProperty('models');
    expect(config.models).toBeUndefined();
  });
});

describe('several models of LiteLLM', () => {
  it('under one name are its targets', async () => {
    const { config } = await imported(
      stringify({
        model_list: [
          { model_name: 'gpt', litellm_params: { model: 'openai/gpt-4o' } },
          { model_name: 'gpt', litellm_params: { model: 'ollama/qwen3' } },
          { model_name: 'mini', litellm_params: { model: 'openai/gpt-4o-mini' } },
          { model_name: 'gpt-4o', litellm_params: { model: 'openai/gpt-4o' } },
        ],
      }),
    );
    expect(config.instances).toMatchObject({
      openai: { models: ['gpt-4o', 'gpt-4o-mini'] },
      ollama: { models: ['qwen3'] },
    });
    // `gpt-4o` is called so by the only backend that has it.
    expect(config.models).toEqual({
      gpt: { targets: ['openai/gpt-4o', 'ollama/qwen3'] },
      mini: { targets: ['openai/gpt-4o-mini'] },
    });
  });

  it('are chosen by their rates, where all of a name have one', async () => {
    const list = [60, 6].map((rpm, index) => ({
      model_name: 'm',
      litellm_params: { model: 'openai/x', api_base: `http://h:${index + 1}`, rpm },
    }));
    const { config } = await imported(stringify({ model_list: list }));
    expect(config.instances).toMatchObject({
      'openai-h': { weight: 60, rateLimit: { rate: '60/m' } },
      'openai-h-2': { weight: 6, rateLimit: { rate: '6/m' } },
    });
  });

  it('never hide one another behind the name of an instance', async () => {
    const { config, left } = await imported(
      stringify({
        model_list: [
          { model_name: 'ollama/qwen3', litellm_params: { model: 'ollama/qwen3' } },
          { model_name: 'openai/big', litellm_params: { model: 'openai/gpt-4o' } },
        ],
      }),
    );
    expect(config.instances).toMatchObject({ ollama: {}, 'openai-2': {} });
    expect(config.models).toEqual({ 'openai/big': { targets: ['openai-2/gpt-4o'] } });
    expect(
      (await loaded({ from: 'LiteLLM', config, left }, { OPENAI_API_KEY: 'k' })).warnings,
    ).toEqual([]);
  });

  it('fall back, and have other names', async () => {
    const { config } = await imported(
      stringify({
        model_list: ['a', 'b', 'c'].map((name) => ({
          model_name: name,
          litellm_params: { model: `openai/${name}` },
        })),
        router_settings: {
          fallbacks: [{ a: ['b', 'c'] }],
          model_group_alias: { best: 'a', hidden: { model: 'b', hidden: true }, gone: 'nobody' },
        },
        litellm_settings: { fallbacks: [{ a: ['c'] }], default_fallbacks: ['c'] },
      }),
    );
    expect(config.models).toEqual({
      a: { targets: ['openai/a'], fallback: ['b', 'c'] },
      b: { targets: ['openai/b'], fallback: ['c'] },
      best: { targets: ['openai/a'], fallback: ['b', 'c'] },
      hidden: { targets: ['openai/b'], fallback: ['c'] },
    });
  });
});

describe('settings of LiteLLM', () => {
  it('become ours', async () => {
    const { config } = await imported(
      one(
        { model: 'gpt-4o' },
        {
          router_settings: {
            routing_strategy: 'latency-based-routing',
            num_retries: 2,
            timeout: 30,
            allowed_fails: 3,
          },
          litellm_settings: { num_retries: 9, request_timeout: 600, cooldown_time: 60 },
          general_settings: {
            master_key: 'os.environ/LITELLM_MASTER_KEY',
            completion_model: 'm',
            max_request_size_mb: 20,
          },
        },
      ),
    );
    expect(config.server).toEqual({
      apiKeys: [{ name: 'master', key: '${LITELLM_MASTER_KEY}' }],
      maxBodySize: '20mb',
    });
    expect(config.defaults).toEqual({
      loadBalance: 'latency',
      timeouts: { firstByte: '30s' },
      retry: { attempts: 3 },
      circuitBreaker: { failureThreshold: 4, openFor: '1m' },
    });
    expect(config.services).toEqual({ chat: { defaultModel: 'm' } });
  });

  it.each([
    ['simple-shuffle', 'random', false],
    ['least-busy', 'least-connections', false],
    ['usage-based-routing-v2', 'least-connections', true],
    ['cost-based-routing', undefined, true],
  ])('name a strategy: %s', async (routing_strategy, strategy, told) => {
    const result = await imported(
      one({ model: 'gpt-4o' }, { router_settings: { routing_strategy } }),
    );
    expect(result.config.defaults?.loadBalance).toBe(strategy);
    expect(reasonFor(result, 'router_settings.routing_strategy') !== undefined).toBe(told);
  });

  it('without a counterpart say why, and unknown ones too', async () => {
    const result = await imported(
      one(
        { model: 'gpt-4o' },
        {
          environment_variables: { A: 'secret' },
          router_settings: { redis_host: 'h', context_window_fallbacks: [{ a: ['b'] }] },
          litellm_settings: { cache: true, callbacks: ['otel'], drop_params: true },
          general_settings: { database_url: 'postgres://me:pw@h', moon: 'full' },
        },
      ),
    );
    expect(reasonFor(result, 'environment_variables')).toContain('.env');
    expect(reasonFor(result, 'router_settings.redis_host')).toContain('this one process');
    expect(reasonFor(result, 'router_settings.context_window_fallbacks')).toContain('fallback');
    expect(reasonFor(result, 'litellm_settings.cache')).toContain('not cached');
    expect(reasonFor(result, 'litellm_settings.drop_params')).toBeUndefined();
    expect(reasonFor(result, 'general_settings.database_url')).toContain('server.apiKeys');
    expect(reasonFor(result, 'general_settings.moon')).toBe('there is no such option here');
    expect(JSON.stringify(result)).not.toMatch(/secret|pw@/);
  });

  it('may stand in several files', async () => {
    const { config } = await imported({
      'config.yaml': `include: [more.yaml]\n${one({ model: 'openai/a' })}`,
      'more.yaml': one({ model: 'openai/b' }),
    });
    expect(config.models).toEqual({ m: { targets: ['openai/a', 'openai/b'] } });
  });
});

describe('what was LiteLLM’s', () => {
  it('serves, with its keys and its fallback', async () => {
    const up = await fakeBackend((_, response) => json(response, 200, { from: 'up' }), {
      models: ['real'],
    });
    const text = stringify({
      model_list: [
        {
          model_name: 'main',
          litellm_params: { model: 'openai/x', api_base: 'http://127.0.0.1:9/v1' },
        },
        {
          model_name: 'spare',
          litellm_params: { model: 'openai/real', api_base: `${up.url}/v1`, api_key: 'sk-up' },
        },
      ],
      router_settings: { fallbacks: [{ main: ['spare'] }] },
      general_settings: { master_key: 'sk-master' },
    });
    const gateway = await started(await imported(text));
    expect((await gateway.post('/v1/chat/completions', { model: 'main' })).status).toBe(401);
    const answer = await gateway.post(
      '/v1/chat/completions',
      { model: 'main' },
      { headers: { authorization: 'Bearer sk-master' } },
    );
    expect(await answer.json()).toEqual({ from: 'up' });
    expect(up.received[0]!.headers.authorization).toBe('Bearer sk-up');
    expect(JSON.parse(up.received[0]!.body.toString())).toMatchObject({ model: 'real' });
  });
});
