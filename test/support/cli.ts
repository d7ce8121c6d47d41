import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../bin/jairouter.js', import.meta.url));

export interface CliOptions {
  /** Where it runs; also its home, so that no config or state of the developer's is seen. */
  readonly cwd: string;
  /** All of its environment but what the system itself needs: no API keys leak in. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface CliResult {
  /** The exit code; `null` when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly pid: number;
  /** Everything it wrote so far, both streams in their order of arrival. */
  output(): string;
  /**
   * Waits until its output matches, from the beginning of the run.
   *
   * @param timeout Milliseconds.
   * @throws Error with all of the output, when it ends first or the time is over.
   */
  waitFor(pattern: RegExp, timeout?: number): Promise<RegExpExecArray>;
  /** Its end, whoever brings it about. */
  readonly finished: Promise<CliResult>;
  /** Ends it and waits for that; after 12 seconds, longer than any drain, by force. */
  stop(signal?: NodeJS.Signals): Promise<CliResult>;
}

/**
 * Runs `bin/jairouter.js` to its end, as a user would.
 *
 * @param options `stdin` is written to it and closed; without it there is none. `timeout`, in
 *   milliseconds, is when it is killed.
 */
export async function runCli(
  args: readonly string[],
  options: CliOptions & { readonly stdin?: string; readonly timeout?: number },
): Promise<CliResult> {
  const child = start(args, options);
  child.process.stdin?.end(options.stdin ?? '');
  const timer = setTimeout(() => child.process.kill('SIGKILL'), options.timeout ?? 15_000);
  try {
    return await child.finished;
  } finally {
    clearTimeout(timer);
  }
}

/** Starts a command that runs until it is stopped (`serve`, `mock`); the caller stops it. */
export function startCli(args: readonly string[], options: CliOptions): RunningCli {
  const child = start(args, options);
  child.process.stdin?.end();
  const { pid } = child.process;
  if (pid === undefined) throw new Error(`could not start ${bin}`);
  return {
    pid,
    output: () => child.output(),
    finished: child.finished,
    waitFor: (pattern, timeout = 10_000) => waitFor(child, pattern, timeout),
    stop: async (signal = 'SIGTERM') => {
      child.process.kill(signal);
      const timer = setTimeout(() => child.process.kill('SIGKILL'), 12_000);
      const result = await child.finished;
      clearTimeout(timer);
      return result;
    },
  };
}

interface Started {
  readonly process: ChildProcess;
  readonly finished: Promise<CliResult>;
  output(): string;
  /** @param listener Called after each piece of output. */
  onOutput(listener: () => void): () => void;
}

function start(args: readonly string[], { cwd, env }: CliOptions): Started {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { ...systemEnv(), HOME: cwd, USERPROFILE: cwd, NO_COLOR: '1', ...env },
    stdio: 'pipe',
  });
  // A test that fails before its own clean-up must not leave a server behind.
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);

  const text = { stdout: '', stderr: '', both: '' };
  const listeners = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      text.both += chunk;
      for (const listener of listeners) listener();
    });
  }
  // It may end without reading what it is given.
  child.stdin.on('error', () => {});

  const finished = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('exit', kill);
      resolve({ code, stdout: text.stdout, stderr: text.stderr });
    });
  });
  return {
    process: child,
    finished,
    output: () => text.both,
    onOutput(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function waitFor(child: Started, pattern: RegExp, timeout: number): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      forget();
    };
    const fail = (reason: string): void => {
      settle();
      reject(new Error(`${reason} without ${String(pattern)} in its output:\n${child.output()}`));
    };
    const look = (): void => {
      const match = new RegExp(pattern, pattern.flags.replaceAll(/[gy]/g, '')).exec(child.output());
      if (!match) return;
      settle();
      resolve(match);
    };
    const timer = setTimeout(() => fail(`${timeout} ms passed`), timeout);
    const forget = child.onOutput(look);
    child.finished.then(
      ({ code }) => fail(`it ended with code ${code}`),
      (error: unknown) => fail(String(error)),
    );
    look();
  });
}

/** What a process cannot do without, and nothing that configures jairouter. */
function systemEnv(): Record<string, string> {
  const kept = ['PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR', 'NODE_V8_COVERAGE'];
  return Object.fromEntries(
    kept.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
