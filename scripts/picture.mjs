// Makes docs/dashboard.svg: a real server with mock backends and some traffic, its real dashboard in a
// real terminal (tmux), captured and drawn. Takes a minute, since the last sixty seconds are in it.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { toSvg } from './ansi-svg.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'bin/jairouter.js');
const SIZE = { columns: 138, rows: 38 };
/** Milliseconds. */
const TRAFFIC = 66_000;
/** Long enough for a breaker to open, and short enough for the calls that went elsewhere to be seen. */
const FAILING = 1500;
const PORT = 4747;

/** What the backends look like; a mock stands behind each of them. */
const BACKENDS = [
  {
    name: 'gpu-1',
    adapter: 'vllm',
    model: 'Qwen/Qwen3-Coder-30B',
    pace: ['--ttft', '180ms', '--tps', '90'],
  },
  {
    name: 'gpu-2',
    adapter: 'vllm',
    model: 'Qwen/Qwen3-Coder-30B',
    pace: ['--ttft', '220ms', '--tps', '70'],
  },
  {
    name: 'laptop',
    adapter: 'ollama',
    model: 'qwen3-coder:30b',
    pace: ['--ttft', '600ms', '--tps', '30'],
  },
  { name: 'office', adapter: 'openai', model: 'bge-m3', pace: ['--ttft', '20ms'] },
];
const CONFIG = (urls) => `server: { port: ${PORT} }
defaults:
  health: { interval: 2s }
  circuitBreaker: { failureThreshold: 3, openFor: 40s }
instances:
  gpu-1: { adapter: vllm, baseUrl: ${urls['gpu-1']}, weight: 3, maxConcurrency: 16 }
  gpu-2: { adapter: vllm, baseUrl: ${urls['gpu-2']}, weight: 2, maxConcurrency: 8 }
  laptop: { adapter: ollama, baseUrl: ${urls['laptop']}, maxConcurrency: 4 }
  office: { adapter: openai, baseUrl: ${urls['office']} }
models:
  coder:
    targets: [gpu-1/Qwen/Qwen3-Coder-30B, gpu-2/Qwen/Qwen3-Coder-30B, laptop/qwen3-coder:30b]
`;

const home = mkdtempSync(join(tmpdir(), 'jairouter-picture-'));
const children = [];
const servers = [];
/** Names of backends. */
const failing = new Set();
try {
  const urls = {};
  for (const backend of BACKENDS) urls[backend.name] = await startBackend(backend);
  writeFileSync(join(home, 'jairouter.config.yaml'), CONFIG(urls));
  await start(['serve'], /healthy/);
  const stop = traffic();
  await sleep(TRAFFIC - FAILING);
  // One begins to fail, in the middle of it all.
  failing.add('gpu-2');
  await sleep(FAILING);
  writeFileSync(
    join(root, 'docs/dashboard.svg'),
    toSvg(await capture(), { ...SIZE, title: 'jairouter status' }),
  );
  stop();
} finally {
  for (const child of children) child.kill();
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}

/** Runs a command until it has said something. @returns What it has matched. */
function start(args, wanted) {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: home,
    env: environment(),
    stdio: 'pipe',
  });
  children.push(child);
  return new Promise((resolve, reject) => {
    let said = '';
    const listen = (text) => {
      said += text;
      const match = wanted.exec(said);
      if (match) resolve(match[0]);
    };
    child.stdout.setEncoding('utf8').on('data', listen);
    child.stderr.setEncoding('utf8').on('data', listen);
    child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}: ${said}`)));
  });
}

/** A mock, behind what lets it pass for its adapter's own kind. @returns Where it is. */
async function startBackend({ name, adapter, model, pace }) {
  const mock = await start(
    ['mock', '-p', '0', '--models', model, ...pace],
    /http:\/\/127\.0\.0\.1:\d+/,
  );
  const own = {
    '/version': { version: '0.11.2' },
    '/api/version': { version: '0.13.0' },
    '/api/tags': { models: [{ name: model, model, details: { family: 'qwen3' } }] },
    '/api/ps': { models: [{ name: model, model }] },
    '/v1/models': {
      object: 'list',
      data: [{ id: model, object: 'model', owned_by: adapter, max_model_len: 32_768 }],
    },
  };
  const server = createServer((from, to) => {
    const answer = own[from.url];
    if (from.method === 'GET') {
      to.writeHead(answer || from.url === '/health' ? 200 : 404, {
        'content-type': 'application/json',
      });
      to.end(answer ? JSON.stringify(answer) : '');
      return;
    }
    if (failing.has(name)) {
      to.writeHead(500, { 'content-type': 'application/json' });
      to.end(JSON.stringify({ error: { message: 'CUDA out of memory' } }));
      return;
    }
    const onward = request(
      mock + from.url,
      { method: from.method, headers: from.headers },
      (back) => {
        to.writeHead(back.statusCode, back.headers);
        back.pipe(to);
      },
    );
    onward.on('error', () => to.destroy());
    to.on('close', () => onward.destroy());
    from.pipe(onward);
  });
  servers.push(server);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${server.address().port}`;
}

/** Tools that ask for code, and one that embeds. @returns What ends them. */
function traffic() {
  const stop = new AbortController();
  const post = async (path, body) => {
    try {
      const answer = await fetch(`http://127.0.0.1:${PORT}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      await answer.text();
    } catch {
      // It is over.
    }
  };
  const chat = (stream) => ({
    model: 'coder',
    stream,
    ...(stream && { stream_options: { include_usage: true } }),
    messages: [
      { role: 'user', content: 'Write a function that parses a duration like 1h30m. '.repeat(8) },
    ],
  });
  const loop = async (work, pause) => {
    while (!stop.signal.aborted) {
      await work();
      await sleep(pause());
    }
  };
  const began = Date.now();
  // Waves, so that there is something to be seen.
  const wave = () => 1 + Math.sin((Date.now() - began) / 4000);
  for (let client = 0; client < 7; client += 1)
    void loop(
      () => post('/v1/chat/completions', chat(client !== 0)),
      () => 200 + 900 * wave() * Math.random(),
    );
  void loop(
    () => post('/v1/embeddings', { model: 'bge-m3', input: ['const answer = 42;'] }),
    () => 300 + 500 * Math.random(),
  );
  return () => stop.abort();
}

/** @returns The dashboard as it is in a terminal, with its colours. */
async function capture() {
  const name = `jairouter-picture-${process.pid}`;
  const tmux = async (...args) => (await promisify(execFile)('tmux', ['-L', name, ...args])).stdout;
  const variables = Object.entries(environment()).map(([key, value]) => `${key}='${value}'`);
  const size = ['-x', String(SIZE.columns), '-y', String(SIZE.rows)];
  const command = `env ${variables.join(' ')} '${process.execPath}' '${bin}' status`;
  await tmux('-f', '/dev/null', 'new-session', '-d', ...size, command);
  try {
    await sleep(3000);
    return await tmux('capture-pane', '-p', '-e');
  } finally {
    await tmux('kill-server');
  }
}

function environment() {
  return { PATH: process.env.PATH, HOME: home, TERM: 'xterm-256color', TZ: process.env.TZ ?? '' };
}
