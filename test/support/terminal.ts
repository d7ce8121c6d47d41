import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);
const bin = fileURLToPath(new URL('../../bin/jairouter.js', import.meta.url));

/** Whether there is a terminal to be had: tmux is one, without a screen. */
export const HAS_TMUX = spawnSync('tmux', ['-V']).status === 0;

export interface TerminalOptions {
  readonly cwd: string;
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A terminal in which a shell runs a command, and then tells how that has ended. */
export interface Terminal {
  /** What is on the screen now. */
  screen(): Promise<string>;
  /** The same, with lines in one piece that were too wide for it. */
  joined(): Promise<string>;
  /** @param keys As tmux names them: `Enter`, `Escape`, `C-c`, or characters. */
  press(...keys: readonly string[]): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /**
   * Waits for something on the screen.
   * @param timeout Milliseconds.
   */
  sees(wanted: RegExp | string, timeout?: number): Promise<string>;
  /** What tmux knows of it, such as `alternate_on`. */
  flag(name: string): Promise<string>;
  /** The process of the command. */
  pid(): Promise<number>;
  /** As when somebody closes its window. */
  close(): Promise<void>;
}

let opened = 0;

/** @param args Of `jairouter`, which a shell runs there as if it had been typed. */
export async function openTerminal(
  args: readonly string[],
  { cwd, columns = 100, rows = 30, env = {} }: TerminalOptions,
): Promise<Terminal> {
  const name = `jairouter-test-${process.pid}-${(opened += 1)}`;
  const tmux = async (...given: string[]): Promise<string> =>
    (await run('tmux', ['-L', name, ...given])).stdout;
  const variables = { HOME: cwd, USERPROFILE: cwd, XDG_STATE_HOME: '', PS1: '$ ', ...env };
  const set = Object.entries(variables).map(([key, value]) => `${key}=${quoted(value)}`);
  const size = ['-x', String(columns), '-y', String(rows)];
  const shell = `env ${set.join(' ')} sh -i`;
  await tmux('-f', '/dev/null', 'new-session', '-d', ...size, '-c', cwd, shell);
  onTestFinished(() => {
    // It has none left when the test has ended all that ran there.
    spawnSync('tmux', ['-L', name, 'kill-server']);
  });
  const terminal: Terminal = {
    screen: () => tmux('capture-pane', '-p'),
    joined: () => tmux('capture-pane', '-p', '-J'),
    press: async (...keys) => void (await tmux('send-keys', ...keys)),
    resize: async (x, y) => void (await tmux('resize-window', '-x', String(x), '-y', String(y))),
    async sees(wanted, timeout = 10_000) {
      const deadline = performance.now() + timeout;
      for (;;) {
        const screen = await terminal.screen();
        if (typeof wanted === 'string' ? screen.includes(wanted) : wanted.test(screen))
          return screen;
        if (performance.now() > deadline)
          throw new Error(`${String(wanted)} is not on the screen:\n${screen}`);
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    },
    flag: async (flag) => (await tmux('display-message', '-p', `#{${flag}}`)).trim(),
    close: async () => void (await tmux('kill-server')),
    async pid() {
      const shell = (await tmux('display-message', '-p', '#{pane_pid}')).trim();
      // It has one child: the command.
      return Number(execFileSync('pgrep', ['-P', shell], { encoding: 'utf8' }).trim());
    },
  };
  await terminal.sees(/^\$/m);
  await terminal.press(
    `jairouter() { ${[process.execPath, bin].map(quoted).join(' ')} "$@"; }`,
    'Enter',
  );
  const command = ['jairouter', ...args].map(quoted).join(' ');
  await terminal.press(`clear; echo before; ${command}; echo "ended $?"`, 'Enter');
  return terminal;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
