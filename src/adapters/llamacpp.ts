import type { Operation } from '../service.ts';
import {
  defineAdapter,
  type Backend,
  type CatalogueModel,
  type OperationSpec,
  type ProbeResult,
  type Reply,
} from './adapter.ts';
import { bearer } from './auth.ts';
import { entriesOf, failureIfThere, failureOf, modelOf, noList } from './catalogue.ts';
import { embeddings } from './embeddings.ts';
import { streamError } from './errors.ts';
import { countTokens, messages, responses } from './other-dialects.ts';
import { asObject, asText, type JsonObject } from './json.ts';
import { servicesOf } from './model-kinds.ts';
import { textRerank } from './rerank.ts';
import { numberedResponse } from './response-events.ts';
import { translatedTranscription } from './transcription.ts';

const operations = {
  chat: {
    path: '/v1/chat/completions',
    extras: ['top_k', 'min_p', 'reasoning_effort', 'reasoning_content', 'chat_template_kwargs'],
  },
  completions: { path: '/v1/completions' },
  messages,
  countTokens,
  // Its older versions leave out what counts the events.
  responses: {
    ...responses,
    response: ({ stream }) => (stream ? numberedResponse() : undefined),
  },
  embeddings,
  rerank: textRerank,
  transcriptions: translatedTranscription('/v1/audio/transcriptions', ['json']),
} satisfies Partial<Record<Operation, OperationSpec>>;

/** llama.cpp's server: one model, or in router mode many that it loads as they are asked for. */
export const llamacpp = defineAdapter({
  name: 'llamacpp',
  ports: [8080],
  auth: bearer,
  // It closes at 5 s.
  keepAlive: 3000,
  requestsPerConnection: 100,
  operations,
  probe,
  recognise,
  loading,
  // Router mode's own; a single model is in memory as long as its server runs.
  warm: (backend, model) => backend.post('/models/load', { model }),
  verdict,
});

async function probe(backend: Backend): Promise<ProbeResult> {
  // The list is public; these properties are not, and so show a wrong key.
  const [health, list, props] = await Promise.all([
    backend.get('/health'),
    listOf(backend),
    backend.get('/props'),
  ]);
  const failure =
    failureIfThere(health, '/health') ?? failureOf(list, '/v1/models') ?? refusal(props);
  if (failure) return failure;
  const entries = entriesOf(list);
  if (!entries) return noList('/v1/models');
  const properties = props.status === 200 ? asObject(props.json) : undefined;
  const sleeping = properties?.['is_sleeping'] === true;
  const routes = isRouter(entries) ? undefined : await abilitiesOf(backend, entries, properties);
  const models = entries.map((entry) => toModel(entry, { sleeping, routes }));
  return {
    state: 'healthy',
    ...versionOf(properties),
    models,
    ...(routes ? { operations: routes } : {}),
  };
}

/** A router may list its models only without the `/v1`. */
async function listOf(backend: Backend): Promise<Reply> {
  const list = await backend.get('/v1/models');
  return list.status === 404 ? backend.get('/models') : list;
}

/** Servers that do not tell their properties (older, or in router mode) are none the worse for it. */
function refusal(props: Reply): ProbeResult | undefined {
  const refused = props.status === 401 || props.status === 403;
  return refused || (props.status === 200 && streamError(props.text))
    ? failureOf(props, '/props')
    : undefined;
}

function versionOf(properties: JsonObject | undefined): { version?: string } {
  const version = asText(properties?.['build_info']);
  return version === undefined ? {} : { version };
}

function isRouter(entries: readonly JsonObject[]): boolean {
  return entries.some((entry) => statusOf(entry) !== undefined);
}

function statusOf(entry: JsonObject): string | undefined {
  return asText(asObject(entry['status'])?.['value']);
}

interface Server {
  readonly sleeping: boolean;
  /** Of a single model; absent: not told. */
  readonly routes: readonly Operation[] | undefined;
}

function toModel(entry: JsonObject, { sleeping, routes }: Server): CatalogueModel {
  const status = statusOf(entry);
  const names: unknown[] = Array.isArray(entry['aliases']) ? entry['aliases'] : [];
  const aliases = names.filter(
    (name): name is string => typeof name === 'string' && name !== entry['id'],
  );
  const services = routes ? undefined : servicesOf(entry);
  return {
    ...modelOf(entry),
    ...(services ? { services } : {}),
    ...(aliases.length > 0 ? { aliases } : {}),
    loaded: status === undefined ? !sleeping : status === 'loaded',
  };
}

interface Abilities {
  readonly server: string;
  readonly operations: readonly Operation[];
}
const ABILITIES = new WeakMap<Backend, Abilities>();

/**
 * What its one model can do depends on how it was started, and is told only by the routes: an empty
 * request is refused as such (400) where there is the ability, and as unsupported (501) where not.
 * Asked once per server and model.
 */
async function abilitiesOf(
  backend: Backend,
  entries: readonly JsonObject[],
  properties: JsonObject | undefined,
): Promise<readonly Operation[] | undefined> {
  const server = JSON.stringify([
    properties?.['build_info'],
    entries.map(({ id, created }) => [id, created]),
  ]);
  const known = ABILITIES.get(backend);
  if (known?.server === server) return known.operations;
  const [embeds, ranks] = await Promise.all([
    isThere(backend, operations.embeddings.path),
    isThere(backend, operations.rerank.path),
  ]);
  // Started for these, it may do nothing else.
  const chats = embeds || ranks ? await isThere(backend, operations.chat.path) : true;
  // Busy, or hung up: it is asked again next time.
  if (embeds === undefined || ranks === undefined || chats === undefined) return undefined;
  const hears = chats && asObject(properties?.['modalities'])?.['audio'] !== false;
  const found: readonly Operation[] = [
    ...(chats ? (['chat', 'completions'] as const) : []),
    ...(embeds ? (['embeddings'] as const) : []),
    ...(ranks ? (['rerank'] as const) : []),
    ...(hears ? (['transcriptions'] as const) : []),
  ];
  ABILITIES.set(backend, { server, operations: found });
  return found;
}

/** @returns `undefined` when the answer says neither. */
async function isThere(backend: Backend, path: string): Promise<boolean | undefined> {
  try {
    const { status } = await backend.post(path, {});
    if (status === 404 || status === 501) return false;
    return status < 500 && status !== 429 ? true : undefined;
  } catch {
    return undefined;
  }
}

/** While it loads, its only model or the one that the router was asked for. */
async function loading(backend: Backend, model: string): Promise<boolean> {
  const list = await listOf(backend);
  if (list.status === 503) return failureOf(list, '/v1/models')?.state === 'loading';
  const entry = entriesOf(list)?.find(({ id }) => id === model);
  const status = entry && statusOf(entry);
  return status !== undefined && status !== 'loaded';
}

async function recognise(backend: Backend): Promise<boolean> {
  const list = await backend.get('/v1/models');
  if (list.headers['server'] === 'llama.cpp') return true;
  // While it loads, every route answers so, the list too.
  const error = asObject(asObject(list.json)?.['error']);
  if (list.status === 503 && error?.['type'] === 'unavailable_error') return true;
  return entriesOf(list)?.some((entry) => entry['owned_by'] === 'llamacpp') ?? false;
}

/** An input beyond its batch, and JSON of a shape that it did not expect, are a 500 to some versions. */
function verdict(status: number, message: string): number {
  const clients = /too large to process|\[json\.exception/i.test(message);
  return status === 500 && clients ? 400 : status;
}
