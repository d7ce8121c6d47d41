import { record, type Fields } from './fields.ts';
import type { Speed } from './pace.ts';

/** What the mock is to say, conversation by conversation, turn by turn. */
export interface Script {
  readonly conversations: readonly Conversation[];
}

export interface Conversation {
  /** Which calls are part of it; an absent one leaves it open. */
  readonly when: Condition;
  readonly turns: readonly ScriptTurn[];
}

export interface Condition {
  /** The model's name, in which `*` stands for any run of characters. */
  readonly model?: string;
  /** What the first message of the user, or of the system, has in it. */
  readonly user?: string;
  readonly system?: string;
  /** Whether the client offers tools, or the name of one that it offers. */
  readonly tools?: boolean | string;
}

export type ScriptTurn = SpokenTurn | FailingTurn;

/** A message of the model. */
export interface SpokenTurn {
  readonly kind: 'spoken';
  readonly reasoning: string;
  readonly text: string;
  readonly tools: readonly ScriptCall[];
  readonly usage: ScriptUsage;
  readonly finish: string | undefined;
  readonly speed: Partial<Speed>;
  /** Tokens after which the connection breaks; absent: it does not. */
  readonly breakAfter?: number;
}

/** A call that gets no message: it is played a number of times, and then the next turn. */
export interface FailingTurn {
  readonly kind: 'failing';
  /** Absent: it is never answered. */
  readonly error?: {
    readonly status: number;
    readonly message: string;
    readonly code: string | null;
    /** Seconds, as `Retry-After` says it. */
    readonly retryAfter?: number;
  };
  readonly times: number;
}

export interface ScriptCall {
  /** The first of these that the client offers. */
  readonly names: readonly string[];
  /** As the model writes them: JSON, or whatever it is to get wrong. */
  readonly text: string;
  readonly id: string | undefined;
}

/** Tokens; an absent one is counted. */
export interface ScriptUsage {
  readonly prompt?: number;
  readonly completion?: number;
  readonly cached?: number;
  readonly reasoning?: number;
}

/** A mistake in a script, and where it is. */
export class ScriptMistake extends Error {
  readonly path: readonly (string | number)[];
  constructor(path: readonly (string | number)[], message: string) {
    super(message);
    this.name = 'ScriptMistake';
    this.path = path;
  }
}

type Path = readonly (string | number)[];

/**
 * Reads a script: a list of turns, `{ turns }` with a `when`, or `{ conversations }` of those.
 *
 * @param data What a YAML or JSON file has in it.
 * @throws ScriptMistake
 */
export function readScript(data: unknown): Script {
  if (Array.isArray(data)) return { conversations: [{ when: {}, turns: readTurns(data, []) }] };
  const block = blockAt(data, []);
  if (!('conversations' in block)) return { conversations: [readConversation(block, [])] };
  knownOnly(block, ['conversations'], []);
  const path = ['conversations'];
  const conversations = listAt(block['conversations'], path).map((each, index) =>
    readConversation(blockAt(each, [...path, index]), [...path, index]),
  );
  return { conversations };
}

function readConversation(block: Fields, path: Path): Conversation {
  knownOnly(block, ['when', 'turns'], path);
  const when = 'when' in block ? blockAt(block['when'], [...path, 'when']) : {};
  knownOnly(when, ['model', 'user', 'system', 'tools'], [...path, 'when']);
  const { tools } = when;
  const inWhen = [...path, 'when'];
  return {
    when: {
      ...optional('model', textAt(when, 'model', inWhen)),
      ...optional('user', textAt(when, 'user', inWhen)),
      ...optional('system', textAt(when, 'system', inWhen)),
      ...(typeof tools === 'boolean'
        ? { tools }
        : optional('tools', textAt(when, 'tools', inWhen))),
    },
    turns: readTurns(block['turns'], [...path, 'turns']),
  };
}

function readTurns(value: unknown, path: Path): ScriptTurn[] {
  return listAt(value, path).map((each, index) => {
    const at = [...path, index];
    if (typeof each === 'string') return spoken({ text: each }, at);
    const block = blockAt(each, at);
    if (!('error' in block) && !('hang' in block)) return spoken(block, at);
    knownOnly(block, ['error', 'hang', 'times'], at);
    const times = numberAt(block, 'times', at, { least: 1, whole: true }) ?? 1;
    if ('error' in block) return { kind: 'failing', error: errorAt(block['error'], at), times };
    if (block['hang'] === true) return { kind: 'failing', times };
    throw new ScriptMistake([...at, 'hang'], 'must be true');
  });
}

