import type { Choice } from './outcome.ts';

/** Why an attempt went where it went, in a few words: `gpu-1 failed; least connections of 2`. */
export function whyText({ by, of, after, fallback }: Choice): string {
  if (by === 'hedge') return `${after} was late`;
  const parts: string[] = [];
  if (after !== undefined) parts.push(`${after} failed`);
  if (fallback) parts.push('fallback model');
  if (by === 'only') parts.push(after === undefined ? 'only candidate' : 'only candidate left');
  else if (by === 'priority') parts.push(`lowest priority of ${of}`);
  else if (by === 'loaded') parts.push(`only one of ${of} with the model loaded`);
  else if (by === 'slot') parts.push('first to have room');
  else parts.push(`${by.replaceAll('-', ' ')} of ${of}`);
  return parts.join('; ');
}
