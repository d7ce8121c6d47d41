import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { History, type ChangeSource } from '../../src/config/history.ts';
import { tempDir } from '../support/temp-dir.ts';

interface Kept {
  readonly history: History;
  readonly state: string;
  readonly troubles: readonly string[];
  readonly folder: () => Promise<string>;
  readonly add: (text: string, source?: ChangeSource) => Promise<number>;
}

async function keep(state?: string): Promise<Kept> {
  const where = state ?? (await tempDir());
  const troubles: string[] = [];
  const history = new History({
    state: where,
    file: '/somewhere/jairouter.config.yaml',
    onTrouble: (message) => void troubles.push(message),
  });
  return {
    history,
    state: where,
    troubles,
    folder: async () => {
      const [name] = await readdir(join(where, 'history'));
      return join(where, 'history', name!);
    },
    add: (text, source = 'edit') => history.add({ text, source, at: 1000, diff: [`now ${text}`] }),
  };
}

describe('the history', () => {
  it('keeps each config with its time, source and diff, the newest first', async () => {
    const { history, add } = await keep();
    expect([await add('a', 'start'), await add('b'), await add('c', 'api')]).toEqual([1, 2, 3]);
    expect(await history.list()).toEqual([
      { version: 3, at: 1000, source: 'api', diff: ['now c'] },
      { version: 2, at: 1000, source: 'edit', diff: ['now b'] },
      { version: 1, at: 1000, source: 'start', diff: ['now a'] },
    ]);
    expect(await history.read(2)).toMatchObject({ version: 2, text: 'b' });
    expect(await history.read(9)).toBeUndefined();
  });

  it('makes no version of what is there already, also after a restart', async () => {
    const { add, state } = await keep();
    expect([await add('a'), await add('a'), await add('b')]).toEqual([1, 1, 2]);
    const later = await keep(state);
    expect([await later.add('b', 'start'), await later.add('a'), await later.add('b')]).toEqual([
      2, 3, 4,
    ]);
  });

  it('keeps the last fifty', async () => {
    const { history, add } = await keep();
    for (let number = 1; number <= 53; number++) await add(`text ${number}`);
    const versions = (await history.list()).map(({ version }) => version);
    expect(versions).toHaveLength(50);
    expect([versions.at(0), versions.at(-1)]).toEqual([53, 4]);
    expect(await history.read(3)).toBeUndefined();
    expect(await add('text 53')).toBe(53);
  });

  it.skipIf(process.platform === 'win32')('is for its owner alone', async () => {
    const { add, folder } = await keep();
    await add('a');
    expect((await stat(await folder())).mode & 0o777).toBe(0o700);
    expect((await stat(join(await folder(), '000001.json'))).mode & 0o777).toBe(0o600);
  });

  it('of two servers with the same config is one, and loses nothing', async () => {
    const one = await keep();
    const other = await keep(one.state);
    const versions = await Promise.all([
      ...['a', 'b', 'c'].map((text) => one.add(text)),
      ...['d', 'e', 'f'].map((text) => other.add(text)),
    ]);
    expect(new Set(versions).size).toBe(6);
    const texts = await Promise.all(versions.map((version) => one.history.read(version)));
    expect(texts.map((entry) => entry?.text)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it('leaves out what is damaged, and goes on above it', async () => {
    const { history, add, folder } = await keep();
    await add('a');
    await writeFile(join(await folder(), '000002.json'), '{"version": 2, "te');
    await writeFile(join(await folder(), '000003.json'), '{}');
    await writeFile(join(await folder(), 'notes.txt'), 'mine');
    expect((await history.list()).map(({ version }) => version)).toEqual([1]);
    expect(await history.read(2)).toBeUndefined();
    expect(await add('a')).toBe(4);
    expect(await readFile(join(await folder(), 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('is kept in memory where it can’t be written, which is said once', async () => {
    const state = await tempDir();
    await writeFile(join(state, 'history'), 'a file in its way');
    const { history, add, troubles } = await keep(state);
    expect([await add('a'), await add('a'), await add('b')]).toEqual([1, 1, 2]);
    expect(troubles).toEqual([expect.stringContaining("history can't be kept")]);
    expect((await history.list()).map(({ version }) => version)).toEqual([2, 1]);
    expect(await history.read(1)).toMatchObject({ text: 'a' });
  });

  it('is another one for another file of the same name', async () => {
    const { state, add } = await keep();
    await add('a');
    await mkdir(join(state, 'history'), { recursive: true });
    const other = new History({
      state,
      file: '/elsewhere/jairouter.config.yaml',
      onTrouble: () => {},
    });
    expect(await other.list()).toEqual([]);
  });
});
