/** The processes that the bench starts: their start, what they use, and their end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'undici';

/** Linux tells what a process uses; elsewhere CPU and memory figures are left out. */
export const ON_LINUX = process.platform === 'linux';

/** @type {Set<Child>} */
const running = new Set();

/** One started process, with those that it starts itself. */
export class Child {
  /**
   * @param {string} command
   * @param {readonly string[]} args
   * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, readLine?: boolean }} options
   *   `readLine`: it says its port on stdout; all others' stdout goes nowhere.
   */
  constructor(command, args, { cwd, env, readLine = false } = {}) {
    this.startedAt = performance.now();
    /** Why it is no more; `undefined` while it runs. */
    this.failure = undefined;
    let errors = '';
    this.process = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', readLine ? 'pipe' : 'ignore', 'pipe'],
      // Its own group, so that what npx starts can be ended with it.
      detached: process.platform !== 'win32',
    });
    running.add(this);
    this.process.stderr.on('data', (text) => (errors = (errors + text).slice(-2000)));
    this.ended = new Promise((resolve) => {
      const end = (failure) => {
        this.failure = failure;
        running.delete(this);
        resolve();
      };
      this.process.on('error', (error) => end(error.message));
      this.process.on('exit', (code, signal) =>
        end(`it ended (${signal ?? code})${reason(errors)}`),
      );
    });
  }

  /** @returns {Promise<string>} The origin that it says to listen on. */
  async origin() {
    const said = await Promise.race([once(this.process.stdout, 'data'), this.ended]);
    if (said === undefined) throw new Error(this.failure);
    return `http://127.0.0.1:${String(said[0]).trim()}`;
  }

  /**
   * Waits until it answers.
   * @returns {Promise<number>} Milliseconds from its start to its first good answer.
   */
  async answers(origin, path, timeout) {
    while (performance.now() - this.startedAt < timeout) {
      if (this.failure) throw new Error(this.failure);
      if (await isUp(origin, path)) return performance.now() - this.startedAt;
      await sleep(4);
    }
    throw new Error(`no answer on ${path} within ${timeout / 1000} s`);
  }

  /** CPU time it has used so far, in microseconds. */
  cpu() {
    return sum(tree(this.process.pid), (pid) =>
      sum(readdirSync(`/proc/${pid}/task`), (task) => {
        const [nanoseconds] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(
          ' ',
        );
        return Number(nanoseconds) / 1000;
      }),
    );
  }

  /** Memory it has resident, in KiB. */
  rss() {
    return sum(tree(this.process.pid), (pid) =>
      Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0),
    );
  }

  async close() {
    if (this.failure !== undefined) return;
    this.#signal('SIGTERM');
    const timer = setTimeout(() => this.#signal('SIGKILL'), 3000);
    await this.ended;
    clearTimeout(timer);
  }

  /** For the way out, when there is no waiting any more. */
  kill() {
    this.#signal('SIGKILL');
  }

  #signal(signal) {
    const { pid } = this.process;
    if (pid === undefined) return;
    try {
      if (process.platform === 'win32') this.process.kill(signal);
      else process.kill(-pid, signal);
    } catch {
      // It has ended by itself in the meantime.
    }
  }
}

/** Ends all that still runs. */
export async function closeAll() {
  await Promise.all([...running].map((child) => child.close()));
}

process.on('exit', () => {
  for (const child of running) child.kill();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

/** @returns {Promise<number>} A port that nobody listens on. */
export async function freePort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function isUp(origin, path) {
  const client = new Client(origin);
  try {
    const { statusCode, body } = await client.request({
      path,
      method: 'GET',
      headersTimeout: 1000,
    });
    await body.dump();
    return statusCode === 200;
  } catch {
    // Not yet: the caller asks again until its time is up.
    return false;
  } finally {
    await client.destroy();
  }
}

/** The line of a process's last words that says most. */
function reason(errors) {
  const lines = errors.trim().split('\n');
  const line = lines.find((each) => /error/i.test(each)) ?? lines.at(-1);
  return line && `: ${line.trim()}`;
}

/** @returns {number[]} The process and all that came from it. */
function tree(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  return [pid, ...children.filter(Boolean).flatMap((child) => tree(Number(child)))];
}

function sum(items, value) {
  let total = 0;
  for (const item of items) total += value(item);
  return total;
}
