import type { Service } from '../service.ts';
import {
  defineAdapter,
  type Backend,
  type CatalogueModel,
  type ProbeResult,
  type Reply,
} from './adapter.ts';
import { bearer } from './auth.ts';
import { entriesOf, failureIfThere, failureOf, modelOf, noList, versionIn } from './catalogue.ts';
import { embeddings } from './embeddings.ts';
import { inlineImages } from './images.ts';
import { asObject, type JsonObject } from './json.ts';
import { countTokens, messages, responses } from './other-dialects.ts';
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
    chat: { path: '/v1/chat/completions', extras: ['top_k', 'chat_template_kwargs', 'reasoning'] },
    completions: { path: '/v1/completions' },
    messages,
    countTokens,
    responses,
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
} as const satisfies Record<string, readonly Service[]>;
type Category = keyof typeof CATEGORIES;

const LIST = '/v1/models?with_meta=true';

async function probe(backend: Backend): Promise<ProbeResult> {
  const [list, version] = await Promise.all([backend.get(LIST), backend.get('/version')]);
  const failure = failureIfThere(version, '/version') ?? failureOf(list, LIST);
  if (failure) return failure;
  const entries = entriesOf(list);
  if (!entries) return noList(LIST);
  const kinds = await kindsOf(backend, entries);
  if (!(kinds instanceof Map)) return kinds;
  const models = entries.map((entry): CatalogueModel => {
    const model = modelOf(entry);
    const services = kinds.get(model.id);
    // Only what is ready is listed. A model of an unknown category may be anything.
    return { ...model, loaded: true, ...(services ? { services } : {}) };
  });
  return { state: 'healthy', ...versionIn(version), models };
}

type Kinds = Map<string, readonly Service[]>;
/** The kinds of the models of a list, kept until the list changes. */
const KINDS = new WeakMap<Backend, { readonly list: string; readonly kinds: Kinds }>();

/** Its list tells a model's category only by being asked for one at a time. */
async function kindsOf(
  backend: Backend,
  entries: readonly JsonObject[],
): Promise<Kinds | ProbeResult> {
  const names = entries.map(({ id, created }) => JSON.stringify([id, created]));
  const list = names.sort().join();
  const known = KINDS.get(backend);
  if (known?.list === list) return known.kinds;
  const categories = entries.length > 0 ? (Object.keys(CATEGORIES) as Category[]) : [];
  const kinds: Kinds = new Map();
  const replies = await Promise.all(categories.map((name) => backend.get(pathOf(name))));
  for (const [index, reply] of replies.entries()) {
    const category = categories[index]!;
    // An older version refuses a category that it does not know yet.
    if (reply.status === 400 || reply.status === 422) continue;
    const failure = failureOf(reply, pathOf(category));
    if (failure) return failure;
    for (const { id } of entriesOf(reply) ?? []) {
      const before = kinds.get(id as string) ?? [];
      kinds.set(id as string, [...before, ...CATEGORIES[category]]);
    }
  }
  KINDS.set(backend, { list, kinds });
  return kinds;
}

function pathOf(category: Category): string {
  return `${LIST}&categories=${category}`;
}

async function recognise(backend: Backend): Promise<boolean> {
  const reply: Reply = await backend.get('/version');
  const version = asObject(reply.json);
  return typeof version?.['version'] === 'string' && typeof version['git_commit'] === 'string';
}
