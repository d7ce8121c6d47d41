import type { Service } from '../../service.ts';

/** How one of LiteLLM's providers is reached here. */
export interface Provider {
  readonly adapter: string;
  /** Another adapter for what is used for one service. */
  readonly services?: Readonly<Partial<Record<Service, string>>>;
  /** Where LiteLLM looks for its key when none is given; absent: it wants none. */
  readonly key?: string;
  /** Where it looks for its address when none is given. */
  readonly address?: string;
  /** Its address when it is not told at all, if it is another than the adapter's. */
  readonly baseUrl?: string;
}

/** By the part before the slash of `litellm_params.model`, or `custom_llm_provider`. */
export const PROVIDERS: Readonly<Record<string, Provider>> = {
  openai: { adapter: 'openai', key: 'OPENAI_API_KEY' },
  'text-completion-openai': { adapter: 'openai', key: 'OPENAI_API_KEY' },
  custom_openai: { adapter: 'openai' },
  openai_like: { adapter: 'openai' },
  litellm_proxy: {
    adapter: 'openai',
    key: 'LITELLM_PROXY_API_KEY',
    address: 'LITELLM_PROXY_API_BASE',
  },
  azure: { adapter: 'azure', key: 'AZURE_API_KEY', address: 'AZURE_API_BASE' },
  azure_text: { adapter: 'azure', key: 'AZURE_API_KEY', address: 'AZURE_API_BASE' },
  anthropic: { adapter: 'anthropic', key: 'ANTHROPIC_API_KEY' },
  gemini: { adapter: 'gemini', key: 'GEMINI_API_KEY' },
  ollama: { adapter: 'ollama', baseUrl: 'http://127.0.0.1:11434' },
  ollama_chat: { adapter: 'ollama', baseUrl: 'http://127.0.0.1:11434' },
  hosted_vllm: { adapter: 'vllm', address: 'HOSTED_VLLM_API_BASE' },
  vllm: { adapter: 'vllm' },
  xinference: { adapter: 'xinference', address: 'XINFERENCE_API_BASE' },
  lm_studio: { adapter: 'lmstudio', address: 'LM_STUDIO_API_BASE' },
  llamafile: { adapter: 'llamacpp', baseUrl: 'http://127.0.0.1:8080' },
  infinity: { adapter: 'infinity', address: 'INFINITY_API_BASE' },
  huggingface: { adapter: 'openai', services: { embeddings: 'tei', rerank: 'tei' } },
  deepseek: { adapter: 'deepseek', key: 'DEEPSEEK_API_KEY' },
  groq: { adapter: 'groq', key: 'GROQ_API_KEY' },
  openrouter: { adapter: 'openrouter', key: 'OPENROUTER_API_KEY' },
  together_ai: { adapter: 'together', key: 'TOGETHERAI_API_KEY' },
  mistral: { adapter: 'mistral', key: 'MISTRAL_API_KEY' },
  moonshot: { adapter: 'moonshot', key: 'MOONSHOT_API_KEY' },
  zai: { adapter: 'zhipu', key: 'ZAI_API_KEY', baseUrl: 'https://api.z.ai/api/paas/v4' },
  dashscope: { adapter: 'qwen', key: 'DASHSCOPE_API_KEY' },
  siliconflow: { adapter: 'siliconflow', key: 'SILICONFLOW_API_KEY' },
  fireworks_ai: { adapter: 'fireworks', key: 'FIREWORKS_AI_API_KEY' },
  xai: { adapter: 'xai', key: 'XAI_API_KEY' },
  perplexity: { adapter: 'perplexity', key: 'PERPLEXITYAI_API_KEY' },
  cerebras: { adapter: 'cerebras', key: 'CEREBRAS_API_KEY' },
  nvidia_nim: { adapter: 'nvidia', key: 'NVIDIA_NIM_API_KEY' },
  docker_model_runner: { adapter: 'docker-model-runner' },
};

/** Whose model it is when no provider is named. */
const BY_NAME: readonly (readonly [RegExp, string])[] = [
  [/^claude-/, 'anthropic'],
  [/^gemini-/, 'gemini'],
  [/^(gpt-|chatgpt-|o\d|text-embedding-|dall-e|whisper|tts-|omni-|\*$)/, 'openai'],
];

/** Where a model is, and what it is called there. */
export interface Whereabouts {
  readonly provider: string;
  readonly model: string;
}

/**
 * Takes LiteLLM's `model` apart. A name with a slash in it may also be the whole name of a model,
 * as in `meta-llama/Llama-3`: only a known provider is one.
 *
 * @param custom Its `custom_llm_provider`.
 * @param hasAddress It has an address of its own, and so speaks OpenAI's API if nothing else is said.
 */
export function whereabouts(
  text: string,
  custom: string | undefined,
  hasAddress: boolean,
): Whereabouts {
  const slash = text.indexOf('/');
  const prefix = slash > 0 ? text.slice(0, slash) : undefined;
  if (custom !== undefined) {
    return { provider: custom, model: prefix === custom ? text.slice(slash + 1) : text };
  }
  if (prefix !== undefined && Object.hasOwn(PROVIDERS, prefix))
    return { provider: prefix, model: text.slice(slash + 1) };
  if (hasAddress) return { provider: 'openai', model: text };
  const named = BY_NAME.find(([pattern]) => pattern.test(text))?.[1];
  return { provider: named ?? prefix ?? text, model: text };
}
