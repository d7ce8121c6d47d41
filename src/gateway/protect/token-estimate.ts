/** Characters of English a token stands for, about. */
const LATIN = 4;
/** The same for Chinese, Japanese and Korean. */
const CJK = 1.5;
/** Tokens of an image; OpenAI's is 765 for a square of 1024 pixels. */
const IMAGE = 765;
/** Values looked at in one request. */
const MOST_VALUES = 10_000;
/** Levels looked at. */
const DEEPEST = 40;
/** Characters looked at in one text; the rest is taken to be like them. */
const SAMPLE = 64;

/** Fields that a model reads, in the requests of all services. */
const READ = [
  'messages',
  'prompt',
  'input',
  'instructions',
  'system',
  'tools',
  'query',
  'documents',
];
/** Fields that bound what it writes; the first that is set counts. */
const WRITTEN = ['max_completion_tokens', 'max_tokens', 'max_output_tokens'];
/** Fields of a content part with bytes or addresses in them, none of which is read as text. */
const MEDIA = new Set(['image_url', 'input_audio', 'file', 'source', 'image', 'file_data']);

/**
 * A guess at the tokens that a request will use, for a limit to charge until the backend has
 * counted them: its text at 4 characters a token (1.5 in Chinese, Japanese and Korean), 765 for
 * each image or file, and all that it may write (`max_tokens` times `n`); nothing for what it
 * writes when it sets no bound. Its work is bounded, however long the request.
 *
 * @param fields The top-level fields of the request.
 * @returns A whole number, 1 or more.
 */
export function estimateTokens(fields: Readonly<Record<string, unknown>>): number {
  const walk = { tokens: 0, left: MOST_VALUES };
  for (const name of READ) count(fields[name], walk, DEEPEST);
  return Math.max(1, Math.ceil(walk.tokens + written(fields)));
}

interface Walk {
  tokens: number;
  /** Values it may still look at. */
  left: number;
}

/** @param depth Levels it may still go down: a body of nothing but brackets must not end the stack. */
function count(value: unknown, walk: Walk, depth: number): void {
  if (depth <= 0 || walk.left-- <= 0) return;
  if (typeof value === 'string') walk.tokens += textTokens(value);
  else if (Array.isArray(value)) countItems(value, walk, depth - 1);
  else if (typeof value === 'object' && value !== null) countFields(value, walk, depth - 1);
}

function countItems(items: readonly unknown[], walk: Walk, depth: number): void {
  // Prompts and inputs may come as token ids.
  if (typeof items[0] === 'number') {
    walk.tokens += items.length;
    return;
  }
  for (const item of items) {
    if (walk.left <= 0) return;
    count(item, walk, depth);
  }
}

function countFields(object: object, walk: Walk, depth: number): void {
  // A tool's parameter may be called `file` too; but only a part has a type that is a word.
  const part = 'type' in object && typeof object.type === 'string';
  for (const name in object) {
    if (walk.left <= 0) return;
    if (part && MEDIA.has(name)) walk.tokens += IMAGE;
    else count((object as Record<string, unknown>)[name], walk, depth);
  }
}

function textTokens(text: string): number {
  if (text.startsWith('data:')) return IMAGE;
  const { length } = text;
  const looks = Math.min(length, SAMPLE);
  if (looks === 0) return 0;
  let cjk = 0;
  for (let look = 0; look < looks; look++) {
    // From U+2E80 on: CJK, kana, Hangul, and the halves of emoji, which are as dear.
    if (text.charCodeAt(Math.floor((look * length) / looks)) >= 0x2e80) cjk++;
  }
  const share = cjk / looks;
  return length * (share / CJK + (1 - share) / LATIN);
}

function written(fields: Readonly<Record<string, unknown>>): number {
  const bound = WRITTEN.map((name) => positive(fields[name])).find((value) => value !== undefined);
  return bound === undefined ? 0 : bound * (positive(fields['n']) ?? 1);
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 && Number.isFinite(value) ? value : undefined;
}
