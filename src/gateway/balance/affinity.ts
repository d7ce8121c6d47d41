import { HASH_START, hashText, mix } from './hash.ts';

/** What affinity is read from, of one call. */
export interface AffinityCall {
  /** The client's address. */
  readonly ip: string;
  /** The key that the client showed. */
  readonly apiKey?: string | undefined;
  /** With lower-case names, as Node has them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The body's top-level fields. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Characters of a completion's prompt that count. */
const PROMPT_START = 1024;
/** Longer strings count with their length and this many characters of either end. */
const STRING_END = 4096;
/** Deeper values don't count: a message is shallow, and a hostile one must not use up the stack. */
const MAX_DEPTH = 8;

/**
 * What calls must share to go to the same instance.
 * @param key `prefix`, `user`, `api-key` or `header:NAME`, as `loadBalance.key` has it.
 * @returns What `key` names in this call; the client's address when the call has none.
 */
export function affinityOf(key: string, call: AffinityCall): string {
  return chosen(key, call) || call.ip;
}

function chosen(key: string, call: AffinityCall): string | undefined {
  if (key === 'prefix') return prefix(call.fields);
  if (key === 'user') return typeof call.fields.user === 'string' ? call.fields.user : undefined;
  if (key === 'api-key') return call.apiKey;
  if (key.startsWith('header:')) {
    const value = call.headers[key.slice('header:'.length).toLowerCase()];
    return typeof value === 'string' ? value : value?.join(', ');
  }
  return undefined;
}

/**
 * A digest of what stays the same over a conversation's turns: the model and the messages up to
 * the first of the user, or the start of a prompt.
 */
function prefix(fields: Readonly<Record<string, unknown>>): string | undefined {
  const start = messagesStart(fields.messages) ?? promptStart(fields.prompt);
  if (start === undefined) return undefined;
  return mix(digest(digest(HASH_START, fields.model, 0), start, 0)).toString(36);
}

function messagesStart(messages: unknown): unknown[] | undefined {
  if (!Array.isArray(messages) || messages.length === 0) return undefined;
  const user = messages.findIndex(
    (message: { role?: unknown } | null) => message !== null && message?.role === 'user',
  );
  return user < 0 ? messages : messages.slice(0, user + 1);
}

/** A prompt is a string, tokens, or a batch of either, of which the first counts. */
function promptStart(prompt: unknown): string | unknown[] | undefined {
  if (typeof prompt === 'string') return prompt.slice(0, PROMPT_START) || undefined;
  if (!Array.isArray(prompt) || prompt.length === 0) return undefined;
  const first: unknown = prompt[0];
  if (typeof first === 'string') return first.slice(0, PROMPT_START) || undefined;
  return (Array.isArray(first) ? first : prompt).slice(0, PROMPT_START);
}

/** Takes a JSON value into the running hash, in place: a copy of a long prompt is not made. */
function digest(hash: number, value: unknown, depth: number): number {
  if (typeof value === 'string') return digestString(hash, value);
  if (typeof value !== 'object' || value === null) return hashText(hash, `${String(value)};`);
  if (depth === MAX_DEPTH) return hash;
  if (Array.isArray(value)) {
    hash = hashText(hash, '[');
    for (const item of value) hash = digest(hash, item, depth + 1);
    return hash;
  }
  hash = hashText(hash, '{');
  for (const [name, item] of Object.entries(value))
    hash = digest(hashText(hash, name), item, depth + 1);
  return hash;
}

function digestString(hash: number, text: string): number {
  hash = hashText(hash, `${text.length}"`);
  if (text.length <= 2 * STRING_END) return hashText(hash, text);
  return hashText(hashText(hash, text.slice(0, STRING_END)), text.slice(-STRING_END));
}
