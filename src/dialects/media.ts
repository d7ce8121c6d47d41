import type { Media } from './prompt.ts';

/** Reads an address that may have its bytes in it (`data:image/png;base64,…`). */
export function mediaOf(url: string): Media {
  const match = /^data:([^;,]*)(?:;[^,]*)?;base64,/i.exec(url);
  return match
    ? { data: url.slice(match[0].length), mediaType: match[1] || 'application/octet-stream' }
    : { url };
}

/** The reverse; an id has no address. */
export function addressOf(media: Media): string | undefined {
  if ('fileId' in media) return undefined;
  return 'url' in media ? media.url : `data:${media.mediaType};base64,${media.data}`;
}

/** First bytes in base64, and what they begin. */
const SIGNATURES: readonly (readonly [start: string, mediaType: string])[] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
];

/** The kind of an image that comes as bare base64. */
export function imageTypeOf(base64: string): string {
  return SIGNATURES.find(([start]) => base64.startsWith(start))?.[1] ?? 'image/png';
}

/** Base64 of text, as the text. */
export function decodeText(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
