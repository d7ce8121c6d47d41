import { canonical, saidIn, type Asked, type Said } from './asked.ts';

/** How a request differs from a recorded one. */
export interface Comparison {
  /** Of what is said, from 0 to 1. */
  readonly likeness: number;
  readonly sameModel: boolean;
  /** Settings that are not the same. */
  readonly settings: readonly string[];
  /** A clause each. */
  readonly differences: readonly string[];
}

/** What is said must be alike by so much for an answer to count as one, from 0 to 1. */
const ALIKE = 0.5;
/** Characters of a text that are shown. */
const SHOWN = 60;

/** @param recorded What was asked for then. */
export function compare(asked: Asked, recorded: Asked): Comparison {
  const now = saidIn(asked);
  const then = saidIn(recorded);
  const names = new Set([...Object.keys(now.settings), ...Object.keys(then.settings)]);
  const settings = [...names].filter(
    (name) => canonical(now.settings[name]) !== canonical(then.settings[name]),
  );
  const sameModel = asked.model === recorded.model;
  return {
    likeness: likenessOf(now.said, then.said),
    sameModel,
    settings,
    differences: [
      ...(sameModel ? [] : [`model ${quote(asked.model)}, recorded ${quote(recorded.model)}`]),
      ...saidDifferences(now.said, then.said),
      ...settings.map((name) => settingText(name, now.settings[name], then.settings[name])),
    ],
  };
}

/** Whether an answer to the one is an answer to the other. */
export function isNear({ likeness, sameModel }: Comparison): boolean {
  return likeness === 1 || (sameModel && likeness >= ALIKE);
}

/** The more, the nearer. */
export function nearness({ likeness, sameModel, settings }: Comparison): number {
  return likeness + (sameModel ? 0.5 : 0) - 0.01 * settings.length;
}

/** The last turn is what is to be answered, and so is half of it; the others share the other half. */
function likenessOf(a: readonly Said[], b: readonly Said[]): number {
  const count = Math.max(a.length, b.length);
  if (count === 0) return 1;
  let sum = 0;
  for (const [index, one] of a.entries()) sum += alike(one, b[index]);
  return (sum / count + alike(a.at(-1), b.at(-1))) / 2;
}

function alike(one: Said | undefined, other: Said | undefined): number {
  if (!one || !other || one.by !== other.by) return 0;
  if (one.text === other.text) return 1;
  const [a, b] = [wordsOf(one), wordsOf(other)];
  const left = new Map<string, number>();
  for (const word of b) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of a) {
    const count = left.get(word) ?? 0;
    if (count > 0) common += 1;
    left.set(word, count - 1);
  }
  const all = a.length + b.length;
  // Other blanks and cases are other texts, however alike.
  return all === 0 ? 0.99 : Math.min(0.99, (2 * common) / all);
}

const words = new WeakMap<Said, readonly string[]>();

function wordsOf(said: Said): readonly string[] {
  let known = words.get(said);
  if (!known) words.set(said, (known = said.text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []));
  return known;
}

function saidDifferences(now: readonly Said[], then: readonly Said[]): string[] {
  const count =
    now.length === then.length ? [] : [`${now.length} messages, recorded ${then.length}`];
  const index = now.findIndex(({ by, text }, at) => by !== then[at]?.by || text !== then[at].text);
  if (index < 0 || !then[index]) return count;
  const [one, other] = [now[index]!, then[index]];
  const name = now.length === 1 ? one.by : `message ${index + 1} (${one.by})`;
  if (one.by !== other.by) return [...count, `${name}, recorded ${other.by}`];
  return [...count, `${name} ${excerpts(one.text, other.text).join(', recorded ')}`];
}

/** Both texts from a little before where they part. */
function excerpts(one: string, other: string): string[] {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  const from = at <= SHOWN / 2 ? 0 : one.lastIndexOf(' ', at - SHOWN / 4) + 1;
  return [one, other].map((text) => quote((from > 0 ? '…' : '') + text.slice(from)));
}

function settingText(name: string, now: unknown, then: unknown): string {
  const plain = [now, then].every((value) => typeof value !== 'object' || value === null);
  if (!plain) return `${name} differs`;
  const shown = (value: unknown): string =>
    value === undefined ? 'none' : typeof value === 'string' ? quote(value) : JSON.stringify(value);
  return `${name} ${shown(now)}, recorded ${shown(then)}`;
}

function quote(text: string | undefined): string {
  if (text === undefined) return 'none';
  const line = text.replaceAll(/\s+/g, ' ');
  return `"${line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line}"`;
}
