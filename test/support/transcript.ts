import { spawn } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { tempDir } from './temp-dir.ts';

/**
 * A page of documentation that shows a session in terminals, as a list of what to do:
 * - a block `console` has lines `$ COMMAND`, with `> ` before what continues one, and what each prints;
 * - what begins with `…` is printed by the command that runs already, if there is one;
 * - a line `^C` ends the command of the block;
 * - any other block whose first line is a comment with a file's name and nothing else is that file.
 */
export type Step =
  | { readonly do: 'run'; readonly command: string; readonly prints: readonly string[] }
  | { readonly do: 'stop' }
  | { readonly do: 'save'; readonly file: string; readonly text: string };

export function stepsOf(page: string): Step[] {
  const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, language = '', text = '']): Step[] => {
    if (language === 'console') return commandsIn(text);
    const file = /^# (\S+\.\w+)\n/.exec(text)?.[1];
    return file === undefined ? [] : [{ do: 'save', file, text }];
  });
}

function commandsIn(block: string): Step[] {
  const steps: (Step | { do: 'run'; command: string; prints: string[] })[] = [];
  for (const line of block.trimEnd().split('\n')) {
    const last = steps.at(-1);
    if (line === '^C') steps.push({ do: 'stop' });
    else if (line.startsWith('$ ')) steps.push({ do: 'run', command: line.slice(2), prints: [] });
    else if (last?.do !== 'run') throw new Error(`nothing prints this: ${line}`);
    else if (line.startsWith('> '))
      steps[steps.length - 1] = { ...last, command: `${last.command}\n${line.slice(2)}` };
    else (last.prints as string[]).push(line);
  }
  return steps;
}

/**
 * @returns What matches all of an output that looks like these lines. `…` stands for anything within a
 * line, alone in one for any lines; times and the like are different each time.
 */
export function patternOf(lines: readonly string[]): RegExp {
  const sources = lines.map((line) =>
    line.trim() === '…' ? '(?:.*\\n)*?' : `${lineSource(line.trimEnd())}[ ]*\\n`,
  );
  return new RegExp(`^${sources.join('')}$`);
}

/** What is measured, or is of this one run. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/^\d\d:\d\d:\d\d/, String.raw`\d\d:\d\d:\d\d`],
  [/^\d[\d.,]* ?(ms|s|tok\/s|m|h|kB|req\/s)(?!\w)/, String.raw`[\d.,<]+ ?\w+(?:/s)?`],
  [/^ *…/, '.*?'],
  [/^ {2,}/, ' +'],
  [/^[\\^$.*+?()[\]{}|]/, String.raw`\$&`],
];

function lineSource(line: string): string {
  let source = '';
  for (let rest = line; rest !== '';) {
    let text = rest[0]!;
    let stands = text;
    for (const [pattern, instead] of CHANGING) {
      const found = pattern.exec(rest)?.[0];
      if (found === undefined) continue;
      text = found;
      stands = instead.replace('$&', text);
      break;
    }
    source += stands;
    rest = rest.slice(text.length);
  }
  return source;
}

interface Running {
  readonly command: string;
  readonly output: () => string;
  readonly ended: Promise<void>;
  readonly signal: (name: NodeJS.Signals) => void;
}

/** Milliseconds that a command may take to print what it should. */
const PATIENCE = 20_000;
/** And that one which has printed it, and runs on, may take to end or to say more. */
const GRACE = 300;

/**
 * Does all of it in an empty folder, with `jairouter` on the path; bash has to be there.
 *
 * @param replaced What stands for what in commands, outputs and files, such as a free port for a fixed one.
 * @throws Error when a command does not print what it should.
 */
export async function play(
  steps: readonly Step[],
  replaced: Readonly<Record<string, string>>,
): Promise<void> {
  const home = await tempDir();
  const cwd = join(home, 'work');
  await mkdir(cwd);
  const env = await environment(home);
  const running: Running[] = [];
  onTestFinished(async () => {
    for (const one of running) one.signal('SIGKILL');
    await Promise.all(running.map(({ ended }) => ended));
  });
  const put = (text: string): string =>
    Object.entries(replaced).reduce((before, [from, to]) => before.replaceAll(from, to), text);
  for (const step of steps) {
    if (step.do === 'save') await writeFile(join(cwd, step.file), put(step.text));
    if (step.do === 'stop') {
      const last = running.pop();
      last?.signal('SIGINT');
      await last?.ended;
    }
    if (step.do !== 'run') continue;
    const command = put(step.command);
    const isMore = step.prints[0] === '…';
    const again = running.findIndex((one) => isMore && one.command === command);
    const [shown = start(command, { cwd, env })] = again < 0 ? [] : running.splice(again, 1);
    const runsOn = await printed(shown, step.prints.map(put));
    if (runsOn) running.push(shown);
  }
}

async function environment(home: string): Promise<NodeJS.ProcessEnv> {
  const bin = join(home, 'bin');
  await mkdir(bin);
  const cli = fileURLToPath(new URL('../../bin/jairouter.js', import.meta.url));
  await writeFile(join(bin, 'jairouter'), `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`);
  await chmod(join(bin, 'jairouter'), 0o755);
  return {
    PATH: bin + delimiter + (process.env['PATH'] ?? ''),
    HOME: home,
    NO_COLOR: '1',
    LANG: 'C.UTF-8',
  };
}

function start(
  command: string,
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Running {
  // A group of its own, as a terminal gives it: its end is the end of all that it started.
  const child = spawn('bash', ['-c', command], { cwd, env, detached: true, stdio: 'pipe' });
  child.stdin.end();
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  }
  let over = false;
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => {
      over = true;
      resolve();
    });
  });
  return {
    command,
    output: () => stripVTControlCharacters(text).replaceAll('\r', ''),
    ended,
    signal: (name) => void (over || process.kill(-child.pid!, name)),
  };
}

/** @returns Whether it runs on, having printed all of it. */
async function printed(
  { command, output, ended }: Running,
  prints: readonly string[],
): Promise<boolean> {
  const pattern = patternOf(prints);
  const over = ended.then(() => true);
  const fails = (): boolean => !pattern.test(`${output().trimEnd()}\n`);
  for (const deadline = Date.now() + PATIENCE; Date.now() < deadline;) {
    const isOver = await Promise.race([over, sleep(prints.length > 0 && !fails() ? GRACE : 50)]);
    if (isOver === true || (prints.length > 0 && !fails())) {
      if (!fails()) return isOver !== true;
      break;
    }
  }
  throw new Error(
    `\n$ ${command}\nshould print\n${prints.join('\n')}\n-- and printed\n${output()}--`,
  );
}
