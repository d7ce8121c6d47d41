// Packs what would be published, installs it in an empty folder and uses it from there:
// `npm run check:package`. Needs the npm registry for the dependencies that npm has not cached.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'jairouter-package-'));
const shell = process.platform === 'win32'; // npm and npx are scripts there

function npm(command, args, cwd) {
  return execFileSync(command, args, { cwd, shell, encoding: 'utf8' }).trim();
}

function check(what, holds, found) {
  if (!holds) throw new Error(`${what}, but found: ${found}`);
  console.log(`ok: ${what}`);
}

try {
  npm('npm', ['pack', '--silent', '--pack-destination', folder], root);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const tarball = join(folder, `jairouter-${version}.tgz`);
  npm(
    'npm',
    ['install', '--silent', '--prefer-offline', '--no-audit', '--no-fund', tarball],
    folder,
  );

  const said = npm('npx', ['jairouter', '--version'], folder);
  check(`npx jairouter --version says ${version}`, said === version, said);

  const exported = "console.log(Object.keys(await import('jairouter')).sort().join(' '))";
  const names = execFileSync(process.execPath, ['--input-type=module', '-e', exported], {
    cwd: folder,
    encoding: 'utf8',
  });
  check('the package exports defineConfig', names.includes('defineConfig'), names);

  checkTypes();
  await checkMock();
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** A config in TypeScript is checked as it is written, and so is a mistake in it. */
function checkTypes() {
  const config = [
    "import { defineConfig } from 'jairouter';",
    "export default defineConfig({ instances: { laptop: { adapter: 'ollama', weight: 2 } } });",
    '// @ts-expect-error -- no such option',
    "defineConfig({ instances: { laptop: { adapter: 'ollama', wait: 2 } } });",
  ];
  writeFileSync(join(folder, 'jairouter.config.ts'), config.join('\n'));
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', ''];
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, ...options, 'jairouter.config.ts'], {
    cwd: folder,
    encoding: 'utf8',
  });
  check('its types accept a right config and refuse a wrong one', stdout === '', stdout);
}

/** The mock needs no network, no config and no model: it runs wherever the package does. */
async function checkMock() {
  const bin = join(folder, 'node_modules/jairouter/bin/jairouter.js');
  const mock = spawn(process.execPath, [bin, 'mock', '--port', '0'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(mock, 'exit');
  try {
    const answer = await fetch(`${await firstUrl(mock.stdout)}/v1/models`);
    const { data } = await answer.json();
    check('its mock serves models', answer.status === 200 && data.length > 0, answer.status);
  } finally {
    mock.kill();
    await ended;
  }
}

async function firstUrl(stream) {
  for await (const line of createInterface({ input: stream })) {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
    if (url) return url[0];
  }
  throw new Error('the mock ended without saying its address');
}
