import { asObject, asText, type JsonObject } from './json.ts';
import { mendArguments, readLoose } from './loose-json.ts';

/** A tool call that a model wrote into its text. */
export interface WrittenCall {
  readonly name: string;
  /** JSON of an object. */
  readonly arguments: string;
}

export interface Written {
  /** What it said beside the calls. */
  readonly text: string;
  readonly calls: readonly WrittenCall[];
}

/** Whether a message in JSON may be a call, and which tools there are. */
export interface WritingRules {
  readonly tools: ReadonlySet<string>;
  /** The client asked for JSON, so that an object by itself is the answer. */
  readonly wantsJson: boolean;
}

/** Whether a marker stands there that nothing but a call has. */
export function isMarked(text: string): boolean {
  return MARKERS.some((marker) => text.startsWith(marker));
}

/** What calls begin with, in the templates of Hermes and Qwen, Mistral, and Llama. */
const MARKERS = ['<tool_call>', '[TOOL_CALLS]', '<|python_tag|>', '<function='] as const;
const FENCE = '```';
/** What the first key of a call written as an object may be. */
const FIRST_KEYS = [
  'name',
  'function',
  'function_name',
  'type',
  'id',
  'tool',
  'tool_name',
  'arguments',
  'parameters',
];

/**
 * Where in a text that may go on a call may begin.
 * @param atStart Nothing of the message has come before it: only then an object by itself may be one.
 * @returns `undefined` when nothing in it can be a call, however it goes on.
 */
export function suspectAt(text: string, rules: WritingRules, atStart: boolean): number | undefined {
  const found = MARKERS.map((marker) => text.indexOf(marker)).filter((at) => at >= 0);
  const start = text.length - text.trimStart().length;
  const bare = text[start] === '{' || text[start] === '[';
  if (atStart && bare && !rules.wantsJson && mayBeObject(text.slice(start))) found.push(start);
  for (let at = text.indexOf(FENCE); at >= 0; at = text.indexOf(FENCE, at + FENCE.length)) {
    if (!mayBeFenced(text.slice(at))) continue;
    found.push(at);
    break;
  }
  if (found.length > 0) return Math.min(...found);
  return begunAt(text);
}

/** Where the beginning of a marker stands at the end of the text. */
function begunAt(text: string): number | undefined {
  const longest = Math.max(...MARKERS.map(({ length }) => length)) - 1;
  for (let length = Math.min(longest, text.length); length > 0; length -= 1) {
    const tail = text.slice(-length);
    if ([...MARKERS, FENCE].some((marker) => marker.startsWith(tail))) return text.length - length;
  }
  return undefined;
}

