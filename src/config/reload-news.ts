import type { ChangeSource } from './history.ts';
import { renderProblem, type ConfigError } from './problem.ts';

/** What is said of a reload. */
export interface ReloadNews {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  /** Further ones, such as a diff. */
  readonly lines?: readonly string[];
  /** On one piece of each reload's: how it ended, to be counted. */
  readonly reload?: 'applied' | 'refused';
}

/** `found`: a config file, while there was none. */
type Way = ChangeSource | 'found';

/** What is worth saying when a config has been applied; nothing where nobody asked and nothing changed. */
export function appliedNews(reload: {
  /** The file, as it is shown. */
  readonly name: string;
  readonly way: Way;
  readonly version: number;
  /** The file itself is another, not only what it is made from. */
  readonly anew: boolean;
  readonly diff: readonly string[];
  /** It was invalid before. */
  readonly mended: boolean;
  /** Those that were not there before. */
  readonly warnings: readonly string[];
  readonly restartNeeded: readonly string[];
}): ReloadNews[] {
  const { name, way, version, anew, diff, mended, warnings, restartNeeded } = reload;
  const news: ReloadNews[] = [];
  if (mended) news.push({ level: 'info', message: `${name} is valid again` });
  if (diff.length > 0) {
    const how = way === 'edit' && !anew ? `what ${name} refers to has changed` : HOW[way](name);
    news.push({ level: 'info', message: `${how} (version ${version})`, lines: diff });
  } else if (!mended && anew) {
    const message = `${HOW[way](name)} (version ${version}): nothing that takes effect`;
    news.push({ level: 'info', message });
  } else if (!mended && (way === 'signal' || way === 'api')) {
    news.push({ level: 'info', message: `${name} was read again: nothing has changed` });
  }
  for (const message of warnings) news.push({ level: 'warn', message });
  for (const setting of restartNeeded) {
    news.push({ level: 'warn', message: `${setting} was changed, which needs a restart` });
  }
  return news.map((each, index) => (index === 0 ? { ...each, reload: 'applied' } : each));
}

/** @param version What serves on; 0 when that is no version of the file. */
export function refusedNews({ problems }: ConfigError, version: number): ReloadNews {
  const on = version === 0 ? 'what served before' : `version ${version}`;
  const message = `the config is not applied, ${on} serves on:`;
  return { level: 'error', message, lines: problems.map(renderProblem), reload: 'refused' };
}

const HOW: Readonly<Record<Way, (file: string) => string>> = {
  start: (file) => `${file} was read`,
  found: (file) => `${file} is there now, and serves in the place of what was found`,
  edit: (file) => `${file} has changed`,
  api: (file) => `${file} was changed over /admin`,
  rollback: (file) => `${file} was rolled back`,
  signal: (file) => `${file} was read again`,
};
