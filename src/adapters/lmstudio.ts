import type { Service } from '../service.ts';
import { defineAdapter, type Backend, type CatalogueModel, type ProbeResult } from './adapter.ts';
import { bearer } from './auth.ts';
import { entriesOf, failureOf, modelOf, noList } from './catalogue.ts';
import { floatEmbeddings } from './embeddings.ts';
import { streamError } from './errors.ts';
import { messages, responses } from './other-dialects.ts';
import { asNumber, asObject, asObjects, asText, type JsonObject } from './json.ts';
import { servicesOf } from './model-kinds.ts';

export const lmstudio = defineAdapter({
  name: 'lmstudio',
  ports: [1234],
  auth: bearer,
  // It closes at 5 s.
  keepAlive: 3000,
  operations: {
    chat: { path: '/v1/chat/completions', extras: ['top_k'] },
    completions: { path: '/v1/completions' },
    messages,
    responses: { ...responses, keeps: true },
    embeddings: floatEmbeddings,
  },
  probe,
  recognise,
  loading,
  warm: (backend, model) => backend.post('/api/v1/models/load', { model }),
});

async function probe(backend: Backend): Promise<ProbeResult> {
  const path = '/v1/models';
  const [list, details] = await Promise.all([backend.get(path), detailsOf(backend)]);
  const failure = failureOf(list, path);
  if (failure) return failure;
  const models = entriesOf(list)?.map((entry) => toModel(entry, details));
  return models ? { state: 'healthy', models } : noList(path);
}

/** What its own lists tell of a model. */
interface Details {
  readonly type: string | undefined;
  readonly loaded: boolean;
  readonly contextLength: number | undefined;
}
type AllDetails = ReadonlyMap<string, Details>;

/** The list that a version has, kept as it logs each question for one that it has not. */
const LISTS = new WeakMap<Backend, string>();

/** @returns `undefined` where there is neither of them. */
async function detailsOf(backend: Backend): Promise<AllDetails | undefined> {
  const known = LISTS.get(backend);
  for (const path of known === undefined ? ['/api/v1/models', '/api/v0/models'] : [known]) {
    const reply = await backend.get(path);
    // Paths that it does not have are answered 200, too.
    if (reply.status !== 200 || streamError(reply.text)) continue;
    const body = asObject(reply.json);
    const entries = asObjects(body?.['models']) ?? asObjects(body?.['data']);
    if (!entries) continue;
    LISTS.set(backend, path);
    return new Map(entries.flatMap(readDetails));
  }
  LISTS.delete(backend);
  return undefined;
}

/** By every name that a model is asked for: its key, and those that it was loaded under. */
function readDetails(entry: JsonObject): [string, Details][] {
  const instances = asObjects(entry['loaded_instances']) ?? [];
  const config = asObject(instances[0]?.['config']);
  const details = {
    type: asText(entry['type']),
    loaded: instances.length > 0 || entry['state'] === 'loaded',
    contextLength:
      asNumber(config?.['context_length']) ??
      asNumber(entry['loaded_context_length']) ??
      asNumber(entry['max_context_length']),
  };
  const names = [entry['key'], entry['id'], ...instances.map(({ id }) => id)];
  return names.flatMap((name) => (typeof name === 'string' ? [[name, details]] : []));
}

function toModel(entry: JsonObject, all: AllDetails | undefined): CatalogueModel {
  const model = modelOf(entry);
  const details = all?.get(model.id);
  const services = byType(details?.type) ?? servicesOf(entry);
  return {
    ...model,
    ...(services ? { services } : {}),
    ...(details ? { loaded: details.loaded } : {}),
    ...(details?.contextLength ? { contextLength: details.contextLength } : {}),
  };
}

function byType(type: string | undefined): readonly Service[] | undefined {
  if (type === 'llm' || type === 'vlm') return ['chat'];
  return type === 'embedding' || type === 'embeddings' ? ['embeddings'] : undefined;
}

/** It loads a model when it is asked for, and answers nothing before that. */
async function loading(backend: Backend, model: string): Promise<boolean> {
  const details = (await detailsOf(backend))?.get(model);
  return details?.loaded === false;
}

async function recognise(backend: Backend): Promise<boolean> {
  // A route that it does not have.
  const reply = await backend.get('/version');
  const error = asText(asObject(reply.json)?.['error']);
  return reply.status === 200 && (error?.startsWith('Unexpected endpoint') ?? false);
}
