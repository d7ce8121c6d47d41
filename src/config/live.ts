import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { diffConfigs } from './diff.ts';
import { EditError } from './edit/edit-error.ts';
import { ConfigEdits } from './edit/edits.ts';
import { History, type ChangeSource } from './history.ts';
import type { LoadedConfig } from './load.ts';
import { ConfigError, renderProblem, shownPath } from './problem.ts';
import { appliedNews, refusedNews, type ReloadNews } from './reload-news.ts';
import type { Applied, LiveStatus, Reloaded, ServedConfig, Validation } from './reloaded.ts';
import { readText } from './source.ts';
import type { FileWatch } from './watch.ts';

export interface LiveOptions {
  /** What serves already. */
  readonly first: ServedConfig;
  /**
   * Loads the config file, or looks for one where there is none yet.
   * @throws ConfigError
   */
  readonly load: (how: {
    readonly file: string | undefined;
    readonly text?: string | undefined;
    readonly previous: LoadedConfig | undefined;
  }) => Promise<LoadedConfig | undefined>;
  /** Makes a config serve, at once. */
  readonly apply: (config: ServedConfig) => void;
  readonly say: (news: ReloadNews) => void;
  /** The state folder, for the history. */
  readonly state: string;
  readonly cwd: string;
}

/** Milliseconds for which a file may be missing, or empty, while it is replaced. */
const GRACE = 1000;

/**
 * The config of a running server. Whatever changes it, an edit of the file, a signal, an order over
 * the API or a rollback, comes in through the same door, one after the other.
 */
