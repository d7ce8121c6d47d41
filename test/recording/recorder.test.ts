import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { FinishedCall } from '../../src/recording/record.ts';
import { prepareFolder, Recorder } from '../../src/recording/recorder.ts';
import { outcome } from '../support/outcome.ts';
import { tempDir } from '../support/temp-dir.ts';

function finished(id: string): FinishedCall {
  const request = { headers: {}, chunks: [Buffer.from('{}')], times: [0], bytes: 2 };
  const tape = { request, answer: undefined };
  return { outcome: outcome({ id }), method: 'POST', path: '/v1/chat/completions', tape };
}

describe('the recorder', () => {
  it('leaves out what the disk can’t follow, says so once, and how many in the end', async () => {
    const dir = await tempDir();
    const news: string[] = [];
    const recorder = new Recorder({ onNews: (level, message) => news.push(`${level} ${message}`) });
    // All in one turn: not one of them can be written meanwhile.
    for (let count = 1; count <= 1007; count++)
      recorder.take(finished(`req_${String(count).padStart(8, '0')}`), dir, (text) => text);
    expect(news).toEqual([
      expect.stringMatching(/^warn calls are not recorded: .* can't follow, 2 kB wait/),
    ]);
    await recorder.close();
    expect(news.slice(1)).toEqual(['info calls are recorded again; 7 calls are missing']);
    expect(await readdir(dir)).toHaveLength(1000);
    // Nothing waits any more.
    await recorder.close();
  });

  it('makes its folder, with those above it', async () => {
    const dir = `${await tempDir()}/a/b`;
    await prepareFolder(dir);
    expect(await readdir(dir)).toEqual([]);
  });
});
