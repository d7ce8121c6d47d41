import { InvalidArgumentError } from '@commander-js/extra-typings';
import { HOST_WANTED, parseHost } from '../config/host.ts';
import { parseDuration } from '../config/units.ts';

/** Readers of what stands behind an option. They throw what commander shows as a wrong usage. */

/** @returns A TCP port; 0 stands for any free one. */
export function port(text: string): number {
  return within(text, /^\d+$/, { max: 65_535, wanted: 'a port from 0 to 65535' });
}

/** @returns A whole number, 0 or more. */
export function whole(text: string): number {
  return within(text, /^\d{1,9}$/, { max: Infinity, wanted: 'a whole number' });
}

/** @returns A whole number, 1 or more. */
export function positive(text: string): number {
  return within(text, /^0*[1-9]\d{0,8}$/, { max: Infinity, wanted: 'a whole number from 1 on' });
}

/** @returns How many lines: no more than are kept. */
export function lines(text: string): number {
  return within(text, /^\d+$/, { max: 1000, wanted: 'a whole number from 0 to 1000' });
}

/** @returns An address to listen on. */
export function host(text: string): string {
  const address = parseHost(text);
  if (address !== undefined) return address;
  throw new InvalidArgumentError(`It ${HOST_WANTED}.`);
}

/** @returns Milliseconds of `300ms`, `2s`, or of a bare number of them. */
export function milliseconds(text: string): number {
  const duration = /^\d+$/.test(text) ? Number(text) : parseDuration(text);
  if (duration !== undefined) return duration;
  throw new InvalidArgumentError('It must be a duration like 300ms or 2s.');
}

/** @returns A part of all, from 0 to 1. */
export function share(text: string): number {
  return within(text, /^\d*\.?\d+$/, { max: 1, wanted: 'a number from 0 to 1' });
}

/** @returns A number above 0. */
export function rate(text: string): number {
  const number = within(text, /^\d*\.?\d+$/, { max: Infinity, wanted: 'a number above 0' });
  if (number > 0) return number;
  throw new InvalidArgumentError('It must be a number above 0.');
}

/** @returns How many times as fast; `max`: at once. */
export function speed(text: string): number {
  if (text === 'max') return Infinity;
  const factor = /^\d*\.?\d+$/.test(text) ? Number(text) : 0;
  if (factor > 0) return factor;
  throw new InvalidArgumentError('It must be a number above 0, like 2 or 0.5, or max.');
}

/** @returns The names between the commas. */
export function names(text: string): string[] {
  const all = text.split(',').map((name) => name.trim());
  if (all.every((name) => name !== '')) return all;
  throw new InvalidArgumentError(
    'It must be names with commas between them, like gpt-x,whisper-y.',
  );
}

function within(
  text: string,
  pattern: RegExp,
  { max, wanted }: { max: number; wanted: string },
): number {
  if (pattern.test(text) && Number(text) <= max) return Number(text);
  throw new InvalidArgumentError(`It must be ${wanted}.`);
}
