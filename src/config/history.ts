import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** What brought a config about; `api` is every way over `/admin` but a rollback. */
export type ChangeSource = 'start' | 'edit' | 'api' | 'rollback' | 'signal';

export interface HistoryEntry {
  /** From 1, for each config file. */
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly source: ChangeSource;
  /** What it changed, a line each; against the one applied before it. */
  readonly diff: readonly string[];
  /** It was never applied, as it was invalid; it is kept because a rollback or an order replaced it. */
  readonly invalid?: true;
}

/** With the config itself. Secrets that stand in the file stand here too. */
export interface HistoryVersion extends HistoryEntry {
  readonly text: string;
}

/** Versions that are kept. */
const KEPT = 50;

/**
 * The configs that were applied, a file each in a folder that only its owner may read. Nothing in it
 * is ever overwritten; several servers may share it. When it can't be written, the versions of this
 * run are kept in memory.
 */
export class History {
  readonly #folder: string;
  readonly #trouble: (message: string) => void;
  /** What could not be written. */
  readonly #unsaved = new Map<number, HistoryVersion>();
  #told = false;

  /**
   * @param options.state The state folder; made when there is something to keep.
   * @param options.file The config file, absolute.
   * @param options.onTrouble Told once when the history can't be kept.
   */
  constructor({
    state,
    file,
    onTrouble,
  }: {
    readonly state: string;
    readonly file: string;
    readonly onTrouble: (message: string) => void;
  }) {
    const hash = createHash('sha256').update(file).digest('hex').slice(0, 12);
    this.#folder = join(state, 'history', `${basename(file)}-${hash}`);
    this.#trouble = onTrouble;
  }

  /**
   * Keeps a config, unless the newest one is the same.
   * @returns Its version. Never rejects.
   */
  async add(entry: Omit<HistoryVersion, 'version'>): Promise<number> {
    const versions = await this.#versions();
    const newest = versions.at(-1);
    const same = newest === undefined ? undefined : await this.read(newest);
    if (same && same.text === entry.text && same.invalid === entry.invalid) return same.version;
    const version = await this.#write((newest ?? 0) + 1, entry);
    const old = [...versions, version].slice(0, -KEPT);
    await Promise.all(old.map((each) => this.#forget(each)));
    return version;
  }

  /** Newest first; what can't be read is left out. */
  async list(): Promise<HistoryEntry[]> {
    const versions = await this.#versions();
    const found = await Promise.all(versions.map((version) => this.read(version)));
    return found.reverse().flatMap((version) => {
      if (!version) return [];
      const { text: _, ...entry } = version;
      return [entry];
    });
  }

  /** @returns `undefined` when there is no such version, or its file is damaged. */
  async read(version: number): Promise<HistoryVersion | undefined> {
    const unsaved = this.#unsaved.get(version);
    if (unsaved) return unsaved;
    try {
      return parse(await readFile(this.#fileOf(version), 'utf8'), version);
    } catch {
      // Missing or unreadable: it is as if it had never been kept.
      return undefined;
    }
  }

  /** Writes it under the first free number from `version` on: another server may have been quicker. */
  async #write(version: number, entry: Omit<HistoryVersion, 'version'>): Promise<number> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      for (let number = version; ; number++) {
        const text = JSON.stringify({ version: number, ...entry }, null, 2);
        try {
          await writeFile(this.#fileOf(number), `${text}\n`, { flag: 'wx', mode: 0o600 });
          return number;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        }
      }
    } catch (error) {
      if (!this.#told) {
        this.#trouble(`the config's history can't be kept: ${(error as Error).message}`);
      }
      this.#told = true;
      this.#unsaved.set(version, { version, ...entry });
      return version;
    }
  }

  async #forget(version: number): Promise<void> {
    this.#unsaved.delete(version);
    // It may be gone already, and if it can't go it does no harm.
    await rm(this.#fileOf(version), { force: true }).catch(() => {});
  }

  /** In ascending order. */
  async #versions(): Promise<number[]> {
    // A folder that can't be read has nothing to tell; writing says why.
    const names = await readdir(this.#folder).catch((): string[] => []);
    const saved = names.flatMap((name) => /^0*([1-9]\d*)\.json$/.exec(name)?.[1] ?? []);
    const all = new Set([...saved.map(Number), ...this.#unsaved.keys()]);
    return [...all].sort((a, b) => a - b);
  }

  #fileOf(version: number): string {
    return join(this.#folder, `${String(version).padStart(6, '0')}.json`);
  }
}

function parse(text: string, version: number): HistoryVersion | undefined {
  const { at, source, diff, invalid, text: config } = JSON.parse(text) as HistoryVersion;
  if (typeof config !== 'string' || typeof at !== 'number' || !Array.isArray(diff))
    return undefined;
  return { version, at, source, diff, text: config, ...(invalid && { invalid }) };
}
