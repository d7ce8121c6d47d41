/** What is measured, one row each: how it is started in front of the upstream. */
import { accessSync, constants, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, freePort } from './children.mjs';
import { MODEL } from './shapes.mjs';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
export const JAIROUTER = file('../bin/jairouter.js');

/**
 * @typedef {object} Running
 * @property {string} name
 * @property {string} origin
 * @property {Record<string, string>} headers Sent with every call.
 * @property {Child} [child] Absent: it has no process of its own between client and upstream.
 * @property {number} [ready] Milliseconds from its start to its first answer.
 */

/**
 * @type {Record<string, (site: { upstream: string, folder: string }) => Promise<Running>>}
 * `folder` is for their files, and is removed at the end.
 */
export const TARGETS = {
  direct: async ({ upstream }) => ({ name: 'direct', origin: upstream, headers: {} }),

  relay: async ({ upstream }) => {
    const child = new Child(process.execPath, [file('relay.mjs'), upstream], { readLine: true });
    const origin = await child.origin();
    return running('relay', origin, child);
  },

  jairouter: async ({ upstream, folder }) =>
    startJairouter(folder, { upstream: { baseUrl: upstream, models: [MODEL] } }),

  nginx: async ({ upstream, folder }) => {
    if (!isOnPath('nginx')) throw new Error('not installed');
    const port = await freePort();
    const config = join(folder, `nginx-${port}.conf`);
    writeFileSync(config, nginxConfig(port, upstream, folder));
    const child = new Child('nginx', ['-p', folder, '-e', 'stderr', '-c', config]);
    return running('nginx', `http://127.0.0.1:${port}`, child);
  },

  portkey: async ({ upstream, folder }) => {
    const port = await freePort();
    // In the bench's folder: npx in a checkout looks at that checkout's packages first.
    const child = new Child(
      process.platform === 'win32' ? 'npx.cmd' : 'npx',
      ['--yes', '@portkey-ai/gateway', `--port=${port}`, '--headless'],
      { cwd: folder },
    );
    return running('portkey', `http://127.0.0.1:${port}`, child, {
      path: '/',
      timeout: 60_000,
      headers: { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream}/v1` },
    });
  },
};

/**
 * @param {Record<string, { baseUrl: string, models: string[] }>} instances
 * @param {object} settings The rest of its config.
 */
export async function startJairouter(folder, instances, settings = {}) {
  const port = await freePort();
  const config = join(folder, `jairouter-${port}.json`);
  writeFileSync(
    config,
    JSON.stringify({
      ...settings,
      server: { host: '127.0.0.1', port },
      instances: Object.fromEntries(
        Object.entries(instances).map(([name, instance]) => [
          name,
          { adapter: 'openai', apiKey: 'bench', ...instance },
        ]),
      ),
    }),
  );
  const child = new Child(process.execPath, [JAIROUTER, 'serve', '-c', config], {
    cwd: folder,
    // What it keeps of its runs must not mix with the user's own.
    env: { XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder, NO_COLOR: '1' },
  });
  return running('jairouter', `http://127.0.0.1:${port}`, child);
}

async function running(name, origin, child, options = {}) {
  const { path = '/health', timeout = 15_000, headers = {} } = options;
  try {
    const ready = await child.answers(origin, path, timeout);
    return { name, origin, headers, child, ready };
  } catch (error) {
    await child.close();
    throw error;
  }
}

function isOnPath(command) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      // Not in this folder.
      return false;
    }
  });
}

/** One process, as the others have one; unbuffered answers, as streams need them. */
function nginxConfig(port, upstream, folder) {
  return `daemon off;
master_process off;
error_log stderr error;
pid ${join(folder, `nginx-${port}.pid`)};
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
  access_log off;
  client_max_body_size 100m;
  client_body_buffer_size 1m;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${join(folder, kind)};`).join('\n  ')}
  upstream bench { server ${new URL(upstream).host}; keepalive 64; }
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 1000000;
    location / {
      proxy_pass http://bench;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 10m;
    }
  }
}
`;
}