export class LiveConfig {
  /** What can be changed in it over the API. */
  readonly edits = new ConfigEdits(this);
  readonly #options: LiveOptions;
  /** As the file wants it; what serves has the running server's address. */
  #wanted: ServedConfig;
  #served: ServedConfig;
  /** The file's text when it was last read, whatever came of it. */
  #seen: string | undefined;
  #version = 0;
  #appliedAt = Date.now();
  #error: { readonly since: number; readonly reason: ConfigError } | undefined;
  #restartNeeded: readonly string[] = [];
  #history: History | undefined;
  #watch: FileWatch | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: LiveOptions) {
    const { first } = options;
    this.#options = options;
    this.#wanted = first;
    this.#served = first;
    this.#seen = first.text;
    this.#history = this.#historyOf(first.file);
  }

  /** Begins to watch the file and what it is made from. */
  async start(): Promise<void> {
    const { watchFiles } = await import('./watch.ts');
    if (this.#closed) return;
    this.#watch = watchFiles({
      onChange: () => void this.#noticed().catch((bug: unknown) => this.#failed(bug)),
      onTrouble: (message) =>
        this.#warn(
          `changes of the config may go unnoticed (${message}); SIGHUP and POST /admin/reload read it again`,
        ),
    });
    this.#watch.files(this.#served.sources);
    await this.#inTurn(async () => {
      if (this.#wanted.file === undefined) return;
      await this.#remember('start', []);
      // It may have been saved between the first look and the watch.
      if ((await readFileText(this.file)) !== this.#seen) await this.#reload('edit');
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#watch?.close();
  }

  /**
   * The config file, absolute.
   * @throws EditError while there is none.
   */
  get file(): string {
    const { file } = this.#served;
    if (file !== undefined) return file;
    throw new EditError('uneditable', 'there is no config file; `jairouter init` writes one');
  }

  /** What is applied. */
  get served(): ServedConfig {
    return this.#served;
  }

  /** Absent while there is no file. */
  get history(): History | undefined {
    return this.#history;
  }

  status(): LiveStatus {
    const { file } = this.#served;
    const error = this.#error && {
      since: this.#error.since,
      problems: this.#error.reason.problems.map(renderProblem),
    };
    return {
      ...(file !== undefined && { file }),
      version: this.#version,
      appliedAt: this.#appliedAt,
      ...(error && { error }),
      restartNeeded: this.#restartNeeded,
    };
  }

  /** Reads the file again, or looks for one. Rejects only on a bug. */
  reload(source: ChangeSource): Promise<Reloaded> {
    return this.#inTurn(() => this.#reload(source));
  }

  /** Serves what was found without a config; once there is a file, only that counts. */
  adopt(found: ServedConfig): Promise<void> {
    return this.#inTurn(() => {
      if (this.#served.file === undefined) this.#apply(found);
    });
  }

  /**
   * Gives the file another text, proves it, writes it, and takes it in as any other change.
   *
   * @param change Makes the new text from the present one.
   * @param version The one that the caller has seen, if that matters.
   * @throws EditError when the file can't be written, was just changed on disk, or another version is
   * applied by now; and whatever `change` throws.
   */
  change(
    source: ChangeSource,
    change: (before: string, file: string) => string | Promise<string>,
    version?: number,
  ): Promise<Reloaded> {
    return this.#inTurn(() => this.#change(source, change, version));
  }

  /** What would come of another text of the file; changes nothing. */
  async validate(text: string): Promise<Validation> {
    const checked = await this.#prove(this.file, text);
    if (checked instanceof ConfigError)
      return { problems: checked.problems, warnings: [], diff: [] };
    return {
      problems: [],
      warnings: checked.warnings,
      diff: diffConfigs(this.#wanted, checked),
    };
  }

  async #reload(source: ChangeSource): Promise<Reloaded> {
    const { file } = this.#served;
    try {
      const text = file === undefined ? undefined : await readFileText(file);
      if (file !== undefined) this.#seen = text;
      if (file !== undefined && this.#isEmptied(text)) throw this.#emptied(file);
      const loaded = await this.#options.load({ file, text, previous: this.#previous() });
      if (loaded) return await this.#take(loaded, source);
      this.#error = undefined;
      return this.#applied([]);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#refuse(error);
      return { kind: 'invalid', problems: error.problems };
    }
  }

  async #take(loaded: ServedConfig, source: ChangeSource): Promise<Applied> {
    const before = {
      config: this.#wanted,
      restartNeeded: this.#restartNeeded,
      mended: this.#error !== undefined,
    };
    const diff = diffConfigs(before.config, loaded);
    const anew = before.config.text !== loaded.text;
    this.#apply(loaded);
    this.#error = undefined;
    this.#restartNeeded = needsRestart(this.#options.first, loaded);
    if (anew || diff.length > 0) this.#appliedAt = Date.now();
    // What is mended by hand is the newest version already; a rollback may have one before it.
    if (anew || before.mended) await this.#remember(source, diff);
    this.#watch?.files(loaded.sources);
    const news = appliedNews({
      name: this.#shown(this.file),
      way: before.config.file === undefined ? 'found' : source,
      version: this.#version,
      anew,
      diff,
      mended: before.mended,
      warnings: added(loaded.warnings, before.config.warnings),
      restartNeeded: added(this.#restartNeeded, before.restartNeeded),
    });
    for (const each of news) this.#options.say(each);
    return this.#applied(diff);
  }

  #applied(diff: readonly string[]): Applied {
    return {
      kind: 'applied',
      version: this.#version,
      diff,
      warnings: this.#wanted.warnings,
      restartNeeded: this.#restartNeeded,
    };
  }

  #apply(loaded: ServedConfig): void {
    const { host, port } = this.#options.first.config.server;
    const { config } = loaded;
    const served = { ...loaded, config: { ...config, server: { ...config.server, host, port } } };
    this.#options.apply(served);
    if (loaded.file !== this.#served.file) {
      this.#history = this.#historyOf(loaded.file);
      this.#seen = loaded.text;
    }
    this.#wanted = loaded;
    this.#served = served;
  }

  /** The last config serves on. A mistake is told once, however often the file is read with it. */
  #refuse(error: ConfigError): void {
    const known = this.#error;
    this.#error = { since: known?.since ?? Date.now(), reason: error };
    // What is wrong may be mended in any of its files.
    this.#watch?.files([...new Set([...this.#served.sources, ...error.sources])]);
    if (known?.reason.message === error.message) return;
    this.#options.say(refusedNews(error, this.#version));
  }

  /** A file that is being replaced is missing, or empty, for a moment. */
  async #noticed(): Promise<void> {
    const { file } = this.#served;
    if (file !== undefined) {
      const text = await readFileText(file);
      if (text === undefined || this.#isEmptied(text)) await sleep(GRACE);
    }
    if (!this.#closed) await this.reload('edit');
  }

  async #change(
    source: ChangeSource,
    change: (before: string, file: string) => string | Promise<string>,
    version: number | undefined,
  ): Promise<Reloaded> {
    const { file } = this;
    if (version !== undefined && version !== this.#version) {
      throw new EditError(
        'conflict',
        `version ${this.#version} is applied by now, not ${version}: look at it, and try again`,
      );
    }
    const before = await readFileText(file);
    if (before === undefined || before !== this.#seen) {
      throw new EditError(
        'conflict',
        `${basename(file)} was just changed on disk: look at it, and try again`,
      );
    }
    const text = await change(before, file);
    const checked = await this.#prove(file, text);
    if (checked instanceof ConfigError) return { kind: 'invalid', problems: checked.problems };
    // What nobody could apply is not to be lost all the same.
    if (this.#error) await this.#remember('edit', [], { text: before, invalid: true });
    if (text !== before) {
      const { replaceFile } = await import('./edit/replace-file.ts');
      await replaceFile(file, text, before);
    }
    return this.#reload(source);
  }

  async #prove(file: string, text: string): Promise<ServedConfig | ConfigError> {
    try {
      const loaded = await this.#options.load({ file, text, previous: this.#previous() });
      return loaded ?? this.#wanted;
    } catch (error) {
      if (error instanceof ConfigError) return error;
      throw error;
    }
  }

  async #remember(
    source: ChangeSource,
    diff: readonly string[],
    displaced?: { readonly text: string; readonly invalid: true },
  ): Promise<void> {
    const { file, text } = this.#wanted;
    if (!this.#history || file === undefined || text === undefined) return;
    const { ownText } = await import('./edit/edit-text.ts');
    const entry = { at: Date.now(), source, diff };
    if (displaced) await this.#history.add({ ...entry, ...displaced });
    else this.#version = await this.#history.add({ ...entry, text: ownText(file, text) });
  }

  #historyOf(file: string | undefined): History | undefined {
    if (file === undefined) return undefined;
    const { state } = this.#options;
    return new History({ state, file, onTrouble: (message) => this.#warn(message) });
  }

  /** Nothing at all is a valid config, but hardly what is meant by one that had something. */
  #isEmptied(text: string | undefined): boolean {
    return text?.trim() === '' && this.#wanted.text?.trim() !== '';
  }

  #emptied(file: string): ConfigError {
    const message = 'is empty; write `{}` if the config is to say nothing';
    return new ConfigError([{ file: this.#shown(file), path: '', message }]);
  }

  #previous(): LoadedConfig | undefined {
    const { file, text } = this.#wanted;
    return file === undefined || text === undefined ? undefined : { ...this.#wanted, file, text };
  }

  #shown(file: string): string {
    return shownPath(file, this.#options.cwd);
  }

  #failed(bug: unknown): void {
    const detail = bug instanceof Error ? (bug.stack ?? bug.message) : String(bug);
    const message = `reading the config again failed, which is a bug: ${detail}`;
    this.#options.say({ level: 'error', message });
  }

  #warn(message: string): void {
    this.#options.say({ level: 'warn', message });
  }

  #inTurn<T>(job: () => T | Promise<T>): Promise<T> {
    const turn = this.#last.then(job);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

/** What only a new socket can take in. */
function needsRestart({ config: first }: ServedConfig, { config }: ServedConfig): string[] {
  const settings = ['host', 'port'] as const;
  return settings
    .filter((setting) => config.server[setting] !== first.server[setting])
    .map((setting) => `server.${setting}`);
}

function added(after: readonly string[], before: readonly string[]): string[] {
  return after.filter((line) => !before.includes(line));
}

/** @returns `undefined` when it can't be read: whoever loads it says why. */
function readFileText(file: string): Promise<string | undefined> {
  return readText(file).catch(() => undefined);
}
