import { SERVICES, type Service } from '../service.ts';
import {
  defineAdapter,
  type Backend,
  type CatalogueModel,
  type ProbeResult,
  type Reply,
} from './adapter.ts';
import { bearer } from './auth.ts';
import { entriesOf, failureOf, modelOf, noList, versionAt } from './catalogue.ts';
import { embeddings } from './embeddings.ts';
import { inlineImages } from './images.ts';
import { asObject } from './json.ts';
import { textRerank } from './rerank.ts';
import { explicitSpeech } from './speech.ts';
import { translatedTranscription } from './transcription.ts';

/** What both its engines for speech, vLLM and VoxBox, have. */
const NATIVE_FORMATS = ['json', 'verbose_json'] as const;

export const gpustack = defineAdapter({
  name: 'gpustack',
  ports: [80, 30080],
  auth: bearer,
  // Without its gateway in front, uvicorn answers, and closes at 5 s.
  keepAlive: 3000,
  operations: {
    chat: { path: '/v1/chat/completions' },
    completions: { path: '/v1/completions' },
    embeddings,
    rerank: textRerank,
    speech: explicitSpeech,
    transcriptions: translatedTranscription('/v1/audio/transcriptions', NATIVE_FORMATS),
    translations: translatedTranscription('/v1/audio/translations', NATIVE_FORMATS),
    imageGenerations: inlineImages('/v1/images/generations'),
    imageEdits: inlineImages('/v1/images/edits'),
    imageVariations: inlineImages('/v1/images/variations'),
  },
  probe,
  recognise,
});

const CATEGORIES = {
  llm: ['chat'],
  embedding: ['embeddings'],
  reranker: ['rerank'],
  text_to_speech: ['speech'],
  speech_to_text: ['transcription'],
  image: ['imageGeneration', 'imageEdit'],
  unknown: [],
} as const satisfies Record<string, readonly Service[]>;
type Category = keyof typeof CATEGORIES;

/** Its list tells a model's category only by being asked for one at a time. */
async function probe(backend: Backend): Promise<ProbeResult> {
  const categories = Object.keys(CATEGORIES) as Category[];
  const path = (category: Category) => `/v1/models?with_meta=true&categories=${category}`;
  const ask = async (category: Category) => [category, await backend.get(path(category))] as const;
  const [version, ...lists] = await Promise.all([
    versionAt(backend, '/version'),
    ...categories.map(ask),
  ]);
  const models = new Map<string, CatalogueModel>();
  for (const [category, reply] of lists) {
    // An older version refuses a category that it does not know yet.
    if (reply.status === 400 || reply.status === 422) continue;
    const failure = failureOf(reply, path(category));
    if (failure) return failure;
    const entries = entriesOf(reply);
    if (!entries) return noList(path(category));
    for (const entry of entries) {
      const model = modelOf(entry);
      models.set(model.id, withCategory(models.get(model.id) ?? model, category));
    }
  }
  return { state: 'healthy', ...version, models: [...models.values()] };
}

/** Only what is ready is listed. A model of an unknown category may be anything. */
function withCategory(model: CatalogueModel, category: Category): CatalogueModel {
  const services = new Set<Service>([...(model.services ?? []), ...CATEGORIES[category]]);
  return {
    ...model,
    loaded: true,
    ...(services.size > 0 ? { services: SERVICES.filter((name) => services.has(name)) } : {}),
  };
}

async function recognise(backend: Backend): Promise<boolean> {
  const reply: Reply = await backend.get('/version');
  const version = asObject(reply.json);
  return typeof version?.['version'] === 'string' && typeof version['git_commit'] === 'string';
}
