import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SERVICES, serviceOf, type Service } from '../service.ts';
import { askedIn, keyOf, type Asked } from './asked.ts';
import { compare, isNear, nearness, type Comparison } from './nearest.ts';
import { NoRecording, readRecording } from './read.ts';
import type { RecordedResponse, Recording } from './recording.ts';

/** A recording that can answer a call. */
export interface Shelved {
  /** Below the folder, with slashes. */
  readonly file: string;
  readonly recording: Recording & { readonly response: RecordedResponse };
  readonly asked: Asked;
  readonly key: string;
}

/** What answers a call. */
export type Match =
  | { readonly kind: 'exact'; readonly shelved: Shelved }
  | {
      readonly kind: 'nearest';
      readonly shelved: Shelved;
      readonly differences: readonly string[];
    };

/** Nothing does. */
export interface Missing {
  readonly kind: 'missing';
  readonly closest: Closest | undefined;
}

export interface Closest {
  readonly file: string;
  readonly comparison: Comparison;
}

interface Entry {
  /** Changes when the file does. */
  readonly stamp: string;
  /** Absent when it can answer nothing. */
  readonly shelved: Shelved | undefined;
}

/** Milliseconds for which the folder is taken to be as it was. */
const FRESH = 200;

/** The recordings of a folder, read again as they change. */
export class Shelf {
  readonly dir: string;
  readonly #onProblem: (message: string) => void;
  readonly #entries = new Map<string, Entry>();
  /** How often each request was answered. */
  readonly #given = new Map<string, number>();
  #sorted: readonly Shelved[] = [];
  #looked = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #unreadable = false;

  /** @param onProblem Told of each file that can't be used, once, and again when it has changed. */
  constructor(dir: string, onProblem: (message: string) => void) {
    this.dir = dir;
    this.#onProblem = onProblem;
  }

  /** Those that can answer, the oldest first. */
  get recordings(): readonly Shelved[] {
    return this.#sorted;
  }

  /** The models that were answered for, with what they did. */
  get models(): ReadonlyMap<string, readonly Service[]> {
    const services = new Map<string, Set<Service>>();
    for (const { recording, asked } of this.#sorted) {
      if (asked.model === undefined || recording.ending === 'error') continue;
      const known = services.get(asked.model) ?? new Set();
      services.set(asked.model, known.add(serviceOf(asked.operation)));
    }
    return new Map(
      [...services].map(([model, of]) => [model, SERVICES.filter((one) => of.has(one))]),
    );
  }

  /** Reads what has changed in the folder. */
  refresh(): Promise<void> {
    if (this.#running) return this.#running;
    if (performance.now() - this.#looked < FRESH) return Promise.resolve();
    this.#running = this.#look().finally(() => {
      this.#running = undefined;
      this.#looked = performance.now();
    });
    return this.#running;
  }

  /**
   * Finds the answer to a call: that of the same request, else that of the nearest. A request that was
   * recorded several times is answered in the order of the recordings, and then by the last.
   */
  match(asked: Asked): Match | Missing {
    const key = keyOf(asked);
    const same = this.#sorted.filter((one) => one.key === key);
    if (same.length > 0) {
      const given = this.#given.get(key) ?? 0;
      this.#given.set(key, given + 1);
      return { kind: 'exact', shelved: same[Math.min(given, same.length - 1)]! };
    }
    const compared = this.#sorted
      .filter(
        ({ asked: { operation, stream }, recording }) =>
          operation === asked.operation && stream === asked.stream && recording.ending === 'ok',
      )
      .map((shelved) => ({ shelved, comparison: compare(asked, shelved.asked) }))
      .sort((a, b) => nearness(b.comparison) - nearness(a.comparison));
    const near = compared.find(({ comparison }) => isNear(comparison));
    if (near) {
      const { shelved, comparison } = near;
      return { kind: 'nearest', shelved, differences: comparison.differences };
    }
    const [closest] = compared;
    return {
      kind: 'missing',
      closest: closest && { file: closest.shelved.file, comparison: closest.comparison },
    };
  }

  async #look(): Promise<void> {
    const files = await this.#list();
    const present = new Set(files);
    let changed = false;
    for (const file of this.#entries.keys()) {
      if (!present.has(file)) changed = this.#entries.delete(file);
    }
    const stamps = await Promise.all(files.map((file) => stampOf(join(this.dir, file))));
    for (const [index, file] of files.entries()) {
      const stamp = stamps[index];
      if (stamp === undefined || this.#entries.get(file)?.stamp === stamp) continue;
      await this.#read(file, stamp);
      changed = true;
    }
    if (!changed) return;
    this.#sorted = [...this.#entries.values()]
      .flatMap(({ shelved }) => shelved ?? [])
      .sort((a, b) => Date.parse(a.recording.at) - Date.parse(b.recording.at) || byName(a, b));
  }

  async #list(): Promise<readonly string[]> {
    try {
      const names = await readdir(this.dir, { recursive: true });
      this.#unreadable = false;
      return names
        .map((name) => name.replaceAll('\\', '/'))
        .filter((name) => name.endsWith('.json'))
        .sort();
    } catch (error) {
      if (!this.#unreadable) this.#onProblem(`no recordings: ${(error as Error).message}`);
      this.#unreadable = true;
      return [];
    }
  }

  async #read(file: string, stamp: string): Promise<void> {
    // What is written while it is read has another stamp.
    this.#entries.set(file, { stamp, shelved: undefined });
    try {
      const shelved = shelve(file, readRecording(await readFile(join(this.dir, file), 'utf8')));
      this.#entries.set(file, { stamp, shelved });
    } catch (error) {
      // One that has just gone is nobody's trouble.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      this.#onProblem(`${file} is left out: it ${problemOf(error)}`);
    }
  }
}

/** @returns Nothing for one that has just gone. */
async function stampOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found && `${found.mtimeMs} ${found.size}`;
}

function byName(a: Shelved, b: Shelved): number {
  return a.file < b.file ? -1 : 1;
}

function problemOf(error: unknown): string {
  if (error instanceof NoRecording) return error.message;
  return `can't be read: ${(error as Error).message}`;
}

/** @returns Nothing for one whose client left, or that was refused before it was read: that is no mistake. */
function shelve(file: string, recording: Recording): Shelved | undefined {
  const { response, request, operation, ending } = recording;
  if (request.truncated || response?.truncated) {
    const what = request.truncated ? 'request' : 'answer';
    throw new NoRecording(
      `has only a part of its ${what}: raise capture.maxFileBytes, and record it again`,
    );
  }
  const asked = askedIn(operation, request);
  if (!asked || !response || ending === 'aborted') return undefined;
  return { file, recording: { ...recording, response }, asked, key: keyOf(asked) };
}
