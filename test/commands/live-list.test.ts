import { PassThrough } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { openLiveList, type Screen } from '../../src/commands/live-list.ts';

function screen(more: { isTTY: boolean; columns?: number; rows?: number }): {
  screen: Screen;
  written: () => string;
} {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { screen: Object.assign(stream, more), written: () => text };
}

/** What stands on a terminal after all that was written; as far as the list moves about on it. */
function shown(text: string): string[] {
  const lines: string[] = [''];
  let row = 0;
  const [start = '', ...moves] = text.split('\u001B[');
  for (const move of [`0A${start}`, ...moves]) {
    const [, count, order, plain = ''] = /^(\d*)([AKJ])([\s\S]*)$/.exec(move) ?? [];
    if (order === 'A') row -= Number(count);
    else if (order === 'J') lines.splice(row);
    else lines[row] = '';
    for (const [index, part] of plain.split('\n').entries()) {
      if (index > 0) row++;
      lines[row] = (index > 0 ? '' : (lines[row] ?? '')) + part;
    }
  }
  return lines.filter((line) => line !== '');
}

describe('a list of what is waited for', () => {
  test('turns on a terminal, and leaves what each became', () => {
    vi.useFakeTimers();
    try {
      const { screen: tty, written } = screen({ isTTY: true, columns: 20 });
      const list = openLiveList(tty, ['one', 'two is rather too long for it']);
      expect(shown(written())).toEqual(['⠋ one', '⠋ two is rather to…']);
      list.finish(1, ['two', '  with more']);
      vi.advanceTimersByTime(100);
      expect(shown(written())).toEqual(['⠙ one', 'two']);
      list.finish(0, ['one is longer than the terminal is wide']);
      list.close();
      expect(shown(written())).toEqual([
        'one is longer than',
        'the terminal is wide',
        'two',
        '  with more',
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  test.each([
    ['is no terminal', { isTTY: false }],
    ['is too low for it', { isTTY: true, rows: 4 }],
  ])('is written in its order where the screen %s', (_, kind) => {
    const { screen: plain, written } = screen(kind);
    const list = openLiveList(plain, ['a', 'b', 'c']);
    expect(written()).toBe('');
    list.finish(1, ['b', '  why']);
    expect(written()).toBe('');
    list.finish(0, ['a']);
    expect(written()).toBe('a\nb\n  why\n');
    list.finish(2, ['c']);
    list.close();
    expect(written()).toBe('a\nb\n  why\nc\n');
  });
});
