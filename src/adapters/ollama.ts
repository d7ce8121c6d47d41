import { estimateTokens } from '../gateway/protect/token-estimate.ts';
import type { Service } from '../service.ts';
import {
  defineAdapter,
  type AdapterCall,
  type Backend,
  type CatalogueModel,
  type ProbeResult,
  type Reply,
  type RequestPatch,
  type ResponseTransform,
} from './adapter.ts';
import { bearer } from './auth.ts';
import { failureOf, ifAnswered, noList, versionAt } from './catalogue.ts';
import { embeddings } from './embeddings.ts';
import { messages, responses } from './other-dialects.ts';
import { asNumber, asObject, asObjects, asText, type JsonObject } from './json.ts';
import { translatedTranscription } from './transcription.ts';

/** The tag of a model that is called without one. */
const LATEST = ':latest';

export const ollama = defineAdapter({
  name: 'ollama',
  ports: [11434],
  // Ollama itself has no keys; a proxy in front of it may.
  auth: bearer,
  // It never closes an idle connection.
  keepAlive: 60_000,
  operations: {
    chat: {
      path: '/v1/chat/completions',
      request: limitTokens,
      response: heardWhole,
      extras: ['reasoning'],
    },
    completions: { path: '/v1/completions', request: limitTokens },
    messages,
    responses,
    embeddings,
    ollamaChat: { path: '/api/chat', request: chooseContext },
    ollamaGenerate: { path: '/api/generate', request: chooseContext },
    ollamaEmbed: { path: '/api/embed' },
    ollamaEmbeddings: { path: '/api/embeddings' },
    transcriptions: translatedTranscription('/v1/audio/transcriptions', ['json', 'text']),
  },
  probe,
  recognise,
  loading,
  context,
  options: ['ollama'],
  // Only its own API can be told the context, and each change of it loads the model anew.
  unused: ({ ollama: own }) => (own ? ['chat', 'messages', 'responses'] : []),
  warm,
});

/** A request without a prompt only loads. */
function warm(backend: Backend, model: string): Promise<Reply> {
  const { numCtx } = backend.options?.ollama ?? {};
  const options = typeof numCtx === 'number' ? { options: { num_ctx: numCtx } } : {};
  return backend.post('/api/generate', { model, keep_alive: '30m', ...options });
}

/** What an answer may need where nothing bounds it, in tokens. */
const ANSWER = 2048;
/** Tokens of an image, about; models differ widely. */
const IMAGE = 1000;
const LEAST_CONTEXT = 4096;
const MOST_CONTEXT = 262_144;
/** A prompt may well have this many times the tokens that are guessed. */
const MARGIN = 1.3;
/** Models. */
const MOST_REMEMBERED = 1000;

/** Tells it the context to load the model with; the client's own word goes before the config's. */
function chooseContext(call: AdapterCall): RequestPatch | undefined {
  const { numCtx } = call.options?.ollama ?? {};
  const options = asObject(call.fields['options']) ?? {};
  if (numCtx === undefined || options['num_ctx'] !== undefined) return undefined;
  const context = numCtx === 'auto' ? neededContext(call, options) : numCtx;
  return { set: { options: { ...options, num_ctx: context } } };
}

/**
 * The smallest power of two that holds the prompt and its answer, but never less than before: going
 * back and forth would load the model again and again. More than a model can is cut to that by Ollama.
 */
function neededContext({ model, fields, facts, memory }: AdapterCall, options: JsonObject): number {
  const turns = [fields, ...(asObjects(fields['messages']) ?? [])];
  const images = turns.flatMap((turn) => (Array.isArray(turn['images']) ? turn['images'] : []));
  const messages = turns.slice(1).map((turn) => ({ ...turn, images: undefined }));
  const { tools, prompt, system } = fields;
  const text = estimateTokens({ messages, tools, prompt, system });
  const answer = asNumber(options['num_predict']) ?? ANSWER;
  const needed = text * MARGIN + images.length * IMAGE + Math.max(answer, 0);
  const before = Math.max(memory?.get(model) ?? 0, facts?.contexts?.get(model) ?? 0);
  let context = LEAST_CONTEXT;
  while (context < needed && context < MOST_CONTEXT) context *= 2;
  const chosen = Math.max(before, context);
  // Clients may call by any name where the config has a pattern for all.
  if (memory && memory.size < MOST_REMEMBERED) memory.set(model, chosen);
  return chosen;
}

