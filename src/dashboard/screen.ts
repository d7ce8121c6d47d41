import type { ReadStream, WriteStream } from 'node:tty';
import type { Size } from './layout.ts';

/** The terminal, as long as the dashboard has the whole of it. */
export interface Screen {
  readonly size: () => Size;
  /** Shows a picture; only lines that differ from the one before are sent. */
  readonly draw: (lines: readonly string[]) => void;
  /** Gives the terminal back for a while: the shell is seen again. */
  readonly leave: () => void;
  /** Takes it again. The next picture is sent whole. */
  readonly enter: () => void;
  /** Gives it back as it was. May be called more than once, and by whatever ends the process. */
  readonly close: () => void;
}

/** Alternate screen; no cursor; a line that is too long is cut off rather than wrapped. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
const LEAVE = '\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l';
/** Terminals that know these show what is between them at once; the others ignore them. */
const BEGIN = '\u001b[?2026h';
const END = '\u001b[?2026l';

/**
 * Takes the terminal.
 * @param onResize Called when it has another size.
 */
export function openScreen(
  { stdin, stdout }: { readonly stdin: ReadStream; readonly stdout: WriteStream },
  onResize: (size: Size) => void,
): Screen {
  let shown: readonly string[] = [];
  let entered = false;
  const size = (): Size => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
  const resized = (): void => {
    // What a terminal makes of its old content is its own affair.
    shown = [];
    if (entered) stdout.write('\u001b[2J');
    onResize(size());
  };
  const screen: Screen = {
    size,
    draw(lines) {
      if (!entered) return;
      let changes = '';
      for (const [index, line] of lines.entries()) {
        if (line !== shown[index]) changes += `\u001b[${index + 1};1H\u001b[2K${line}\u001b[0m`;
      }
      shown = lines;
      if (changes !== '') stdout.write(BEGIN + changes + END);
    },
    leave() {
      if (!entered) return;
      entered = false;
      try {
        stdin.setRawMode(false);
        stdout.write(LEAVE);
      } catch {
        // The terminal has gone, with whoever sat before it.
      }
    },
    enter() {
      if (entered) return;
      entered = true;
      shown = [];
      stdin.setRawMode(true);
      stdout.write(ENTER);
    },
    close() {
      screen.leave();
      stdout.off('resize', resized);
      process.off('exit', screen.close);
      process.off('uncaughtExceptionMonitor', screen.close);
    },
  };
  stdout.on('resize', resized);
  // However the process ends. The second is there for the error to be printed where it can be read.
  process.on('exit', screen.close);
  process.on('uncaughtExceptionMonitor', screen.close);
  screen.enter();
  return screen;
}
