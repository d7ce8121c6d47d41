import type { JsonObject } from '../adapters/json.ts';
import { asObjects } from '../adapters/json.ts';

/** A response that can be asked for again, and that a later one may stand upon. */
export interface StoredResponse {
  readonly id: string;
  /** Whose it is: the name of an API key; `undefined`: of those who need none. */
  readonly key: string | undefined;
  /** What it was asked, item by item. */
  readonly input: readonly JsonObject[];
  /** All that was said before that. */
  readonly before: readonly JsonObject[];
  readonly response: JsonObject;
}

/** A response that is still being written. */
export interface RunningResponse {
  readonly key: string | undefined;
  readonly input: readonly JsonObject[];
  /** As far as it has come. */
  readonly response: JsonObject;
  /** Ends it. */
  cancel(): void;
}

/**
 * The instance whose backend keeps a response; `unknown`: nobody has seen its id, so it may be one of
 * an earlier run; `nobody`: it is another key's, which is to look as if there were none.
 */
export type Keeper = { readonly instance: string } | 'unknown' | 'nobody';

export interface StoreLimits {
  readonly responses: number;
  readonly bytes: number;
}

const STORE_LIMITS: StoreLimits = { responses: 1000, bytes: 64 * 1024 * 1024 };
/** Ids of responses that their backends keep. */
const MOST_ELSEWHERE = 20_000;

/**
 * Remembers responses for backends that do not, and which backend has those that it keeps itself. In
 * memory only, and bounded: what was used the longest time ago is forgotten first.
 */
export class ResponseStore {
  readonly #limits: StoreLimits;
  readonly #stored = new Map<string, { readonly record: StoredResponse; readonly bytes: number }>();
  readonly #running = new Map<string, RunningResponse>();
  /** The instance's name, by the response's id. */
  readonly #elsewhere = new Map<
    string,
    { readonly instance: string; readonly key: string | undefined }
  >();
  #bytes = 0;

  constructor(limits: StoreLimits = STORE_LIMITS) {
    this.#limits = limits;
  }

  put(record: StoredResponse): void {
    this.#forget(record.id);
    // Items that several responses share are counted for each: the bound holds all the more.
    const bytes = 2 * JSON.stringify([record.before, record.input, record.response]).length;
    if (bytes > this.#limits.bytes) return;
    this.#stored.set(record.id, { record, bytes });
    this.#bytes += bytes;
    for (const id of this.#stored.keys()) {
      if (this.#stored.size <= this.#limits.responses && this.#bytes <= this.#limits.bytes) break;
      this.#forget(id);
    }
  }

  find(id: string, key: string | undefined): StoredResponse | undefined {
    const entry = this.#stored.get(id);
    if (!entry || entry.record.key !== key) return undefined;
    this.#stored.delete(id);
    this.#stored.set(id, entry);
    return entry.record;
  }

  /** @returns False when there is none of that id. */
  delete(id: string, key: string | undefined): boolean {
    if (!this.find(id, key)) return false;
    this.#forget(id);
    return true;
  }

  /** An item of any response, by its own id. */
  item(id: string, key: string | undefined): JsonObject | undefined {
    for (const { record } of [...this.#stored.values()].reverse()) {
      if (record.key !== key) continue;
      const output = asObjects(record.response['output']) ?? [];
      const found = [...record.input, ...output].find((item) => item['id'] === id);
      if (found) return found;
    }
    return undefined;
  }

  /** @returns What to call when it is over. */
  run(id: string, running: RunningResponse): () => void {
    this.#running.set(id, running);
    return () => void this.#running.delete(id);
  }

  running(id: string, key: string | undefined): RunningResponse | undefined {
    const running = this.#running.get(id);
    return running?.key === key ? running : undefined;
  }

  /** Remembers that a backend keeps a response itself. */
  keptBy(id: string, instance: string, key: string | undefined): void {
    this.#elsewhere.delete(id);
    this.#elsewhere.set(id, { instance, key });
    if (this.#elsewhere.size <= MOST_ELSEWHERE) return;
    const [oldest] = this.#elsewhere.keys();
    this.#elsewhere.delete(oldest!);
  }

  /** Who keeps a response that is not here. */
  keeper(id: string, key: string | undefined): Keeper {
    const known = this.#elsewhere.get(id) ?? this.#stored.get(id)?.record ?? this.#running.get(id);
    if (!known) return 'unknown';
    return known.key === key && 'instance' in known ? known : 'nobody';
  }

  #forget(id: string): void {
    const entry = this.#stored.get(id);
    if (!entry) return;
    this.#stored.delete(id);
    this.#bytes -= entry.bytes;
  }
}
