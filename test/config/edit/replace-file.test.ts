import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { replaceFile } from '../../../src/config/edit/replace-file.ts';
import { tempDir } from '../../support/temp-dir.ts';

const windows = process.platform === 'win32';
const root = process.getuid?.() === 0;

async function file(text = 'old'): Promise<{ folder: string; path: string }> {
  const folder = await tempDir();
  const path = join(folder, 'c.yaml');
  await writeFile(path, text);
  return { folder, path };
}

describe('a file that is replaced', () => {
  it('holds the new text, and nothing is left beside it', async () => {
    const { folder, path } = await file();
    await replaceFile(path, 'new', 'old');
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['c.yaml']);
  });

  it.skipIf(windows).each([0o600, 0o640, 0o666])('keeps its mode %o', async (mode) => {
    const { path } = await file();
    await chmod(path, mode);
    await replaceFile(path, 'new', 'old');
    expect((await stat(path)).mode & 0o777).toBe(mode);
  });

  it.skipIf(windows)('stays where a link leads to', async () => {
    const { folder, path } = await file();
    await mkdir(join(folder, 'sub'));
    const link = join(folder, 'sub', 'link.yaml');
    await symlink('../c.yaml', link);
    await replaceFile(link, 'new', 'old');
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readFile(path, 'utf8')).toBe('new');
  });

  it('keeps its byte order mark', async () => {
    const { path } = await file('\uFEFFold');
    await replaceFile(path, 'new', 'old');
    expect(await readFile(path, 'utf8')).toBe('\uFEFFnew');
  });

  it('is left alone when it is not as expected', async () => {
    const { folder, path } = await file('other');
    await expect(replaceFile(path, 'new', 'old')).rejects.toMatchObject({ reason: 'conflict' });
    expect(await readFile(path, 'utf8')).toBe('other');
    expect(await readdir(folder)).toEqual(['c.yaml']);
  });

  it('that is gone is no reason to make one', async () => {
    const folder = await tempDir();
    await expect(replaceFile(join(folder, 'c.yaml'), 'new', 'old')).rejects.toMatchObject({
      reason: 'uneditable',
      message: expect.stringContaining("c.yaml can't be written") as string,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it.skipIf(windows || root)('needs a folder that can be written', async () => {
    const { folder, path } = await file();
    await chmod(folder, 0o500);
    await expect(replaceFile(path, 'new', 'old')).rejects.toMatchObject({ reason: 'uneditable' });
    await chmod(folder, 0o700);
  });
});
