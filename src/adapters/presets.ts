import type { Adapter } from './adapter.ts';
import { adapterFrom, type AdapterDefinition } from './definition.ts';
import { openai } from './openai.ts';

/**
 * Services and servers that speak OpenAI's dialect, and what is their own: addresses, paths, keys.
 * Base addresses come without a trailing `/v1`, to which paths are appended; where the version has
 * another name it belongs to the address, and `prefix` is empty. Those whose models think on between
 * calls, and refuse a conversation without those thoughts, read `reasoning_content`.
 */
const DEFINITIONS = {
  deepseek: {
    baseUrl: 'https://api.deepseek.com',
    cloud: true,
    services: ['chat'],
    extras: ['reasoning_content'],
    paths: { completions: '/beta/completions' },
  },
  groq: {
    baseUrl: 'https://api.groq.com/openai',
    cloud: true,
    services: ['chat', 'speech', 'transcription'],
    without: ['completions'],
  },
  openrouter: {
    baseUrl: 'https://openrouter.ai/api',
    cloud: true,
    services: ['chat', 'embeddings'],
    extras: ['top_k', 'min_p', 'repetition_penalty', 'reasoning_effort', 'reasoning', 'file'],
  },
  together: {
    baseUrl: 'https://api.together.xyz',
    cloud: true,
    services: ['chat', 'embeddings', 'rerank', 'speech', 'transcription', 'imageGeneration'],
    extras: ['top_k', 'min_p', 'repetition_penalty'],
  },
  mistral: {
    baseUrl: 'https://api.mistral.ai',
    cloud: true,
    services: ['chat', 'embeddings', 'transcription'],
    without: ['completions', 'translations'],
  },
  moonshot: {
    baseUrl: 'https://api.moonshot.ai',
    cloud: true,
    services: ['chat'],
    extras: ['reasoning_content'],
    without: ['completions'],
  },
  zhipu: {
    baseUrl: 'https://open.bigmodel.cn/api/paas/v4',
    cloud: true,
    keyVariables: ['ZHIPUAI_API_KEY', 'ZHIPU_API_KEY'],
    services: ['chat', 'embeddings', 'rerank', 'speech', 'transcription', 'imageGeneration'],
    extras: ['reasoning_content'],
    without: ['completions', 'translations'],
    prefix: '',
    maxInputs: 64,
  },
  qwen: {
    baseUrl: 'https://dashscope.aliyuncs.com/compatible-mode',
    cloud: true,
    keyVariables: ['DASHSCOPE_API_KEY', 'QWEN_API_KEY'],
    services: ['chat', 'embeddings'],
    extras: ['top_k', 'reasoning_content'],
    maxInputs: 10,
  },
  siliconflow: {
    baseUrl: 'https://api.siliconflow.cn',
    cloud: true,
    maxInputs: 32,
    services: ['chat', 'embeddings', 'rerank', 'speech', 'transcription', 'imageGeneration'],
    extras: ['top_k'],
    without: ['translations'],
  },
  fireworks: {
    baseUrl: 'https://api.fireworks.ai/inference',
    cloud: true,
    services: ['chat', 'embeddings', 'rerank'],
    extras: ['top_k', 'reasoning_effort', 'reasoning_content'],
  },
  xai: {
    baseUrl: 'https://api.x.ai',
    cloud: true,
    services: ['chat', 'imageGeneration'],
  },
  perplexity: {
    baseUrl: 'https://api.perplexity.ai',
    cloud: true,
    services: ['chat'],
    extras: ['top_k'],
    without: ['completions'],
    prefix: '',
    models: ['sonar', 'sonar-pro', 'sonar-reasoning-pro', 'sonar-deep-research'],
  },
  cerebras: {
    baseUrl: 'https://api.cerebras.ai',
    cloud: true,
    services: ['chat'],
  },
  nvidia: {
    baseUrl: 'https://integrate.api.nvidia.com',
    cloud: true,
    services: ['chat', 'embeddings'],
  },
  'docker-model-runner': {
    baseUrl: 'http://127.0.0.1:12434/engines',
    ports: [12434],
    services: ['chat', 'embeddings'],
    extras: ['top_k', 'min_p', 'reasoning_content', 'chat_template_kwargs'],
    marks: [
      { path: '/', says: /^Docker Model Runner/ },
      { path: '/engines/v1/models', says: /"owned_by":\s*"docker"/ },
    ],
  },
  jan: {
    baseUrl: 'http://127.0.0.1:1337',
    ports: [1337],
    services: ['chat'],
    extras: ['top_k', 'min_p', 'reasoning_content', 'chat_template_kwargs'],
    without: ['completions'],
    marks: [
      { path: '/openapi.json', says: /"title":\s*"[^"]*\bJan\b/ },
      // It wants a key for everything else, and says so in these words.
      { path: '/v1/models', says: /^Invalid or missing authorization token/ },
    ],
  },
  koboldcpp: {
    baseUrl: 'http://127.0.0.1:5001',
    ports: [5001],
    services: ['chat', 'embeddings', 'speech', 'transcription', 'imageGeneration'],
    extras: ['top_k', 'min_p'],
    without: ['translations'],
    marks: [{ path: '/api/extra/version', says: /"result":\s*"KoboldCpp"/i }],
  },
  mlx: {
    baseUrl: 'http://127.0.0.1:8080',
    ports: [8080],
    services: ['chat'],
    extras: ['top_k', 'min_p', 'repetition_penalty', 'chat_template_kwargs'],
    // Python's own web server, of which mlx_lm.server is made.
    marks: [{ path: '/v1/models', says: /"object":\s*"list"/, header: ['server', /^BaseHTTP\//] }],
  },
} as const satisfies Record<string, Omit<AdapterDefinition, 'name'>>;
export type PresetName = keyof typeof DEFINITIONS;

/** The adapters that are data alone, by name. */
export const PRESETS = Object.fromEntries(
  Object.entries(DEFINITIONS).map(([name, definition]) => [
    name,
    // Files in chats are OpenAI's own.
    adapterFrom({ name, extras: [], ...definition }, openai),
  ]),
) as Readonly<Record<PresetName, Adapter>>;
