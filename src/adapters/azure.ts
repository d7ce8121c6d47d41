import type { Operation } from '../service.ts';
import {
  defineAdapter,
  type AdapterCall,
  type AdapterOptions,
  type Backend,
  type CatalogueModel,
  type OperationSpec,
  type ProbeResult,
  type RequestPatch,
  type ResponseTransform,
  type ServerEvent,
} from './adapter.ts';
import { inBatches } from './batches.ts';
import { entriesOf, failureOf, modelOf, noList } from './catalogue.ts';
import { embeddings } from './embeddings.ts';
import { asObject, asObjects, parseJson, type JsonObject } from './json.ts';
import { servicesOf } from './model-kinds.ts';
import { speech } from './speech.ts';
import { transcription } from './transcription.ts';

const ROOT = '/openai';
/** The newest of the classic API that is no preview; what is newer in the service has no version. */
const API_VERSION = '2024-10-21';

/** OpenAI's models on Azure, where calls go to deployments of them. */
export const azure = defineAdapter({
  name: 'azure',
  ports: [],
  root: ROOT,
  options: ['azure'],
  cloud: true,
  keyVariables: ['AZURE_OPENAI_API_KEY', 'AZURE_API_KEY'],
  addressVariables: ['AZURE_OPENAI_ENDPOINT'],
  auth: (apiKey) => ({ 'api-key': apiKey }),
  keepAlive: 60_000,
  operations: {
    chat: deployed('/chat/completions', { path: '', response: filterChunks }),
    completions: deployed('/completions'),
    // Only of the newer API, whichever the others are asked by.
    responses: {
      path: `${ROOT}/v1/responses`,
      request: ({ model, options }) => ({ set: { model: deploymentOf(model, options) } }),
      shownBy: 'post',
      keeps: true,
    },
    embeddings: inBatches(deployed('/embeddings', embeddings), { inputs: 2048 }),
    speech: deployed('/audio/speech', speech),
    transcriptions: deployed('/audio/transcriptions', transcription('/v1/audio/transcriptions')),
    translations: deployed('/audio/translations', transcription('/v1/audio/translations')),
    imageGenerations: deployed('/images/generations'),
    imageEdits: deployed('/images/edits'),
  } satisfies Partial<Record<Operation, OperationSpec>>,
  probe,
});

/** An operation at a deployment's own path, or at that of the newer API, which reads it in the body. */
function deployed(path: string, spec?: OperationSpec): OperationSpec {
  return {
    ...spec,
    path: `${ROOT}/v1${path}`,
    request: (call) => address(call, path),
  };
}

function address({ model, options }: AdapterCall, path: string): RequestPatch {
  const deployment = deploymentOf(model, options);
  if (options?.azure?.api === 'v1') return { set: { model: deployment } };
  const version = options?.azure?.apiVersion ?? API_VERSION;
  return {
    path: `${ROOT}/deployments/${encodeURIComponent(deployment)}${path}?api-version=${encodeURIComponent(version)}`,
  };
}

function deploymentOf(model: string, options: AdapterOptions | undefined): string {
  return options?.azure?.deployments[model] ?? model;
}

/**
 * The asynchronous content filter puts choices without a `delta` into a stream, which clients read
 * without looking; an empty one says as much. Everything else passes.
 */
function filterChunks({ stream }: AdapterCall): ResponseTransform | undefined {
  return stream ? { event: withDeltas } : undefined;
}

function withDeltas(event: ServerEvent): readonly ServerEvent[] {
  if (!event.data.includes('"content_filter_')) return [event];
  const chunk = asObject(parseJson(event.data));
  const choices = asObjects(chunk?.['choices']);
  if (!choices || choices.every((choice) => 'delta' in choice)) return [event];
  const filled = choices.map((choice) => ('delta' in choice ? choice : { ...choice, delta: {} }));
  return [{ ...event, data: JSON.stringify({ ...chunk, choices: filled }) }];
}

/** Deployments can't be listed with a key; those in the config are its models, else all that Azure has. */
async function probe(backend: Backend): Promise<ProbeResult> {
  const path = `${ROOT}/v1/models`;
  const list = await backend.get(path);
  const deployments = Object.keys(backend.options?.azure?.deployments ?? {});
  const known = deployments.length > 0;
  // Too many requests is an answer of a service that works; an older resource has no such list.
  if (list.status === 429 || (list.status === 404 && known)) {
    return { state: 'healthy', ...(known ? { models: deployments.map((id) => named(id)) } : {}) };
  }
  const failure = failureOf(list, path);
  if (failure) return failure;
  const entries = entriesOf(list);
  if (!entries) return noList(path);
  const byId = new Map(entries.map((entry) => [entry['id'] as string, entry]));
  const models = known
    ? deployments.map((id) => named(id, byId.get(id)))
    : entries.map((entry) => named(entry['id'] as string, entry));
  return { state: 'healthy', models };
}

function named(id: string, entry: JsonObject = {}): CatalogueModel {
  const services = servicesOf({ ...entry, id });
  return { ...modelOf({ ...entry, id }), ...(services ? { services } : {}) };
}
