import type { Operation, Service } from '../service.ts';
import {
  defineAdapter,
  type AdapterCall,
  type Backend,
  type CatalogueModel,
  type OperationSpec,
  type ProbeResult,
  type RequestPatch,
} from './adapter.ts';
import { bearer } from './auth.ts';
import { inBatches } from './batches.ts';
import { entriesOf, failureIfThere, failureOf, modelOf, noList } from './catalogue.ts';
import { embeddings } from './embeddings.ts';
import { asObject, type JsonObject } from './json.ts';
import { textRerank } from './rerank.ts';

/** `INFINITY_MAX_CLIENT_BATCH_SIZE` unless told otherwise. */
const LIMITS = { inputs: 2048 };

export const infinity = defineAdapter({
  name: 'infinity',
  ports: [7997],
  auth: bearer,
  // uvicorn closes at 5 s.
  keepAlive: 3000,
  operations: {
    embeddings: inBatches(
      { ...embeddings, path: '/embeddings', request: (call) => below('/embeddings', call) },
      LIMITS,
    ),
    rerank: {
      ...textRerank,
      path: '/rerank',
      request: (call) => ({ ...textRerank.request(call), ...below('/rerank', call) }),
    },
  } satisfies Partial<Record<Operation, OperationSpec>>,
  probe,
  recognise,
});

/** Its operator may put a prefix before its paths, nearly always `/v1`, which no `baseUrl` keeps. */
function below(path: string, { facts }: AdapterCall): RequestPatch {
  return facts?.prefix ? { path: facts.prefix + path } : {};
}

async function probe(backend: Backend): Promise<ProbeResult> {
  const [health, plain] = await Promise.all([backend.get('/health'), backend.get('/models')]);
  const prefix = plain.status === 404 ? '/v1' : '';
  const path = `${prefix}/models`;
  const list = prefix === '' ? plain : await backend.get(path);
  const failure = failureIfThere(health, '/health') ?? failureOf(list, path);
  if (failure) return failure;
  const models = entriesOf(list)?.map(toModel);
  return models ? { state: 'healthy', models, facts: { prefix } } : noList(path);
}

const SERVICES_OF = new Map<unknown, readonly Service[]>([
  ['embed', ['embeddings']],
  ['image_embed', ['embeddings']],
  ['audio_embed', ['embeddings']],
  ['rerank', ['rerank']],
]);

function toModel(entry: JsonObject): CatalogueModel {
  const { capabilities } = entry;
  const told = Array.isArray(capabilities) && capabilities.length > 0;
  const services = told
    ? [...new Set(capabilities.flatMap((name: unknown) => SERVICES_OF.get(name) ?? []))]
    : undefined;
  return { ...modelOf(entry), ...(services ? { services } : {}), loaded: true };
}

async function recognise(backend: Backend): Promise<boolean> {
  const health = asObject((await backend.get('/health')).json);
  return typeof health?.['unix'] === 'number';
}
