import type { RequestPatch } from '../adapters/adapter.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

interface Member {
  readonly key: string;
  /** Where the key's quote opens. */
  readonly start: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/**
 * Changes top-level members of a JSON object in its bytes; every other byte stays as it is. A key
 * that occurs more than once is changed wherever it occurs, as parsers differ on which one counts.
 *
 * @param source A valid JSON object.
 * @returns The pieces of the new text, in order; most are views of `source`.
 */
export function patchJson(
  source: Buffer,
  patch: Pick<RequestPatch, 'set' | 'remove'>,
): readonly Buffer[] {
  const set = new Map(Object.entries(patch.set ?? {}));
  const remove = new Set(patch.remove);
  const { members, end } = scanMembers(source);
  const pieces: Buffer[] = [];
  const missing = new Map(set);
  let from = 0;
  let kept = 0;
  for (const [index, member] of members.entries()) {
    const { key, start, valueStart, valueEnd } = member;
    if (remove.has(key)) {
      // With the member goes the comma after it, or the one before it when it is the last one kept.
      const next = members[index + 1];
      pieces.push(source.subarray(from, start));
      from = next ? next.start : valueEnd;
      if (!next && kept > 0) dropTrailingComma(pieces);
      continue;
    }
    kept += 1;
    if (set.has(key)) {
      pieces.push(source.subarray(from, valueStart), Buffer.from(JSON.stringify(set.get(key))));
      from = valueEnd;
      missing.delete(key);
    }
  }
  pieces.push(source.subarray(from, end));
  for (const [key, value] of missing) {
    const comma = kept > 0 ? ',' : '';
    pieces.push(Buffer.from(`${comma}${JSON.stringify(key)}:${JSON.stringify(value)}`));
    kept += 1;
  }
  pieces.push(source.subarray(end));
  return pieces.filter((piece) => piece.length > 0);
}

/** Cuts the pieces so far behind their last comma's place: nothing follows it any more. */
function dropTrailingComma(pieces: Buffer[]): void {
  for (let index = pieces.length - 1; index >= 0; index--) {
    const piece = pieces[index]!;
    const comma = piece.lastIndexOf(COMMA);
    if (comma >= 0) {
      pieces[index] = piece.subarray(0, comma);
      return;
    }
    pieces.pop();
  }
}

/** @returns The members, and where the object's closing brace stands. */
function scanMembers(source: Buffer): { members: Member[]; end: number } {
  const members: Member[] = [];
  let at = source.indexOf(OPEN_BRACE) + 1;
  for (;;) {
    at = skipSpace(source, at);
    if (source[at] === COMMA) at = skipSpace(source, at + 1);
    if (source[at] === CLOSE_BRACE) return { members, end: at };
    const start = at;
    at = skipString(source, at);
    const key = JSON.parse(source.toString('utf8', start, at)) as string;
    const valueStart = skipSpace(source, skipSpace(source, at) + 1);
    at = skipValue(source, valueStart);
    members.push({ key, start, valueStart, valueEnd: at });
  }
}

function skipSpace(source: Buffer, at: number): number {
  // Space, tab and line ends are the only bytes up to 0x20 outside of strings.
  while (source[at]! <= 0x20) at += 1;
  return at;
}

/** @param at Where the string's quote opens. @returns Where it is over. */
function skipString(source: Buffer, at: number): number {
  let quote = at;
  for (;;) {
    quote = source.indexOf(QUOTE, quote + 1);
    let escapes = 0;
    while (source[quote - 1 - escapes] === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return quote + 1;
  }
}

function skipValue(source: Buffer, at: number): number {
  let depth = 0;
  for (;;) {
    const byte = source[at]!;
    if (byte === QUOTE) {
      at = skipString(source, at);
      if (depth === 0) return at;
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || byte <= 0x20)) return at;
    at += 1;
  }
}
