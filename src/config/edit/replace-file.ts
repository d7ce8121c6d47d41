import { randomBytes } from 'node:crypto';
import { chmod, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EditError } from './edit-error.ts';

/**
 * Writes a file's new content so that every reader sees the old or the new one, whole, even after a
 * crash. It goes through links, and keeps the file's mode and owner.
 *
 * @param expected What the file must hold until then, without its byte order mark.
 * @throws EditError when it holds something else, or can't be written.
 */
export async function replaceFile(file: string, text: string, expected: string): Promise<void> {
  let temporary: string | undefined;
  try {
    const target = await realpath(file);
    const before = await stat(target);
    // In the same folder: a rename does not go from one file system to another.
    temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
    const handle = await open(temporary, 'wx', before.mode);
    const present = await readFile(target, 'utf8');
    const mark = present.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '';
    try {
      await handle.writeFile(mark + text);
      // Only root may give a file away, and need not where it is root's already.
      await handle.chown(before.uid, before.gid).catch(() => {});
      await handle.sync();
    } finally {
      await handle.close();
    }
    // The mode that it was opened with has gone through the umask.
    await chmod(temporary, before.mode);
    if (present.slice(mark.length) !== expected || (await readFile(target, 'utf8')) !== present) {
      throw new EditError(
        'conflict',
        `${basename(file)} was changed on disk meanwhile: look at it, and try again`,
      );
    }
    await renameTo(target, temporary);
    await syncFolder(dirname(target));
  } catch (error) {
    if (temporary) await rm(temporary, { force: true }).catch(() => {});
    if (error instanceof EditError) throw error;
    const { message } = error as Error;
    throw new EditError('uneditable', `${basename(file)} can't be written: ${message}`);
  }
}

const BYTE_ORDER_MARK = '\uFEFF';
/** On Windows, an editor or a virus scanner may hold a file for a moment. */
const RENAME_TRIES = 5;

async function renameTo(target: string, temporary: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await rename(temporary, target);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (tries === RENAME_TRIES || (code !== 'EPERM' && code !== 'EACCES')) throw error;
      await sleep(20 * tries);
    }
  }
}

/** So that the rename itself outlives a crash. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows opens no folders, and some file systems sync none; the file is written all the same.
  }
}
