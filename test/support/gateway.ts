import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { onTestFinished } from 'vitest';
import { replayedFrom } from '../../src/commands/serve-replay.ts';
import { configLoader, servedFrom, serveConfig } from '../../src/commands/served-config.ts';
import { readCertificates } from '../../src/config/certificates.ts';
import { LiveConfig, type LiveOptions } from '../../src/config/live.ts';
import type { ServedConfig } from '../../src/config/reloaded.ts';
import { schema, type ConfigInput } from '../../src/config/schema.ts';
import { openGateway, type Gateway } from '../../src/http/gateway.ts';
import type { Replay } from '../../src/http/replay.ts';
import { startServer, type RunningServer } from '../../src/http/server.ts';
import type { Log } from '../../src/observe/log.ts';
import type { Outcome } from '../../src/observe/outcome.ts';

export interface TestGateway extends RunningServer {
  readonly gateway: Gateway;
  /** The records of the calls that are over. */
  readonly outcomes: readonly Outcome[];
  /** What the log was told beside calls. */
  readonly said: readonly string[];
  /** A POST of JSON (or of bytes) to a path. */
  readonly post: (path: string, body: unknown, init?: RequestInit) => Promise<Response>;
  /** A request with the admin token, to `GET /admin/status` and the like; a body goes as JSON. */
  readonly admin: (route: string, body?: unknown) => Promise<Response>;
}

/** What opens `/admin` of each server that a test starts. */
export const ADMIN_TOKEN = 'admin-token-of-the-tests';

/** A real server on a free port, compiled from a config as a file would have it; it closes with the test. */
export async function startGateway(
  config: ConfigInput,
  options: { readonly probed?: boolean } = {},
): Promise<TestGateway> {
  const parsed = schema.parse(config);
  const { texts: certificates } = await readCertificates(parsed, '/');
  const first = { ...servedFrom({ config: parsed, unset: new Map() }, {}, {}), certificates };
  return open(first, {
    load: () => Promise.resolve(undefined),
    state: tmpdir(),
    cwd: tmpdir(),
    probed: options.probed ?? true,
  });
}

/** One that answers from the recordings of a folder, as `serve --replay` does. */
export async function startReplay(dir: string, speed = Infinity): Promise<TestGateway> {
  const problems: string[] = [];
  const replayed = await replayedFrom({ replay: dir, speed }, (message) => problems.push(message));
  const { replay } = replayed!;
  await replay.shelf.refresh();
  const started = await open(replayed!.served({}), {
    load: () => Promise.resolve(undefined),
    state: tmpdir(),
    cwd: tmpdir(),
    probed: true,
    replay,
  });
  return { ...started, said: problems };
}

/** The same on a config file, which it watches as `serve` does. */
export async function startOnFile(
  file: string,
  { env = {}, state }: { readonly env?: NodeJS.ProcessEnv; readonly state: string },
): Promise<TestGateway> {
  const load = configLoader({ config: file }, env);
  const first = await load();
  const cwd = dirname(file);
  const started = await open(first!, { load, state, cwd, probed: true });
  await started.gateway.live.start();
  return started;
}

async function open(
  first: ServedConfig,
  options: Pick<LiveOptions, 'load' | 'state' | 'cwd'> & {
    readonly probed: boolean;
    readonly replay?: Replay;
  },
): Promise<TestGateway> {
  const outcomes: Outcome[] = [];
  const said: string[] = [];
  const log: Log = {
    call: (outcome) => void outcomes.push(outcome),
    say: (_, message) => void said.push(message),
    show: () => {},
    flush: () => {},
  };
  const live = new LiveConfig({
    ...options,
    first,
    apply: (served) => serveConfig(gateway, served, {}),
    say: (news) => gateway.observe.news({ kind: 'config', ...news }),
  });
  const { replay } = options;
  const gateway = openGateway({ live, log, adminToken: ADMIN_TOKEN, replay });
  const { fleet } = gateway;
  serveConfig(gateway, first, {});
  if (options.probed) await fleet.probed();
  const server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await live.close();
    await server.close(0);
    await fleet.close(true);
    await gateway.recorder.close();
  });
  return {
    ...server,
    gateway,
    outcomes,
    said,
    post: (path, body, init) =>
      fetch(server.url + path, {
        method: 'POST',
        ...init,
        headers: { 'content-type': 'application/json', ...(init?.headers as object) },
        body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
      }),
    admin(route, body) {
      const [method = '', path = ''] = route.split(' ');
      return fetch(server.url + path, {
        method,
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      });
    },
  };
}

/** One instance `a` of the plain OpenAI kind, for tests that need no more. */
export function oneInstance(url: string, more: Partial<ConfigInput> = {}): ConfigInput {
  return { ...more, instances: { a: { adapter: 'openai', baseUrl: url } } };
}

/** Waits until something holds, up to a limit in milliseconds. */
export async function until(holds: () => boolean, limit = 5000): Promise<void> {
  const deadline = performance.now() + limit;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('it did not come to hold in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