/** Ollama answers nothing until the model is loaded, and lists it as running only then. */
async function loading(backend: Backend, model: string): Promise<boolean> {
  const { status, json } = await backend.get('/api/ps');
  if (status !== 200) return false;
  const names = [...loadedContexts(json).keys()];
  return !names.some((name) => name === model || name === model + LATEST);
}

/** It drops the oldest messages of a prompt that does not fit, and only its own log tells. */
async function context(backend: Backend, model: string): Promise<number | undefined> {
  const { status, json } = await backend.get('/api/ps');
  return status === 200 ? contextsOf(json).get(model) : undefined;
}

/** By all names that a model is called by. */
function contextsOf(json: unknown): ReadonlyMap<string, number> {
  const contexts = new Map<string, number>();
  for (const [name, length] of loadedContexts(json)) {
    if (length === undefined) continue;
    contexts.set(name, length);
    if (name.endsWith(LATEST)) contexts.set(name.slice(0, -LATEST.length), length);
  }
  return contexts;
}

/**
 * It writes an answer that is not streamed all at once, and what its tokens show (a prompt that was
 * cut) can be told in its head only when it is read before it is sent on.
 */
function heardWhole({ stream }: AdapterCall): ResponseTransform | undefined {
  return stream ? undefined : { body: () => undefined };
}

/** Ollama decodes `max_tokens` only, and silently ignores the newer name. */
function limitTokens({ fields }: AdapterCall): RequestPatch | undefined {
  const limit = asNumber(fields['max_completion_tokens']);
  if (limit === undefined || asNumber(fields['max_tokens']) !== undefined) return undefined;
  return { set: { max_tokens: limit }, remove: ['max_completion_tokens'] };
}

async function probe(backend: Backend): Promise<ProbeResult> {
  const path = '/api/tags';
  const [tags, running, version] = await Promise.all([
    backend.get(path),
    ifAnswered(backend.get('/api/ps')),
    versionAt(backend, '/api/version'),
  ]);
  if (tags.status === 403 && tags.text.trim() === '') {
    return {
      state: 'misconfigured',
      detail:
        'it refuses our Host header (403): set OLLAMA_HOST=0.0.0.0 where Ollama runs (and OLLAMA_ORIGINS if a browser origin is refused), or use an address it accepts (localhost, a private IP, a .local name)',
    };
  }
  const failure = failureOf(tags, path);
  if (failure) return failure;
  const listed = asObject(tags.json)?.['models'];
  // Nothing installed may be null.
  const entries = (listed === null ? [] : asObjects(listed))?.filter(
    (entry) => nameOf(entry) !== undefined,
  );
  if (!entries) return noList(path);
  const loaded = running && loadedContexts(running.json);
  const shown = await showUnknown(backend, entries);
  const models = entries.map((entry) =>
    toModel(entry, shown.get(identityOf(entry)) ?? entry, loaded),
  );
  return {
    state: 'healthy',
    ...version,
    models,
    ...(running ? { facts: { contexts: contextsOf(running.json) } } : {}),
  };
}

function nameOf(entry: JsonObject): string | undefined {
  return asText(entry['model']) ?? asText(entry['name']);
}

/** What stays the same for as long as the model does. */
function identityOf(entry: JsonObject): string {
  return asText(entry['digest']) ?? nameOf(entry)!;
}

