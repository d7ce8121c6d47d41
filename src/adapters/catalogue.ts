import type { Backend, CatalogueModel, ProbeResult, Reply } from './adapter.ts';
import { isLoading, readError, streamError } from './errors.ts';
import { asNumber, asObject, asObjects, asText, type JsonObject } from './json.ts';

/**
 * What a probe makes of an answer that is not the one it hoped for.
 * @param path What was asked, for the message.
 * @returns `undefined` when the answer is a success.
 */
export function failureOf(reply: Reply, path: string): ProbeResult | undefined {
  const { status, text } = reply;
  // LM Studio answers 200 to everything, and says in the body that it knows no such route.
  const error =
    status >= 400 ? readError(status, reply.headers['content-type'], text) : streamError(text);
  if (status < 300 && !error) return undefined;
  const said = error ? `: ${error.message}` : '';
  // Gemini answers 400 to a wrong key.
  if (status === 401 || status === 403 || (status === 400 && error?.code === 'invalid_api_key')) {
    return {
      state: 'misconfigured',
      detail: `it refuses our credentials (GET ${path} answers ${status}${said}): set the instance's apiKey`,
    };
  }
  if (status === 503 && isLoading(text)) return { state: 'loading', detail: error!.message };
  if (status >= 300 && status < 400) {
    const target = reply.headers['location'] ?? 'elsewhere';
    return { state: 'unhealthy', detail: `GET ${path} redirects to ${target}: is baseUrl right?` };
  }
  const hint = status === 404 || status < 300 ? ' (is baseUrl right?)' : '';
  return { state: 'unhealthy', detail: `GET ${path} answers ${status}${said}${hint}` };
}

/**
 * The same for a route beside the list: another version, or a proxy, may not have it, but what does
 * answer there must not be an error, as from LM Studio, which answers 200 to every path.
 */
export function failureIfThere(reply: Reply, path: string): ProbeResult | undefined {
  return reply.status === 404 ? undefined : failureOf(reply, path);
}

/** @returns The entries of an OpenAI-style list; `undefined` when it is none. */
export function entriesOf(reply: Reply): readonly JsonObject[] | undefined {
  const list = Array.isArray(reply.json) ? bare(reply.json) : asObject(reply.json);
  if (!list || !('data' in list)) return undefined;
  // Ollama writes null for an empty list.
  const entries = list['data'] === null ? [] : asObjects(list['data']);
  return entries?.filter((entry) => asText(entry['id']) !== undefined);
}

/** Together lists its models without the object around them; only models make such a list. */
function bare(items: readonly unknown[]): JsonObject | undefined {
  const models = items.length > 0 && items.every((item) => asObject(item)?.['object'] === 'model');
  return models ? { data: items } : undefined;
}

/** What every OpenAI-style entry may tell of its model, by the names that servers have for it. */
export function modelOf(entry: JsonObject): CatalogueModel {
  const meta = asObject(entry['meta']);
  const contextLength =
    asNumber(entry['max_model_len']) ??
    asNumber(entry['context_length']) ??
    asNumber(entry['context_window']) ??
    asNumber(meta?.['n_ctx']);
  const created = asNumber(entry['created']);
  const ownedBy = asText(entry['owned_by']);
  return {
    id: entry['id'] as string,
    ...(contextLength ? { contextLength } : {}),
    ...(created ? { created } : {}),
    ...(ownedBy === undefined ? {} : { ownedBy }),
  };
}

/** The end of a probe that got an answer, but no list in it. */
export function noList(path: string): ProbeResult {
  return { state: 'unhealthy', detail: `GET ${path} gives no list of models: is baseUrl right?` };
}

/** An answer that is welcome but not needed: a server without that route may even hang up on us. */
export async function ifAnswered(reply: Promise<Reply>): Promise<Reply | undefined> {
  try {
    const answer = await reply;
    return answer.status < 300 && !streamError(answer.text) ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** The version, where the server tells it at `path`. */
export async function versionAt(backend: Backend, path: string): Promise<{ version?: string }> {
  const reply = await ifAnswered(backend.get(path));
  return reply ? versionIn(reply) : {};
}

/** The same, of an answer that is there already. */
export function versionIn(reply: Reply): { version?: string } {
  const version = asText(asObject(reply.json)?.['version']);
  return version === undefined ? {} : { version };
}
