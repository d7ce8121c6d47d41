import { stripVTControlCharacters } from 'node:util';
import { broken } from './prose.ts';
import { columnsOf, type Output } from './terminal.ts';

export type Screen = Output & {
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
};

/** A list of things that are being waited for. */
export interface LiveList {
  /** Puts these lines in the place of an entry: its wait is over. */
  finish(entry: number, lines: readonly string[]): void;
  /** Leaves the list as it is now. */
  close(): void;
}

/** Milliseconds between two pictures of what still turns. */
const BEAT = 100;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/**
 * Shows what is waited for: with turning marks on a terminal, and elsewhere entry by entry as each is
 * finished, in their order.
 *
 * @param first The line of each entry while it waits.
 */
export function openLiveList(screen: Screen, first: readonly string[]): LiveList {
  // What has left the screen at its top can't be drawn over.
  const fits = first.length + 1 < (screen.rows ?? 24);
  return screen.isTTY && fits ? drawn(screen, first) : written(screen, first.length);
}

function written(screen: Screen, count: number): LiveList {
  const finished = Array.from<readonly string[] | undefined>({ length: count });
  let next = 0;
  return {
    finish(entry, lines) {
      finished[entry] = lines;
      for (let lines = finished[next]; lines; lines = finished[++next]) screen.write(text(lines));
    },
    close() {},
  };
}

function drawn(screen: Screen, first: readonly string[]): LiveList {
  const finished = Array.from<readonly string[] | undefined>({ length: first.length });
  let beat = 0;
  /** Each entry has one line while others are waited for, so that the way back up is known. */
  const draw = (): void => {
    const mark = FRAMES[beat++ % FRAMES.length]!;
    const lines = first.map((line, entry) => finished[entry]?.[0] ?? `${mark} ${line}`);
    screen.write(text(lines.map((line) => `\u001B[2K${cut(line, columnsOf(screen) ?? 80)}`)));
  };
  const back = `\u001B[${first.length}A`;
  draw();
  const timer = setInterval(() => {
    screen.write(back);
    draw();
  }, BEAT);
  return {
    finish(entry, lines) {
      finished[entry] = lines;
    },
    close() {
      clearInterval(timer);
      const lines = first.flatMap((line, entry) => finished[entry] ?? [line]);
      screen.write(
        `${back}\u001B[J${text(lines.flatMap((line) => broken(line, columnsOf(screen) ?? 80)))}`,
      );
    },
  };
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

/** A line that wraps would be two, and the next picture in the wrong place. */
function cut(line: string, width: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length < width ? line : `${plain.slice(0, width - 2)}…`;
}
