import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { jsonMistake } from './json-mistake.ts';
import { ConfigError, shownPath } from './problem.ts';
import { PACKAGE_KEY, placeAt } from './source.ts';

/** In the order in which they are looked for in a folder. */
const PLACES = [
  ...['yaml', 'yml', 'json', 'ts', 'mts', 'js', 'mjs'].map((end) => `jairouter.config.${end}`),
  '.jairouterrc',
  ...['yaml', 'yml', 'json', 'ts', 'js', 'mjs'].map((end) => `.jairouterrc.${end}`),
  'package.json',
];

/** @returns Whether a file of this name is a config that is found without being named. */
export function isUsualName(name: string): boolean {
  return PLACES.includes(name);
}

/**
 * Looks for a config file from `cwd` upward to the root, then in `$XDG_CONFIG_HOME/jairouter`
 * (`~/.config/jairouter`).
 *
 * @returns Its absolute path.
 */
export async function findConfig(cwd: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { cosmiconfig } = await import('cosmiconfig');
  try {
    const explorer = cosmiconfig('jairouter', {
      searchPlaces: PLACES,
      searchStrategy: 'none',
      packageProp: PACKAGE_KEY,
      cache: false,
      ignoreEmptySearchPlaces: false,
      loaders: Object.fromEntries(PLACES.map((place) => [extname(place) || 'noExt', seen])),
    });
    // Folder by folder: its own way up ends in a config folder that isn't XDG's everywhere.
    for (const folder of [...upward(cwd), userFolder(env)]) {
      const found = await explorer.search(folder);
      if (found && !(found.isEmpty && basename(found.filepath) === 'package.json'))
        return found.filepath;
    }
  } catch (error) {
    // It reads its own settings from the working directory's package.json, which may be broken.
    const named =
      error instanceof Error && 'filepath' in error ? String(error.filepath) : undefined;
    const file = named ?? join(cwd, 'package.json');
    const text = await readFile(file, 'utf8').catch(() => '');
    const mistake = jsonMistake(text);
    const message = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ');
    throw new ConfigError([
      {
        file: shownPath(file, cwd),
        path: '',
        message,
        ...(mistake && { ...placeAt(text, mistake.offset), message: mistake.message }),
      },
    ]);
  }
  return undefined;
}

/**
 * The search only has to know that a file is ours; `source.ts` reads it, with places. A
 * `package.json` is ours when it has our key; one that is broken is somebody else's trouble.
 */
function seen(file: string, text: string): object {
  if (basename(file) !== 'package.json') return {};
  try {
    const content: unknown = JSON.parse(text);
    return typeof content === 'object' && content !== null ? content : {};
  } catch {
    return {};
  }
}

function* upward(from: string): Generator<string> {
  let folder = resolve(from);
  for (;;) {
    yield folder;
    const parent = dirname(folder);
    if (parent === folder) return;
    folder = parent;
  }
}

function userFolder(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config'), 'jairouter');
}
