import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NoRecording, readRecording } from '../recording/read.ts';
import type { Recording } from '../recording/recording.ts';
import { UserError } from './user-error.ts';

/** A recording, and the name by which it was asked for. */
export interface NamedRecording {
  readonly file: string;
  readonly recording: Recording;
}

/**
 * Reads recordings: files, all of a folder, or what a pattern fits, for shells that leave patterns as
 * they are. In the order of the arguments, and within one by name, which is by time.
 * @throws UserError that names each file that is none.
 */
export async function readRecordings(given: readonly string[]): Promise<NamedRecording[]> {
  const files = new Set<string>();
  for (const each of given) for (const file of await filesOf(each)) files.add(file);
  const problems: string[] = [];
  const read: NamedRecording[] = [];
  for (const file of files) {
    try {
      read.push({ file, recording: readRecording(await readFile(file, 'utf8')) });
    } catch (error) {
      const why = error instanceof NoRecording ? error.message : `can't be read: ${String(error)}`;
      problems.push(`${file} ${why}`);
    }
  }
  if (problems.length > 0) throw new UserError(problems.join('; '), 2);
  return read;
}

async function filesOf(given: string): Promise<readonly string[]> {
  const found = await stat(given).catch(() => undefined);
  if (found?.isFile()) return [given];
  const pattern = !found && /[*?]/.test(given);
  if (!found && !pattern) throw new UserError(`there is no file or folder ${given}`, 2);
  const folder = pattern ? baseOf(given) : given;
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const wanted = pattern ? patternOf(given) : undefined;
  const files = names
    .map((name) => join(folder, name).replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.json') && (wanted?.test(file) ?? true))
    .sort();
  if (files.length > 0) return files;
  throw new UserError(`there are no recordings in ${given}`, 2);
}

/** The folders of a pattern up to the first that is one. */
function baseOf(pattern: string): string {
  const plain = pattern.replaceAll('\\', '/').split('/');
  const first = plain.findIndex((part) => /[*?]/.test(part));
  return plain.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.');
}

/** `*` and `?` stay within a folder; `**` is any number of them. */
function patternOf(pattern: string): RegExp {
  const source = join(pattern)
    .replaceAll('\\', '/')
    .replaceAll(/[.+^${}()|[\]]/g, '\\$&')
    .replaceAll(/\*\*\/|\*\*|\*|\?/g, (sign) => SIGNS[sign]!);
  return new RegExp(`^${source}$`);
}

const SIGNS: Readonly<Record<string, string>> = {
  '**/': '(?:.*/)?',
  '**': '.*',
  '*': '[^/]*',
  '?': '[^/]',
};
