/** Where {@link hashText} starts when nothing came before. */
export const HASH_START = 0x811c9dc5;

/**
 * Takes text into a running hash (FNV-1a over UTF-16 units): quick, and not for secrets.
 * Finish with {@link mix}: the raw value's high bits say little about the last characters.
 */
export function hashText(hash: number, text: string): number {
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash;
}

/** MurmurHash3's finaliser: every bit of the input moves every bit of the result. */
export function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
