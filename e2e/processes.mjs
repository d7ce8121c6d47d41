// Programs that the end-to-end tests start, and end again.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../bin/jairouter.js', import.meta.url));

/** Runs one of our commands to its end, in a home of its own. */
export function jairouter(args, home) {
  const env = { ...process.env, HOME: home, USERPROFILE: home, XDG_CONFIG_HOME: '', NO_COLOR: '1' };
  return execFileSync(process.execPath, [cli, ...args], { cwd: home, env, encoding: 'utf8' });
}

/** Starts one of our commands that runs until it is stopped. */
export function startJairouter(args, home) {
  const env = { ...process.env, HOME: home, USERPROFILE: home, NO_COLOR: '1' };
  const child = spawn(process.execPath, [cli, ...args], { cwd: home, env });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise((resolve) => child.once('close', resolve));
  return {
    output: () => output,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Waits until a program has said something. */
export async function waitFor(started, pattern, patience = 20_000) {
  const deadline = Date.now() + patience;
  for (;;) {
    const match = pattern.exec(started.output());
    if (match) return match;
    if (Date.now() > deadline) throw new Error(`no ${pattern} in:\n${started.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Runs a program to its end; it has no input. */
export function run(program, args, { cwd, env, timeout }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (output += chunk));
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    const end = (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    };
    child.once('error', (error) => {
      output += error.message;
      end(-1);
    });
    child.once('close', end);
  });
}

/**
 * Installs an npm package, unless it is there already.
 * @returns The path of its program, or why it can't be had.
 */
export function installed(folder, name, bin) {
  const program = join(
    folder,
    'node_modules',
    '.bin',
    process.platform === 'win32' ? `${bin}.cmd` : bin,
  );
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    try {
      const args = ['install', '--no-audit', '--no-fund', '--no-save', '--prefix', folder, name];
      execFileSync('npm', args, { shell: process.platform === 'win32', stdio: 'pipe' });
    } catch (error) {
      return { why: `npm can't install ${name}: ${firstLine(error.stderr)}` };
    }
  }
  const manifest = join(folder, 'node_modules', name, 'package.json');
  const version = JSON.parse(readFileSync(manifest, 'utf8')).version;
  try {
    execFileSync(program, ['--version'], {
      stdio: 'pipe',
      timeout: 60_000,
      shell: process.platform === 'win32',
    });
  } catch (error) {
    return {
      why: `${name} ${version} does not run on this machine: ${firstLine(error.stderr) || error.message}`,
    };
  }
  console.log(`${name} ${version}`);
  return program;
}

/** npm begins with the code of what went wrong. */
function firstLine(text) {
  return String(text ?? '')
    .trim()
    .split('\n')[0];
}
