import {
  chmod,
  mkdir,
  readdir,
  readFile,
  realpath,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { undoWrite, writeWithBackup } from '../../src/connect/backup.ts';
import { tempDir } from '../support/temp-dir.ts';

async function place(): Promise<{ memories: string; file: string; home: string }> {
  const folder = await tempDir();
  return {
    home: join(folder, 'home'),
    memories: join(folder, 'state', 'connect'),
    file: join(folder, 'home', '.tool', 'deep', 'config'),
  };
}

const BYTES = Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0x0d, 0x0a, 0xff, 0x00]);

describe('a config that was there', () => {
  test('comes back byte for byte, with its mode', async () => {
    const { memories, file } = await place();
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, BYTES);
    await chmod(file, 0o664);
    const backup = await writeWithBackup(memories, 'tool', { file, text: 'new' });
    expect(backup).toBe(`${file}.before-jairouter`);
    expect(await readFile(file, 'utf8')).toBe('\uFEFFnew');
    expect(await readFile(backup!)).toEqual(BYTES);
    expect(await undoWrite(memories, 'tool', false)).toEqual({ what: 'restored', file });
    expect(await readFile(file)).toEqual(BYTES);
    if (process.platform !== 'win32') expect((await stat(file)).mode & 0o777).toBe(0o664);
    expect(await readdir(join(file, '..'))).toEqual(['config']);
    expect(await undoWrite(memories, 'tool', false)).toEqual({ what: 'nothing' });
  });

  test('comes back after several writes', async () => {
    const { memories, file } = await place();
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, BYTES);
    for (const text of ['one', 'two', 'three'])
      await writeWithBackup(memories, 'tool', { file, text });
    await undoWrite(memories, 'tool', false);
    expect(await readFile(file)).toEqual(BYTES);
  });

  test('is not brought back over changes of somebody else’s, unless that is wanted', async () => {
    const { memories, file } = await place();
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, 'old');
    await writeWithBackup(memories, 'tool', { file, text: 'ours' });
    await writeFile(file, 'ours, and theirs');
    expect(await undoWrite(memories, 'tool', false)).toEqual({ what: 'changed', file });
    expect(await readFile(file, 'utf8')).toBe('ours, and theirs');
    // What they have made of it is what a further write goes back to.
    await writeWithBackup(memories, 'tool', { file, text: 'ours again' });
    await undoWrite(memories, 'tool', false);
    expect(await readFile(file, 'utf8')).toBe('ours, and theirs');
  });

  test('is lost only when that is said', async () => {
    const { memories, file } = await place();
    await writeWithBackup(memories, 'tool', { file, text: 'ours' });
    await writeFile(file, 'theirs');
    expect(await undoWrite(memories, 'tool', true)).toEqual({ what: 'removed', file });
  });

  test.skipIf(process.platform === 'win32')('stays a link, when it was one', async () => {
    const { memories, file, home } = await place();
    await mkdir(join(file, '..'), { recursive: true });
    const real = join(home, 'dotfiles');
    await writeFile(real, 'old');
    await symlink(real, file);
    await writeWithBackup(memories, 'tool', { file, text: 'ours' });
    expect(await readFile(real, 'utf8')).toBe('ours');
    expect(await realpath(file)).toBe(await realpath(real));
    await undoWrite(memories, 'tool', false);
    expect(await readFile(file, 'utf8')).toBe('old');
    expect(await realpath(file)).toBe(await realpath(real));
  });
});

describe('a config that was not there', () => {
  test('goes again, with the folders that were made for it', async () => {
    const { memories, file, home } = await place();
    await mkdir(home);
    expect(await writeWithBackup(memories, 'tool', { file, text: 'new' })).toBeUndefined();
    if (process.platform !== 'win32') expect((await stat(file)).mode & 0o077).toBe(0);
    expect(await undoWrite(memories, 'tool', false)).toEqual({ what: 'removed', file });
    expect(await readdir(home)).toEqual([]);
  });

  test('leaves a folder that has something else in it by now', async () => {
    const { memories, file, home } = await place();
    await mkdir(home);
    await writeWithBackup(memories, 'tool', { file, text: 'new' });
    await writeFile(join(home, '.tool', 'history'), '');
    await undoWrite(memories, 'tool', false);
    expect(await readdir(join(home, '.tool'))).toEqual(['history']);
  });
});
