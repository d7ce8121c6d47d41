// The real coding agents against the real server, without any model behind it: each is installed from
// its npm package, connected with `jairouter connect --write` in a home folder of its own, and has a
// task to do whose every step the mock dictates: `npm run e2e:agents [NAME…]`. Nothing leaves this
// machine but what npm fetches; the folder in JAIROUTER_AGENTS keeps that for the next time.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { AGENTS } from './agent-table.mjs';
import { installed, jairouter, run, startJairouter, waitFor } from './processes.mjs';

const wanted = process.argv.slice(2);
const names = Object.keys(AGENTS).filter((name) => wanted.length === 0 || wanted.includes(name));
const unknown = wanted.find((name) => !(name in AGENTS));
if (unknown) {
  console.error(`there is no agent ${unknown}, only ${Object.keys(AGENTS).join(', ')}`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'jairouter-agents-'));
const packages = process.env.JAIROUTER_AGENTS ?? join(folder, 'packages');
const results = {};
try {
  for (const name of names) results[name] = await tryAgent(name);
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
console.log('');
for (const [name, result] of Object.entries(results)) console.log(`${name.padEnd(12)} ${result}`);
if (Object.values(results).some((result) => result.startsWith('FAILED'))) process.exitCode = 1;

async function tryAgent(name) {
  const agent = AGENTS[name];
  console.log(`\n== ${agent.title}`);
  const program = installed(packages, agent.package, agent.bin);
  if (typeof program !== 'string') return `skipped: ${program.why}`;
  const home = join(folder, name);
  const work = join(home, 'work');
  mkdirSync(work, { recursive: true });
  const closing = [];
  try {
    return await doTask(agent, { name, program, home, work, closing });
  } catch (error) {
    return `FAILED: ${error.message}`;
  } finally {
    for (const close of closing.toReversed()) await close();
  }
}

async function doTask(agent, { name, program, home, work, closing }) {
  writeFileSync(join(home, 'task.json'), JSON.stringify(agent.script(work)));
  const mock = startJairouter(['mock', '-p', '0', '--script', 'task.json'], home);
  closing.push(mock.stop);
  const [, backend] = await waitFor(mock, /(http:\/\/127\.0\.0\.1:\d+)/);
  const config = { instances: { mock: { adapter: 'openai', baseUrl: backend } } };
  writeFileSync(join(home, 'jairouter.config.json'), JSON.stringify(config));
  const server = startJairouter(['serve', '-p', '0'], home);
  closing.push(server.stop);
  await waitFor(server, /● mock /);

  const connected = jairouter(['connect', name, '--write', '--model', 'mock-chat'], home);
  console.log(connected.trim().split('\n')[2]);

  const strangers = await startProxy();
  closing.push(strangers.close);
  const { code, output } = await run(program, agent.args(agent.prompt), {
    cwd: work,
    env: { ...environment(home, strangers.url), ...agent.env },
    timeout: 120_000,
  });
  const problems = [
    ...(code === 0 ? [] : [`it ended with ${code}`]),
    ...expectFile(join(work, 'hello.txt'), 'Hello from the script.'),
    ...expectFile(join(work, 'copy.txt'), 'Hello from the script.'),
    ...(output.includes('All is done.') ? [] : ['it did not say the last words of the script']),
    ...strangers.hosts().map((host) => `it called ${host}`),
  ];
  if (problems.length === 0) return 'did its task';
  console.log(`${output.slice(-4000)}\n-- the server:\n${server.output().slice(-4000)}`);
  return `FAILED: ${problems.join('; ')}`;
}

function expectFile(file, text) {
  if (!existsSync(file)) return [`it has not written ${file}`];
  const found = readFileSync(file, 'utf8').trim();
  return found === text ? [] : [`${file} says ${JSON.stringify(found)}`];
}

/** An empty home, and nothing of ours: only what a program cannot do without. */
function environment(home, proxy) {
  const kept = ['PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR', 'LANG', 'TERM'];
  return {
    ...Object.fromEntries(
      kept.flatMap((key) => (process.env[key] ? [[key, process.env[key]]] : [])),
    ),
    HOME: home,
    USERPROFILE: home,
    PATH: [join(packages, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
    // Whoever asks for somebody else asks here, and is noted.
    HTTPS_PROXY: proxy,
    HTTP_PROXY: proxy,
    https_proxy: proxy,
    http_proxy: proxy,
    npm_config_registry: proxy,
    NO_PROXY: '127.0.0.1,localhost',
    no_proxy: '127.0.0.1,localhost',
    CI: '1',
    NO_COLOR: '1',
  };
}

/** Lets nobody through, and remembers where they wanted to go. */
function startProxy() {
  const hosts = new Set();
  const server = createServer((request, response) => {
    // What has no host is for ourselves: we stand in for the npm registry too, and have nothing.
    if (!request.url.startsWith('/')) hosts.add(request.url);
    response.writeHead(404).end();
  });
  server.on('connect', (request, socket) => {
    hosts.add(request.url);
    socket.on('error', () => {});
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve({
        url: `http://127.0.0.1:${server.address().port}`,
        hosts: () => [...hosts],
        close: () => {
          server.close();
          server.closeAllConnections();
        },
      }),
    );
  });
}