const SPOKEN = [
  'text',
  'reasoning',
  'tools',
  'usage',
  'finish',
  'ttft',
  'tps',
  'breakAfter',
] as const;

function spoken(block: Fields, path: Path): SpokenTurn {
  knownOnly(block, SPOKEN, path);
  const usage = 'usage' in block ? blockAt(block['usage'], [...path, 'usage']) : {};
  const inUsage = [...path, 'usage'];
  knownOnly(usage, ['prompt', 'completion', 'cached', 'reasoning'], inUsage);
  const tokens = (name: keyof ScriptUsage) =>
    optional(name, numberAt(usage, name, inUsage, { least: 0, whole: true }));
  const tools = 'tools' in block ? listAt(block['tools'], [...path, 'tools']) : [];
  return {
    kind: 'spoken',
    reasoning: textAt(block, 'reasoning', path) ?? '',
    text: textAt(block, 'text', path) ?? '',
    tools: tools.map((tool, index) => callAt(tool, [...path, 'tools', index])),
    usage: {
      ...tokens('prompt'),
      ...tokens('completion'),
      ...tokens('cached'),
      ...tokens('reasoning'),
    },
    finish: textAt(block, 'finish', path),
    speed: {
      ...optional('ttft', durationAt(block, 'ttft', path)),
      ...optional('tps', numberAt(block, 'tps', path, { least: 0.001 })),
    },
    ...optional('breakAfter', numberAt(block, 'breakAfter', path, { least: 0, whole: true })),
  };
}

function callAt(value: unknown, path: Path): ScriptCall {
  const block = blockAt(value, path);
  knownOnly(block, ['name', 'arguments', 'id'], path);
  const names = [block['name']].flat();
  if (names.length === 0 || !names.every((name) => typeof name === 'string' && name !== ''))
    throw new ScriptMistake([...path, 'name'], 'must be the name of a tool, or a list of such');
  const given = block['arguments'] ?? {};
  return {
    names: names as string[],
    text: typeof given === 'string' ? given : JSON.stringify(given),
    id: textAt(block, 'id', path),
  };
}

function errorAt(value: unknown, path: Path): NonNullable<FailingTurn['error']> {
  const at = [...path, 'error'];
  const block = typeof value === 'number' ? { status: value } : blockAt(value, at);
  knownOnly(block, ['status', 'message', 'code', 'retryAfter'], at);
  const status = numberAt(block, 'status', at, { least: 400, most: 599, whole: true }) ?? 500;
  return {
    status,
    message: textAt(block, 'message', at) ?? `The script wants this call to fail with ${status}.`,
    code: textAt(block, 'code', at) ?? null,
    ...optional('retryAfter', numberAt(block, 'retryAfter', at, { least: 0 })),
  };
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

function blockAt(value: unknown, path: Path): Fields {
  const isBlock = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isBlock) return record(value);
  throw new ScriptMistake(path, 'must be a block of keys');
}

function listAt(value: unknown, path: Path): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value as unknown[];
  throw new ScriptMistake(path, 'must be a list with something in it');
}

function textAt(block: Fields, key: string, path: Path): string | undefined {
  const value = block[key];
  if (value === undefined || typeof value === 'string') return value;
  throw new ScriptMistake([...path, key], 'must be text');
}

function numberAt(
  block: Fields,
  key: string,
  path: Path,
  { least, most = Infinity, whole = false }: { least: number; most?: number; whole?: boolean },
): number | undefined {
  const value = block[key];
  if (value === undefined) return undefined;
  const fits = typeof value === 'number' && value >= least && value <= most;
  if (fits && (!whole || Number.isInteger(value))) return value;
  const range = most === Infinity ? `of ${least} or more` : `from ${least} to ${most}`;
  throw new ScriptMistake([...path, key], `must be a ${whole ? 'whole ' : ''}number ${range}`);
}

/** @returns Milliseconds of `300ms`, `2s`, or of a bare number of them. */
function durationAt(block: Fields, key: string, path: Path): number | undefined {
  const value = block[key];
  if (value === undefined) return undefined;
  const text = typeof value === 'number' ? `${value}` : value;
  const match = typeof text === 'string' ? /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text) : null;
  if (match) return Number(match[1]) * (match[2] === 's' ? 1000 : 1);
  throw new ScriptMistake([...path, key], 'must be a duration like 300ms or 2s');
}

function knownOnly(block: Fields, known: readonly string[], path: Path): void {
  const stranger = Object.keys(block).find((key) => !known.includes(key));
  if (stranger === undefined) return;
  throw new ScriptMistake([...path, stranger], `is unknown; known: ${known.join(', ')}`);
}
