import type { Operation } from '../service.ts';
import { defineAdapter, type Backend, type OperationSpec, type ProbeResult } from './adapter.ts';
import { bearer } from './auth.ts';
import { entriesOf, failureIfThere, failureOf, modelOf, noList, versionAt } from './catalogue.ts';
import { embeddings } from './embeddings.ts';
import { isLoading } from './errors.ts';
import { inlineImages, inlineImagesOfForm } from './images.ts';
import { asObject } from './json.ts';
import { countTokens, messages, responses } from './other-dialects.ts';
import { rerank } from './rerank.ts';
import { routesOf } from './routes.ts';
import { explicitSpeech } from './speech.ts';
import { translatedTranscription } from './transcription.ts';

/** Older builds reject `srt` and `vtt`, and answer JSON to `text`. */
const NATIVE_FORMATS = ['json', 'verbose_json'] as const;
const STREAM_USAGE = { stream_include_usage: 'true' };

const operations = {
  chat: {
    path: '/v1/chat/completions',
    extras: [
      'top_k',
      'min_p',
      'repetition_penalty',
      'reasoning_effort',
      'reasoning',
      'reasoning_content',
      'chat_template_kwargs',
      'continue_final_message',
    ],
  },
  completions: { path: '/v1/completions' },
  messages,
  countTokens,
  responses,
  embeddings,
  rerank,
  transcriptions: translatedTranscription('/v1/audio/transcriptions', NATIVE_FORMATS, STREAM_USAGE),
  translations: translatedTranscription('/v1/audio/translations', NATIVE_FORMATS, STREAM_USAGE),
  // vllm-omni's.
  speech: explicitSpeech,
  imageGenerations: inlineImages('/v1/images/generations'),
  imageEdits: inlineImagesOfForm('/v1/images/edits'),
} satisfies Partial<Record<Operation, OperationSpec>>;

export const vllm = defineAdapter({
  name: 'vllm',
  ports: [8000],
  auth: bearer,
  // uvicorn closes at 5 s.
  keepAlive: 3000,
  operations,
  probe,
  recognise,
});

async function probe(backend: Backend): Promise<ProbeResult> {
  const path = '/v1/models';
  const [health, list, version] = await Promise.all([
    backend.get('/health'),
    backend.get(path),
    versionAt(backend, '/version'),
  ]);
  if (health.status >= 500 && !isLoading(health.text)) {
    return {
      state: 'unhealthy',
      ...version,
      detail: `its engine is dead (GET /health answers ${health.status}): restart vLLM`,
    };
  }
  const failure = failureIfThere(health, '/health') ?? failureOf(list, path);
  if (failure) return failure;
  const entries = entriesOf(list);
  if (!entries) return noList(path);
  const models = entries.map((entry) => ({ ...modelOf(entry), loaded: true }));
  const server = [version.version, ...models.map((model) => model.id)].join('\n');
  const found = await routesOf(backend, server, operations);
  return { state: 'healthy', ...version, models, ...(found ? { operations: found } : {}) };
}

async function recognise(backend: Backend): Promise<boolean> {
  const version = asObject((await backend.get('/version')).json);
  // LocalAI and GPUStack have this route too, so the list must tell.
  if (typeof version?.['version'] !== 'string') return false;
  const list = await backend.get('/v1/models');
  if (list.status === 401) return asObject(list.json)?.['error'] === 'Unauthorized';
  return entriesOf(list)?.some((entry) => entry['owned_by'] === 'vllm') ?? false;
}