/** The models in memory, with the context each was loaded with. */
function loadedContexts(json: unknown): ReadonlyMap<string, number | undefined> {
  const entries = asObjects(asObject(json)?.['models']) ?? [];
  return new Map(
    entries.map((entry) => [nameOf(entry) ?? '', asNumber(entry['context_length'])] as const),
  );
}

/** What `/api/show` said of a model, kept for as long as its instance lives: a digest never changes. */
const SHOWN = new WeakMap<Backend, ReadonlyMap<string, JsonObject>>();
/** Questions at a time; Ollama answers each from disk. */
const AT_ONCE = 4;

/** Asks for the models whose capabilities the list does not tell, as older versions do. */
async function showUnknown(
  backend: Backend,
  entries: readonly JsonObject[],
): Promise<ReadonlyMap<string, JsonObject>> {
  const before = SHOWN.get(backend);
  const shown = new Map<string, JsonObject>();
  const asked: JsonObject[] = [];
  for (const entry of entries) {
    if (capabilitiesOf(entry)) continue;
    const known = before?.get(identityOf(entry));
    if (known) shown.set(identityOf(entry), known);
    else asked.push(entry);
  }
  SHOWN.set(backend, shown);
  const next = asked.values();
  const ask = async () => {
    for (const entry of next) {
      const details = await show(backend, nameOf(entry)!);
      if (details) shown.set(identityOf(entry), details);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return shown;
}

/** @returns `undefined` when it is to be asked again: a refusal is an answer, silence is none. */
async function show(backend: Backend, model: string): Promise<JsonObject | undefined> {
  try {
    const reply = await backend.post('/api/show', { model });
    return reply.status < 500 ? (asObject(reply.json) ?? {}) : undefined;
  } catch {
    return undefined;
  }
}

/** Ollama leaves the list out rather than empty; an empty one would tell nothing, either. */
function capabilitiesOf(details: JsonObject): readonly unknown[] | undefined {
  const list: unknown = details['capabilities'];
  return Array.isArray(list) && list.length > 0 ? list : undefined;
}

function toModel(
  entry: JsonObject,
  details: JsonObject,
  loaded: ReadonlyMap<string, number | undefined> | undefined,
): CatalogueModel {
  const id = nameOf(entry)!;
  const capabilities = capabilitiesOf(details);
  const contextLength = loaded?.get(id) ?? largestContext(details);
  const created = Date.parse(asText(entry['modified_at']) ?? '') / 1000;
  return {
    id,
    ...(id.endsWith(LATEST) ? { aliases: [id.slice(0, -LATEST.length)] } : {}),
    ...(capabilities ? { services: servicesOf(capabilities) } : {}),
    ...(loaded ? { loaded: loaded.has(id) } : {}),
    ...(contextLength ? { contextLength } : {}),
    ...(Number.isFinite(created) ? { created: Math.floor(created) } : {}),
    ownedBy: id.includes('/') ? id.slice(0, id.indexOf('/')) : 'library',
  };
}

function servicesOf(capabilities: readonly unknown[]): readonly Service[] {
  const services: Service[] = [];
  if (capabilities.includes('completion')) services.push('chat');
  if (capabilities.includes('embedding')) services.push('embeddings');
  if (capabilities.includes('audio')) services.push('transcription');
  return services;
}

/** `llama.context_length` and the like, under the name of the model's architecture. */
function largestContext(details: JsonObject): number | undefined {
  const info = asObject(details['model_info']) ?? {};
  return asNumber(info[`${asText(info['general.architecture'])}.context_length`]);
}

async function recognise(backend: Backend): Promise<boolean> {
  const [root, version, localai] = await Promise.all([
    backend.get('/'),
    backend.get('/api/version'),
    backend.get('/readyz'),
  ]);
  // SGLang and LocalAI emulate `/api/version`, LocalAI the root too when told to.
  return (
    root.text.trim() === 'Ollama is running' &&
    asText(asObject(version.json)?.['version']) !== undefined &&
    localai.status === 404
  );
}
