/** Characters of a text that records keep. */
const MOST = 1000;

/** A text from outside, cut to what a record can keep: names and messages may be megabytes long. */
export function short<T extends string | undefined>(text: T): T | string {
  if (text === undefined || text.length <= MOST) return text;
  // Through bytes: a slice alone would keep the whole text in memory.
  return `${Buffer.from(text.slice(0, MOST)).toString()}…`;
}
