import type { Change } from './edit-text.ts';
import { EditError } from './edit-error.ts';
import type { HistoryVersion } from '../history.ts';
import type { LiveConfig } from '../live.ts';
import type { Reloaded, Validation } from '../reloaded.ts';
import { pathText } from '../problem.ts';
import { maskCode, maskData } from '../secrets.ts';
import { isCode, readText } from '../source.ts';

type Options = Readonly<Record<string, unknown>>;

/**
 * Changes of a live config by order. Each is written into its file, and comes back in from there.
 * All of them reject with an EditError `uneditable` or `conflict` when the file can't be written.
 */
export class ConfigEdits {
  readonly #live: LiveConfig;

  constructor(live: LiveConfig) {
    this.#live = live;
  }

  /**
   * Sets and takes out single options.
   * @param version The one that the caller has seen, if that matters.
   */
  edit(changes: readonly Change[], version?: number): Promise<Reloaded> {
    return this.#edit(() => changes, version);
  }

  /** @throws EditError `conflict` when there is one of that name. */
  addInstance(name: string, options: Options): Promise<Reloaded> {
    return this.#edit(() => {
      if (this.#hasInstance(name)) {
        throw new EditError('conflict', `there is an instance \`${name}\` already`);
      }
      return [{ path: ['instances', name], value: options }];
    });
  }

  /**
   * @param options What is to be changed; `null` takes an option out.
   * @throws EditError `missing` when there is none of that name.
   */
  patchInstance(name: string, options: Options): Promise<Reloaded> {
    return this.#edit(() => {
      this.#expectInstance(name);
      return Object.entries(options).map(([option, value]) => ({
        path: ['instances', name, option],
        value: value ?? undefined,
      }));
    });
  }

  /** @throws EditError `missing` when there is none of that name. */
  removeInstance(name: string): Promise<Reloaded> {
    return this.#edit(() => {
      this.#expectInstance(name);
      return [{ path: ['instances', name], value: undefined }];
    });
  }

  /**
   * Replaces the config by another one.
   * @param text In the language of the file; a secret as `***` stays what it is.
   * @param version The one that the caller has seen, if that matters.
   */
  replace(text: string, version?: number): Promise<Reloaded> {
    return this.#live.change('api', (before, file) => wholeOf(file, before, text), version);
  }

  /**
   * Makes an earlier config the newest version.
   * @throws EditError `missing` when it is not in the history.
   */
  async rollback(version: number): Promise<Reloaded> {
    const entry = await this.#live.history?.read(version);
    if (!entry) throw new EditError('missing', `the history has no version ${version}`);
    const { withOwnText } = await import('./edit-text.ts');
    return this.#live.change('rollback', (before, file) => withOwnText(file, before, entry.text));
  }

  /** What would come of a text in the place of the config; changes nothing. */
  async validate(text: string): Promise<Validation> {
    const { file } = this.#live;
    return this.#live.validate(await wholeOf(file, await readText(file), text));
  }

  /** Whether the config can be changed by order: there is a file, and it is no code. */
  get possible(): boolean {
    const { file } = this.#live.served;
    return file !== undefined && !isCode(file);
  }

  /** What is applied, with defaults filled in and units read, and with `***` where secrets stand. */
  effective(): Record<string, unknown> {
    return maskData(this.#live.served.config) as Record<string, unknown>;
  }

  /**
   * An earlier config, with `***` where secrets stand.
   * @throws EditError `missing` when it is not in the history.
   */
  async version(version: number): Promise<HistoryVersion> {
    const entry = await this.#live.history?.read(version);
    if (!entry) throw new EditError('missing', `the history has no version ${version}`);
    return { ...entry, text: await this.#masked(entry.text) };
  }

  /** The config's text as it is on disk, with `***` where secrets stand. */
  async read(): Promise<string> {
    const { file } = this.#live;
    const text = await readText(file);
    if (isCode(file)) return this.#masked(text);
    const { ownText } = await import('./edit-text.ts');
    return this.#masked(ownText(file, text));
  }

  async #masked(text: string): Promise<string> {
    const { file, served } = this.#live;
    if (isCode(file)) return maskCode(text, served.data);
    const { maskText } = await import('./mask-text.ts');
    return maskText(text);
  }

  #edit(changes: () => readonly Change[], version?: number): Promise<Reloaded> {
    const change = async (before: string, file: string): Promise<string> => {
      const { editText } = await import('./edit-text.ts');
      return editText(file, before, changes());
    };
    return this.#live.change('api', change, version);
  }

  #hasInstance(name: string): boolean {
    return Object.hasOwn(this.#live.served.config.instances, name);
  }

  #expectInstance(name: string): void {
    if (this.#hasInstance(name)) return;
    throw new EditError('missing', `there is no instance \`${name}\``);
  }
}

/** The file's text with another config in it, whose masked secrets are those that are there. */
async function wholeOf(file: string, before: string, text: string): Promise<string> {
  const { ownText, uneditable, withOwnText } = await import('./edit-text.ts');
  const { maskedSecrets, restoreSecrets } = await import('./mask-text.ts');
  if (isCode(file)) throw uneditable(file);
  const restored = restoreSecrets(text, ownText(file, before));
  const [masked] = maskedSecrets(restored);
  if (masked === undefined) return withOwnText(file, before, restored);
  throw new EditError(
    'conflict',
    `\`${pathText(masked)}\` is masked, and none is there to be kept: write it as a \${VARIABLE}`,
  );
}
