import { asObject, type JsonObject } from '../../adapters/json.ts';
import { formatDuration, LONGEST_DURATION } from '../units.ts';
import type { Remains } from './imported.ts';

/**
 * A block of another gateway's config. It remembers what was asked for, so that nothing else gets
 * lost in silence. Keys are found in any spelling: `base-url`, `baseUrl`, `base_url`.
 */
export class Section {
  readonly path: string;
  readonly #block: JsonObject;
  readonly #remains: Remains;
  readonly #asked = new Set<string>();

  constructor(value: unknown, path: string, remains: Remains) {
    this.#block = asObject(value) ?? {};
    this.path = path;
    this.#remains = remains;
  }

  get keys(): string[] {
    return Object.keys(this.#block);
  }

  /** @returns What stands there, `null` as `undefined`. */
  value(name: string): unknown {
    const key = this.#find(name);
    if (key === undefined) return undefined;
    this.#asked.add(key);
    return this.#block[key] ?? undefined;
  }

  /** @returns A text, or a number or boolean as one, without what is not needed around it. */
  text(name: string): string | undefined {
    const value = this.value(name);
    const plain =
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    if (value !== undefined && !plain) this.leave(name, 'one text or number is expected there');
    const text = plain ? String(value).trim() : '';
    return text === '' ? undefined : text;
  }

  /** @returns A number above 0; anything else that stands there is told as left out. */
  amount(name: string): number | undefined {
    return this.#number(name, { above: 0, max: 1e9, wanted: 'a number above 0' });
  }

  /** @returns A whole number, rounded up. */
  whole(name: string, { min = 1, max = 1e9 } = {}): number | undefined {
    const wanted = `a number from ${min} to ${max}`;
    const number = this.#number(name, { above: min - 1, max, wanted });
    return number === undefined ? undefined : Math.ceil(number);
  }

  /**
   * @param unit Milliseconds that one of what stands there lasts.
   * @returns A duration as our config has it.
   */
  duration(name: string, unit: number): string | undefined {
    const wanted = 'a time span of 596 hours at most';
    const count = this.#number(name, { above: 0, max: LONGEST_DURATION / unit, wanted });
    return count === undefined ? undefined : formatDuration(Math.max(1, Math.floor(count * unit)));
  }

  flag(name: string): boolean | undefined {
    const text = this.text(name)?.toLowerCase();
    return text === 'true' ? true : text === 'false' ? false : undefined;
  }

  section(name: string): Section {
    return new Section(this.value(name), this.place(name), this.#remains);
  }

  list(name: string): readonly unknown[] {
    const value = this.value(name);
    return Array.isArray(value) ? value : [];
  }

  /** @returns The blocks of a list. */
  sections(name: string): Section[] {
    const place = this.place(name);
    return this.list(name).map(
      (item, index) => new Section(item, `${place}[${index}]`, this.#remains),
    );
  }

  /** Tells that what stands there is not carried over. */
  leave(name: string, why: string): void {
    this.value(name);
    this.#remains.add(this.place(name), why);
  }

  /** Tells the same of the whole block, and of what it is called. */
  leaveWhole(name: string | undefined, why: string): void {
    this.#remains.add(name === undefined ? this.path : `${this.path} (${name})`, why);
  }

  /** Tells the same of everything nobody has asked for. */
  leaveRest(reasons: Readonly<Record<string, string>>, otherwise: string): void {
    for (const key of this.keys) {
      if (this.#asked.has(key)) continue;
      const reason = Object.entries(reasons).find(([name]) => isSame(name, key))?.[1];
      if (reason !== '') this.#remains.add(this.place(key), reason ?? otherwise);
    }
  }

  /** The place of one of its keys, as it is written there. */
  place(name: string): string {
    const key = this.#find(name) ?? name;
    return this.path === '' ? key : `${this.path}.${key}`;
  }

  #number(
    name: string,
    { above, max, wanted }: { above: number; max: number; wanted: string },
  ): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = Number(text);
    if (number > above && number <= max) return number;
    this.leave(name, `it must be ${wanted}`);
    return undefined;
  }

  #find(name: string): string | undefined {
    return this.keys.find((key) => isSame(key, name));
  }
}

function isSame(one: string, other: string): boolean {
  return plain(one) === plain(other);
}

function plain(key: string): string {
  return key.replaceAll(/[-_]/g, '').toLowerCase();
}
