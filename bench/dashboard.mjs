/**
 * `npm run bench:dashboard`: what the dashboard costs in a terminal (tmux) of its own: its first
 * picture, its CPU and memory over a busy server, and what the server pays for being watched.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { Child, closeAll, ON_LINUX } from './children.mjs';
import { median } from './numbers.mjs';
import { machine } from './report.mjs';
import { chatBody, MODEL } from './shapes.mjs';
import { JAIROUTER, startJairouter } from './targets.mjs';

const INSTANCES = 50;
const CALLS_PER_SECOND = 200;
/** Milliseconds. */
const ROUND = 15_000;
const STARTS = 7;
/** With a watcher and without one, in turns: what differs is smaller than what changes by itself. */
const TURNS = 12;
const TURN = 4000;
const SIZES = [
  [80, 24],
  [140, 40],
  [250, 70],
];

let opened = 0;
if (!ON_LINUX) throw new Error('CPU and memory of a process are told by Linux alone');
const folder = mkdtempSync(join(tmpdir(), 'jairouter-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
// Where the bench's servers leave word of themselves.
process.env.XDG_STATE_HOME = folder;

const about = machine();
say(`${about.cpu}, ${about.cores} cores · Node ${about.node} · ${about.system}`);
const upstream = new Child(
  process.execPath,
  [fileURLToPath(new URL('upstream.mjs', import.meta.url))],
  {
    readLine: true,
  },
);
const baseUrl = await upstream.origin();
const names = Array.from({ length: INSTANCES }, (_, index) => `gpu-${index + 1}`);
const server = await startJairouter(
  folder,
  Object.fromEntries(names.map((name) => [name, { baseUrl, models: [MODEL] }])),
);

const bare = median(await repeated(() => timed(() => execFileSync(process.execPath, ['-e', '0']))));
const firsts = await repeated(firstPicture);
const [wall, cpu] = ['wall', 'cpu'].map((kind) =>
  median(firsts.map((one) => one[kind])).toFixed(0),
);
say(
  `\nfirst picture: ${wall} ms after the start, ${cpu} ms of CPU (bare Node: ${bare.toFixed(0)} ms)`,
);

const stop = load();
await sleep(5000);
say(`\n${INSTANCES} instances, ${CALLS_PER_SECOND} calls a second, ${ROUND / 1000} s each:`);
for (const [columns, rows] of SIZES) {
  const terminal = open(columns, rows);
  await sleep(5000);
  const start = { cpu: cpuOf(terminal.pid), written: writtenBy(terminal.pid) };
  await sleep(ROUND);
  const used = (cpuOf(terminal.pid) - start.cpu) / 1000 / ROUND;
  const written = (writtenBy(terminal.pid) - start.written) / ROUND;
  say(
    `${`${columns} × ${rows}`.padEnd(10)} ${share(used)} of a core, ${rssOf(terminal.pid)} MB, ` +
      `${written.toFixed(0)} kB/s to the terminal`,
  );
  terminal.close();
}
const costs = { alone: [], watched: [] };
for (let turn = 0; turn < TURNS; turn += 1) {
  costs.alone.push(await serverCost());
  const watcher = watch();
  costs.watched.push(await serverCost());
  watcher.leave();
}
const [alone, watched] = [costs.alone, costs.watched].map(median);
say(`\nthe server: ${share(alone)} of a core, with a watcher ${share(watched)}`);
stop();
await closeAll();

/** @returns What the server's process uses of a core, over one turn. */
async function serverCost() {
  const before = server.child.cpu();
  const began = performance.now();
  await sleep(TURN);
  return (server.child.cpu() - before) / 1000 / (performance.now() - began);
}

/** Follows the server as a dashboard does, and looks at nothing. */
function watch() {
  const states = join(folder, 'jairouter/servers');
  const [file] = readdirSync(states);
  const { token } = JSON.parse(readFileSync(join(states, file), 'utf8'));
  const headers = { authorization: `Bearer ${token}` };
  const request = get(`${server.origin}/admin/events`, { headers }, (answer) => answer.resume());
  request.on('error', () => {});
  return { leave: () => request.destroy() };
}

/** Milliseconds, and CPU time of those, until the dashboard shows an instance. */
async function firstPicture() {
  const began = performance.now();
  const terminal = open(120, 40);
  const output = join(folder, `output-${opened}`);
  // Looking at the screen again and again would take the time that is measured.
  terminal.pipe(`cat >> '${output}'`);
  const isThere = () => existsSync(output) && readFileSync(output, 'utf8').includes('gpu-1');
  while (!isThere()) await sleep(2);
  const took = { wall: performance.now() - began, cpu: cpuOf(terminal.pid) / 1000 };
  terminal.close();
  return took;
}

function open(columns, rows) {
  const name = `jairouter-bench-${process.pid}-${(opened += 1)}`;
  const tmux = (...args) => execFileSync('tmux', ['-L', name, ...args], { encoding: 'utf8' });
  const size = ['-x', String(columns), '-y', String(rows)];
  tmux(
    '-f',
    '/dev/null',
    'new-session',
    '-d',
    ...size,
    `exec '${process.execPath}' '${JAIROUTER}' status`,
  );
  return {
    pid: Number(tmux('display-message', '-p', '#{pane_pid}')),
    pipe: (to) => tmux('pipe-pane', to),
    close: () => tmux('kill-server'),
  };
}

/** Calls at a steady rate. @returns What ends them. */
function load() {
  const pool = new Pool(server.origin, { connections: 64 });
  const body = chatBody();
  const timer = setInterval(() => {
    for (let call = 0; call < CALLS_PER_SECOND / 20; call += 1) {
      pool
        .request({
          path: '/v1/chat/completions',
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        })
        .then((answer) => answer.body.dump())
        .catch(() => {});
    }
  }, 50);
  return () => {
    clearInterval(timer);
    void pool.destroy();
  };
}

/** CPU time of a process and its threads, in microseconds. */
function cpuOf(pid) {
  const [, times] = /\) (.*)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const fields = times.split(' ');
  // User and system time, in hundredths of a second.
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function rssOf(pid) {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round((Number(kib) * 1024) / 1e6);
}

function writtenBy(pid) {
  const [, bytes] = /^wchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'));
  return Number(bytes);
}

async function repeated(work) {
  const times = [];
  for (let round = 0; round < STARTS; round += 1) times.push(await work());
  return times;
}

function timed(work) {
  const began = performance.now();
  work();
  return performance.now() - began;
}

function share(value) {
  return `${(value * 100).toFixed(1)} %`;
}

function say(text) {
  process.stdout.write(`${text}\n`);
}
