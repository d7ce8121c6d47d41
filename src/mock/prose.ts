/** What the mock says, and how it counts it. */

/**
 * Cuts a text into pieces of about a token each; joined, they are the text again. Han characters
 * are counted singly, as tokenizers nearly do.
 */
export function tokens(text: string): string[] {
  return text.match(/\s*(?:\p{Script=Han}|(?:(?!\p{Script=Han})[\p{L}\p{N}]){1,8}|\S)|\s+/gu) ?? [];
}

/** @returns The words of a text in lower case, without punctuation; Han characters singly. */
export function words(text: string): string[] {
  return text.toLowerCase().match(/\p{Script=Han}|(?:(?!\p{Script=Han})[\p{L}\p{N}])+/gu) ?? [];
}

/** The most of a client's own words that is repeated to it, in characters. */
const QUOTE = 400;

/** @returns The text, shortened where it is long, without cutting a character in two. */
export function quote(text: string): string {
  const characters = Array.from(text.slice(0, QUOTE * 2));
  return characters.length > QUOTE || text.length > QUOTE * 2
    ? `${characters.slice(0, QUOTE).join('')}…`
    : text;
}

/** @returns How the mock introduces itself. */
export function introduction(model: string): string {
  return `This is the mock model ${model}.`;
}

export interface Limits {
  /** Tokens. */
  readonly max: number | undefined;
  readonly stop: readonly string[];
}

/** @returns The text as far as the limits let it go, in tokens, and what ended it. */
export function limited(
  text: string,
  { max, stop }: Limits,
): { pieces: string[]; reason: 'stop' | 'length' } {
  const ends = stop.map((word) => text.indexOf(word)).filter((at) => at >= 0);
  const pieces = tokens(ends.length > 0 ? text.slice(0, Math.min(...ends)) : text);
  return max !== undefined && pieces.length > max
    ? { pieces: pieces.slice(0, max), reason: 'length' }
    : { pieces, reason: 'stop' };
}
