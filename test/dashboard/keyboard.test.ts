import { PassThrough } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { describe, expect, it } from 'vitest';
import { backgroundIn, keyboard } from '../../src/dashboard/keyboard.ts';

/** What of these pieces is read as typed, and what as answers. */
function typed(...pieces: readonly string[]): { keys: string[]; answers: string[] } {
  const stdin = new PassThrough();
  const answers: string[] = [];
  const keys: string[] = [];
  const board = keyboard(stdin as unknown as ReadStream, (answer) => answers.push(answer));
  board.setEncoding('utf8');
  for (const piece of pieces) {
    stdin.write(piece);
    for (let read: unknown; (read = board.read()) !== null;) keys.push(read as string);
  }
  return { keys, answers };
}

describe('the keyboard', () => {
  it('gives what is typed as it comes', () => {
    expect(typed('d', '\u001b', '\u001b[A', ']', '通')).toEqual({
      keys: ['d', '\u001b', '\u001b[A', ']', '通'],
      answers: [],
    });
  });

  it('keeps back what the terminal answers, in one piece or in several', () => {
    const answer = '\u001b]11;rgb:dddd/eeee/bbbb';
    expect(typed(`${answer}\u0007`)).toEqual({ keys: [], answers: ['11;rgb:dddd/eeee/bbbb'] });
    expect(typed(`j${answer}\u001b\\k`)).toEqual({
      keys: ['jk'],
      answers: ['11;rgb:dddd/eeee/bbbb'],
    });
    for (let cut = 2; cut < answer.length; cut += 1) {
      const pieces = [answer.slice(0, cut), `${answer.slice(cut)}\u001b`, '\\e'];
      expect(typed(...pieces)).toEqual({ keys: ['e'], answers: ['11;rgb:dddd/eeee/bbbb'] });
    }
  });

  it('does not wait for the end of what is too long to be an answer', () => {
    const { keys, answers } = typed('\u001b]', 'x'.repeat(80), 'd');
    expect(keys.join('')).toBe(`\u001b]${'x'.repeat(80)}d`);
    expect(answers).toEqual([]);
  });
});

describe('the ground of the terminal', () => {
  it('is light or dark by its answer', () => {
    expect(backgroundIn('11;rgb:ffff/fafa/eded')).toBe('light');
    expect(backgroundIn('11;rgb:1e/1e/2e')).toBe('dark');
    expect(backgroundIn('11;rgba:f/f/f/f')).toBe('light');
    expect(backgroundIn('11;rgb:0000/0000/ffff')).toBe('dark');
    expect(backgroundIn('10;rgb:ffff/ffff/ffff')).toBeUndefined();
    expect(backgroundIn('52;c;ZWRi')).toBeUndefined();
  });
});
