import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { ConfigError, shownPath, type Finding, type Path } from './problem.ts';

/** From 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** @returns The place of the character at `offset`. */
export function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

/** A config file that was read, and where in it things stand. */
export interface Source {
  /** The whole file, without a byte order mark. */
  readonly text: string;
  /** As its author wrote it, before variables are filled in; `undefined` for an empty file. */
  readonly data: unknown;
  /** Mistakes that leave the rest readable, such as a key given twice. */
  readonly mistakes: readonly (Place & { readonly message: string })[];
  /** The place of a key or a value, or of the nearest block around it that has one. */
  place(path: Path, at: Finding['at']): Place | undefined;
}

/** A file that can't be read as what it is. */
export class SourceError extends Error {
  readonly mistakes: readonly (Partial<Place> & { readonly message: string })[];

  constructor(mistakes: SourceError['mistakes']) {
    super(mistakes.map(({ message }) => message).join('\n'));
    this.name = 'SourceError';
    this.mistakes = mistakes;
  }
}

const DATA = new Set(['', '.yaml', '.yml', '.json']);
const CODE = new Set(['.ts', '.mts', '.js', '.mjs']);

/** The key under which a `package.json` holds our config. */
export const PACKAGE_KEY = 'jairouter';

/** Whether a config file is run, rather than read. */
export function isCode(file: string): boolean {
  return CODE.has(extname(file));
}

/**
 * Reads one config file, by its ending.
 *
 * @param file Absolute.
 * @param options.text What to take for the file's content.
 * @param options.files Gets every file that it is made from, missing ones too.
 * @throws ConfigError when it is missing, of an unknown kind, or not even YAML, JSON or a module.
 */
export async function readSource(
  file: string,
  cwd: string,
  {
    text: given,
    files = new Set(),
  }: { readonly text?: string | undefined; readonly files?: Set<string> } = {},
): Promise<Source> {
  const shown = shownPath(file, cwd);
  const fail = (...mistakes: SourceError['mistakes']): never => {
    throw new ConfigError(mistakes.map((mistake) => ({ file: shown, path: '', ...mistake })));
  };
  const ending = extname(file);
  if (!DATA.has(ending) && !CODE.has(ending))
    fail({ message: `can't be read as a config; it must end in .yaml, .json, .ts or .js` });
  files.add(file);
  try {
    const text = given ?? (await readText(file));
    if (CODE.has(ending)) {
      const { readModule } = await import('./module-source.ts');
      return await readModule(file, text, files);
    }
    const { readYaml } = await import('./yaml-source.ts');
    const source = readYaml(file, text);
    return basename(file) === 'package.json' ? within(source, PACKAGE_KEY) : source;
  } catch (error) {
    if (error instanceof SourceError) return fail(...error.mistakes);
    throw error;
  }
}

/**
 * Reads a file, without its byte order mark.
 * @throws SourceError with the reason when it can't be read.
 */
export async function readText(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    throw new SourceError([{ message: unreadable(error) }]);
  }
}

/** @returns A clause on why a file could not be read. */
export function unreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EISDIR') return 'is a folder, not a file';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read (no permission)';
  return `can't be read: ${error instanceof Error ? error.message : String(error)}`;
}

/** The part of a file under one of its keys. */
function within(source: Source, key: string): Source {
  const { data } = source;
  if (typeof data !== 'object' || data === null || !Object.hasOwn(data, key))
    throw new SourceError([{ message: `has no \`${key}\` key` }]);
  return {
    ...source,
    data: (data as Record<string, unknown>)[key],
    place: (path, at) => source.place([key, ...path], at),
  };
}