/** By its beginning: `{"name…`, or a list of such. */
function mayBeObject(text: string): boolean {
  const inner = /^\[?\s*(?:\{\s*(?:["']?(\w*)(["']?))?)?/.exec(text)!;
  const [head, key = '', quote = ''] = inner;
  if (head.length < text.length && quote === '') return false;
  if (quote !== '') return FIRST_KEYS.includes(key);
  return FIRST_KEYS.some((known) => known.startsWith(key));
}

/** A block of code that holds such an object, and with which the text ends. */
function mayBeFenced(text: string): boolean {
  const [head, word = '', body = ''] = /^```(\w*)(?:\s+([^]*))?$/.exec(text) ?? [];
  if (head === undefined) return false;
  const named = ['', 'json', 'tool_call', 'tool_calls', 'tool_code', 'xml'];
  if (body === '' && !/\s$/.test(text)) return named.some((known) => known.startsWith(word));
  if (!named.includes(word)) return false;
  const close = body.indexOf(FENCE);
  if (close >= 0 && body.slice(close + FENCE.length).trim() !== '') return false;
  return body === '' || body.startsWith('<tool_call>') || mayBeObject(body);
}

/**
 * Reads the calls of a message, or of the rest of one.
 * @returns `undefined` when there are none, or some that can't be read.
 */
export function readWritten(
  text: string,
  rules: WritingRules,
  atStart: boolean,
): Written | undefined {
  const start = suspectAt(text, rules, atStart);
  if (start === undefined) return undefined;
  const before = text.slice(0, start).trimEnd();
  const rest = text.slice(start);
  const read = readMarked(rest) ?? readFenced(rest) ?? readObjects(rest);
  if (!read || read.calls.length === 0) return undefined;
  if (!read.calls.every(({ name }) => rules.tools.has(name))) return undefined;
  const after = read.text.trim();
  return { calls: read.calls, text: [before, after].filter(Boolean).join('\n') };
}

function readMarked(text: string): Written | undefined {
  if (text.startsWith('<tool_call>')) return readTags(text, TOOL_CALL);
  if (text.startsWith('<function=')) return readTags(text, FUNCTION);
  if (text.startsWith('[TOOL_CALLS]')) return readMistral(text);
  return text.startsWith('<|python_tag|>')
    ? readObjects(text.slice('<|python_tag|>'.length))
    : undefined;
}

const TOOL_CALL = /<tool_call>\s*([^]*?)\s*(?:<\/tool_call>|$|(?=<tool_call>))/g;
const FUNCTION = /(<function=[^]*?(?:<\/function>|$))/g;

function readTags(text: string, pattern: RegExp): Written | undefined {
  const calls: WrittenCall[] = [];
  for (const [, inner = ''] of text.matchAll(pattern)) {
    const call = inner.startsWith('<function=') ? readXml(inner) : readObjects(inner)?.calls[0];
    if (!call) return undefined;
    calls.push(call);
  }
  return { calls, text: text.replaceAll(pattern, '') };
}

/** `<function=name>` with an object, as Llama writes it, or with a tag for each parameter, as Qwen. */
function readXml(text: string): WrittenCall | undefined {
  const [, name, body = ''] =
    /^<function=["']?([\w.-]+)["']?>([^]*?)(?:<\/function>|$)/.exec(text) ?? [];
  if (name === undefined) return undefined;
  if (!body.includes('<parameter=')) {
    const args = mendArguments(body);
    return args === undefined ? undefined : { name, arguments: args };
  }
  const pairs = [...body.matchAll(/<parameter=["']?([\w.-]+)["']?>\n?([^]*?)\n?<\/parameter>/g)];
  const args = Object.fromEntries(
    pairs.map(([, key = '', value = '']) => [key, plainValue(value)]),
  );
  return { name, arguments: JSON.stringify(args) };
}

/** Only the tool's schema would tell a number from a text; what is JSON is taken as that. */
function plainValue(text: string): unknown {
  if (!/^\s*(?:[[{]|-?\d+(?:\.\d+)?\s*$|(?:true|false|null)\s*$)/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    // A text that only begins like JSON.
    return text;
  }
}

/** `[TOOL_CALLS]` with a list of objects, or with a name and its arguments for each call. */
function readMistral(text: string): Written | undefined {
  const parts = text.split('[TOOL_CALLS]').slice(1);
  const calls: WrittenCall[] = [];
  let after = '';
  for (const part of parts) {
    const named = /^\s*([\w.-]+)\s*(?:\[CALL_ID\]\w+)?\s*(?:\[ARGS\])?\s*(?=\{)/.exec(part);
    if (!named) {
      const read = readObjects(part);
      if (!read) return undefined;
      calls.push(...read.calls);
      after += read.text;
      continue;
    }
    const value = readLoose(part, named[0].length);
    if (!value) return undefined;
    calls.push({ name: named[1]!, arguments: value.json });
    after += part.slice(value.end);
  }
  return { calls, text: after };
}

function readFenced(text: string): Written | undefined {
  const [, body] = /^```\w*\s+([^]*?)\s*(?:```\s*)?$/.exec(text) ?? [];
  if (body === undefined) return undefined;
  return readMarked(body) ?? readObjects(body);
}

/** One object, a list of them, or several one after the other. */
function readObjects(text: string): Written | undefined {
  const calls: WrittenCall[] = [];
  let at = 0;
  for (;;) {
    const value = readLoose(text, at);
    if (!value) break;
    // Half a call is none: what is missing may be what matters.
    if (value.cut) return undefined;
    const parsed: unknown = JSON.parse(value.json);
    for (const item of Array.isArray(parsed) ? (parsed as unknown[]) : [parsed]) {
      const call = asCall(asObject(item));
      if (!call) return undefined;
      calls.push(call);
    }
    at = value.end;
    at += /^[\s;,]*/.exec(text.slice(at))![0].length;
  }
  return calls.length > 0 ? { calls, text: text.slice(at) } : undefined;
}

function asCall(object: JsonObject | undefined): WrittenCall | undefined {
  if (!object) return undefined;
  const inner = asObject(object['function']) ?? object;
  const name =
    asText(inner['name']) ??
    asText(inner['function']) ??
    asText(inner['function_name']) ??
    asText(inner['tool_name']) ??
    asText(inner['tool']);
  if (name === undefined) return undefined;
  const given = inner['arguments'] ?? inner['parameters'] ?? inner['args'];
  const args = argumentsOf(given);
  return args === undefined ? undefined : { name, arguments: args };
}

/** @returns JSON of an object; `undefined` when it is none. */
export function argumentsOf(given: unknown): string | undefined {
  if (given === undefined || given === null) return '{}';
  if (typeof given === 'string') return mendArguments(given);
  return asObject(given) ? JSON.stringify(given) : undefined;
}
