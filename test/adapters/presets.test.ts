import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ADAPTERS } from '../../src/adapters/index.ts';
import { PRESETS } from '../../src/adapters/presets.ts';
import { normalizeBaseUrl } from '../../src/config/base-url.ts';
import { backendAt } from '../support/backend-at.ts';
import { keyVariables } from '../../src/instances/providers.ts';
import { serviceOf, type Operation } from '../../src/service.ts';
import { startGateway } from '../support/gateway.ts';
import { scripted } from './exchange.ts';

/** Where each is asked to chat, from its own documentation. */
const CHAT = {
  deepseek: 'https://api.deepseek.com/v1/chat/completions',
  groq: 'https://api.groq.com/openai/v1/chat/completions',
  openrouter: 'https://openrouter.ai/api/v1/chat/completions',
  together: 'https://api.together.xyz/v1/chat/completions',
  mistral: 'https://api.mistral.ai/v1/chat/completions',
  moonshot: 'https://api.moonshot.ai/v1/chat/completions',
  zhipu: 'https://open.bigmodel.cn/api/paas/v4/chat/completions',
  qwen: 'https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions',
  siliconflow: 'https://api.siliconflow.cn/v1/chat/completions',
  fireworks: 'https://api.fireworks.ai/inference/v1/chat/completions',
  xai: 'https://api.x.ai/v1/chat/completions',
  perplexity: 'https://api.perplexity.ai/chat/completions',
  cerebras: 'https://api.cerebras.ai/v1/chat/completions',
  nvidia: 'https://integrate.api.nvidia.com/v1/chat/completions',
  'docker-model-runner': 'http://127.0.0.1:12434/engines/v1/chat/completions',
  jan: 'http://127.0.0.1:1337/v1/chat/completions',
  koboldcpp: 'http://127.0.0.1:5001/v1/chat/completions',
  mlx: 'http://127.0.0.1:8080/v1/chat/completions',
} as const satisfies Record<keyof typeof PRESETS, string>;
const NAMES = Object.keys(CHAT) as (keyof typeof CHAT)[];

describe.each(NAMES)('the preset %s', (name) => {
  const adapter = PRESETS[name];

  it('knows its address, however that is written', () => {
    const { path } = adapter.operations.chat!;
    for (const written of [adapter.baseUrl!, CHAT[name].replace('/chat/completions', '/')]) {
      expect(normalizeBaseUrl(written) + path).toBe(CHAT[name]);
    }
  });

  it('serves a chat and its models', async () => {
    const { pathname } = new URL(CHAT[name]);
    const models = pathname.replace('/chat/completions', '/models');
    const { url, asked } = await scripted({
      [`GET ${models}`]: { body: { object: 'list', data: [{ id: 'sonar', object: 'model' }] } },
      [`POST ${pathname}`]: { body: { object: 'chat.completion', choices: [] } },
    });
    const base = url + new URL(adapter.baseUrl!).pathname;
    const gateway = await startGateway({
      instances: { a: { adapter: name, baseUrl: base, apiKey: 'secret' } },
    });
    const reply = await gateway.post('/v1/chat/completions', { model: 'sonar', messages: [] });
    expect(reply.status).toBe(200);
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(
      asked.map(() => 'Bearer secret'),
    );
  });

  it('is of this machine or a cloud, never both', () => {
    const local = adapter.baseUrl!.startsWith('http://127.0.0.1');
    expect(adapter.cloud ?? false).toBe(!local);
    expect(adapter.ports.length > 0).toBe(local);
    expect(adapter.recognise !== undefined).toBe(local);
  });
});

it.each([
  ['deepseek', 'reasoning_content'],
  ['moonshot', 'reasoning_content'],
  ['openrouter', 'reasoning'],
  ['groq', undefined],
] as const)('%s is given back the thoughts between calls as %s', async (name, field) => {
  const { pathname } = new URL(CHAT[name]);
  const { url, asked } = await scripted({
    [`GET ${pathname.replace('/chat/completions', '/models')}`]: {
      body: { object: 'list', data: [{ id: 'm', object: 'model' }] },
    },
    [`POST ${pathname}`]: {
      body: { object: 'chat.completion', choices: [{ message: { content: 'Hi' } }] },
    },
  });
  const base = url + new URL(PRESETS[name].baseUrl!).pathname;
  const gateway = await startGateway({ instances: { a: { adapter: name, baseUrl: base } } });
  const call = { type: 'tool_use', id: 'c', name: 'f', input: {} };
  const pdf = { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' };
  const reply = await gateway.post('/v1/messages', {
    model: 'm',
    max_tokens: 9,
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm.' }, call] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'c', content: 'ok' },
          { type: 'document', source: pdf },
        ],
      },
    ],
  });
  expect(reply.status).toBe(200);
  const last = asked.findLast(({ path }) => path === pathname)!;
  const { messages } = JSON.parse(last.body.toString()) as { messages: object[] };
  const [, assistant] = messages;
  const thoughts = ['reasoning', 'reasoning_content'].filter((key) => key in assistant!);
  expect(thoughts).toEqual(field === undefined ? [] : [field]);
  // Only some read documents.
  const dropped = reply.headers.get('x-jairouter-dropped')?.split(', ') ?? [];
  expect(dropped.includes('document')).toBe(name !== 'openrouter');
});

it.each([
  ['docker-model-runner', 'GET /', { body: 'Docker Model Runner is running\n' }],
  [
    'docker-model-runner',
    'GET /engines/v1/models',
    { body: { object: 'list', data: [{ id: 'ai/qwen3', owned_by: 'docker' }] } },
  ],
  ['jan', 'GET /openapi.json', { body: { openapi: '3.0.0', info: { title: '👋Jan API' } } }],
  ['jan', 'GET /v1/models', { status: 401, body: 'Invalid or missing authorization token' }],
  ['koboldcpp', 'GET /api/extra/version', { body: { result: 'KoboldCpp', version: '1.99' } }],
  [
    'mlx',
    'GET /v1/models',
    {
      headers: { server: 'BaseHTTP/0.6 Python/3.12.1', 'content-type': 'application/json' },
      body: { object: 'list', data: [{ id: 'mlx-community/a', object: 'model', created: 1 }] },
    },
  ],
] as const)('%s is told by %s', async (name, route, answer) => {
  const { url } = await scripted({ [route]: answer });
  const backend = backendAt(url);
  const recognised = await Promise.all(
    NAMES.map(async (one) => ((await PRESETS[one].recognise?.(backend)) ? [one] : [])),
  );
  expect(recognised.flat()).toEqual([name]);
});

describe('docs/backends.md', () => {
  const page = readFileSync(new URL('../../docs/backends.md', import.meta.url), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));

  it('has a row for every adapter, and for no other', () => {
    const named = rows.map((row) => /`([^`]+)`/.exec(row)![1]!);
    expect(new Set(named)).toEqual(new Set(Object.keys(ADAPTERS)));
  });

  it.each(NAMES)('tells the address, key and services of %s', (name) => {
    const adapter = PRESETS[name];
    const row = rows.find((one) => one.startsWith(`| \`${name}\``))!;
    expect(row).toContain(`\`${CHAT[name].replace('/chat/completions', '')}\``);
    for (const service of new Set(
      Object.keys(adapter.operations).map((o) => serviceOf(o as Operation)),
    ))
      expect(row).toContain(service);
    if (adapter.cloud)
      for (const variable of keyVariables(adapter)) expect(row).toContain(`\`${variable}\``);
  });
});
