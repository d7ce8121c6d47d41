import type { Operation, Service } from '../service.ts';
import {
  defineAdapter,
  type Backend,
  type CatalogueModel,
  type OperationSpec,
  type ProbeResult,
  type Reply,
} from './adapter.ts';
import { bearer } from './auth.ts';
import { entriesOf, failureOf, modelOf, noList } from './catalogue.ts';
import { floatEmbeddings } from './embeddings.ts';
import { inlineImages, inlineImagesOfForm } from './images.ts';
import { countTokens, messages, responses } from './other-dialects.ts';
import { asObject, asText, type JsonObject } from './json.ts';
import { servicesOf } from './model-kinds.ts';
import { rerank } from './rerank.ts';
import { routesOf } from './routes.ts';
import { translatedTranscription } from './transcription.ts';

const operations = {
  chat: {
    path: '/v1/chat/completions',
    extras: ['top_k', 'min_p', 'reasoning_effort', 'reasoning_content', 'chat_template_kwargs'],
  },
  completions: { path: '/v1/completions' },
  messages,
  countTokens,
  responses,
  embeddings: floatEmbeddings,
  rerank,
  // Older versions answer plain JSON to what they do not know.
  transcriptions: translatedTranscription('/v1/audio/transcriptions', [
    'json',
    'text',
    'verbose_json',
  ]),
  // Those of a diffusion model, which is another kind of process.
  imageGenerations: inlineImages('/v1/images/generations'),
  imageEdits: inlineImagesOfForm('/v1/images/edits'),
} satisfies Partial<Record<Operation, OperationSpec>>;

export const sglang = defineAdapter({
  name: 'sglang',
  ports: [30000],
  auth: bearer,
  // uvicorn closes at 5 s.
  keepAlive: 3000,
  operations,
  probe,
  recognise,
  loading: async (backend) => isStarting(await backend.get(INFO)),
});

const INFO = '/get_model_info';

/** Its `/health` makes the model generate a token, so what it tells of the model is asked instead. */
async function probe(backend: Backend): Promise<ProbeResult> {
  const path = '/v1/models';
  const [list, info] = await Promise.all([backend.get(path), backend.get(INFO)]);
  const busy = [list, info].find(isStarting);
  if (busy) {
    return { state: 'loading', detail: 'it is starting, or its scheduler does not answer (503)' };
  }
  const failure =
    (info.status === 404 ? undefined : failureOf(info, INFO)) ?? failureOf(list, path);
  if (failure) return failure;
  const entries = entriesOf(list);
  if (!entries) return noList(path);
  const told = asObject(info.json);
  const models = entries.map((entry) => toModel(entry, told));
  const server = [asText(told?.['model_path']), ...models.map(({ id }) => id)].join('\n');
  const found = await routesOf(backend, server, operations);
  return { state: 'healthy', models, ...(found ? { operations: found } : {}) };
}

/** It says no more than the status while it starts and when it hangs. */
function isStarting({ status, text }: Reply): boolean {
  return status === 503 && text.trim() === '';
}

function toModel(entry: JsonObject, info: JsonObject | undefined): CatalogueModel {
  const services = servicesOf(entry) ?? byGeneration(info?.['is_generation']);
  return { ...modelOf(entry), ...(services ? { services } : {}), loaded: true };
}

/** A diffusion server says nothing here, and has other routes. */
function byGeneration(generates: unknown): readonly Service[] | undefined {
  if (typeof generates !== 'boolean') return undefined;
  return generates ? ['chat', 'transcription'] : ['embeddings', 'rerank'];
}

async function recognise(backend: Backend): Promise<boolean> {
  const info = asObject((await backend.get(INFO)).json);
  return info !== undefined && ('is_generation' in info || 'model_path' in info);
}
