import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  copyFile,
  mkdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceFile } from '../config/edit/replace-file.ts';

/** What is remembered of a file that was written. */
interface Memory {
  /** Absolute. */
  readonly file: string;
  /** Where its content from before is; absent: there was no such file. */
  readonly backup?: string;
  /** Folders that were made for it, the outermost first. */
  readonly folders: readonly string[];
  /** Of what was written. */
  readonly sha256: string;
}

/** What has become of an undo. */
export type Undone = 'restored' | 'removed' | 'nothing' | 'changed';

/**
 * Writes a tool's config and keeps what was there, byte for byte, beside it. Links are followed: many
 * keep such files elsewhere, and link to them. A byte order mark stays, and is not in `text`. A second
 * write keeps the first one's backup, as long as nobody else has changed the file meanwhile.
 *
 * @param folder Where memories are kept, one file a tool.
 * @returns The backup's path; `undefined` where there was nothing to keep.
 * @throws EditError, or an error of the file system, when the file can't be written.
 */
export async function writeWithBackup(
  folder: string,
  tool: string,
  { file: named, text }: { readonly file: string; readonly text: string },
): Promise<string | undefined> {
  const file = existsSync(named) ? await realpath(named) : named;
  const before = await readOrNothing(file);
  const known = await recall(folder, tool);
  const ours = known?.file === file && before !== undefined && hash(before) === known.sha256;
  const folders = ours ? known.folders : missingFolders(dirname(file));
  let backup = ours ? known.backup : undefined;
  await mkdir(dirname(file), { recursive: true });
  if (before !== undefined && !ours) {
    backup = `${file}.before-jairouter`;
    await copyFile(file, backup);
  }
  if (before === undefined) {
    // With keys in it, it is for its owner alone.
    await writeFile(file, text, { mode: 0o600, flag: 'wx' });
  } else {
    await replaceFile(file, text, before.toString('utf8').replace(/^\uFEFF/, ''));
  }
  await remember(folder, tool, {
    file,
    ...(backup !== undefined && { backup }),
    folders,
    sha256: hash(await readFile(file)),
  });
  return backup;
}

/**
 * Brings back what was there before the first write.
 *
 * @param force Also when the file was changed since, which loses those changes.
 */
export async function undoWrite(
  folder: string,
  tool: string,
  force: boolean,
): Promise<{ readonly what: Undone; readonly file?: string }> {
  const known = await recall(folder, tool);
  if (!known) return { what: 'nothing' };
  const { file, backup, folders, sha256 } = known;
  const present = await readOrNothing(file);
  const changed = present !== undefined && hash(present) !== sha256;
  if (changed && !force) return { what: 'changed', file };
  if (backup === undefined) {
    await rm(file, { force: true });
    for (const made of folders.toReversed()) {
      // Somebody has put something else into it.
      await rmdir(made).catch(() => {});
    }
  } else {
    await rename(backup, file);
  }
  await rm(memoryOf(folder, tool), { force: true });
  return { what: backup === undefined ? 'removed' : 'restored', file };
}

function missingFolders(folder: string): string[] {
  if (existsSync(folder)) return [];
  const above = dirname(folder);
  return above === folder ? [folder] : [...missingFolders(above), folder];
}

function memoryOf(folder: string, tool: string): string {
  return join(folder, `${tool}.json`);
}

async function recall(folder: string, tool: string): Promise<Memory | undefined> {
  const text = await readOrNothing(memoryOf(folder, tool));
  return text && (JSON.parse(text.toString('utf8')) as Memory);
}

async function remember(folder: string, tool: string, memory: Memory): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(memoryOf(folder, tool), `${JSON.stringify(memory, null, 2)}\n`, { mode: 0o600 });
}

async function readOrNothing(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function hash(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
