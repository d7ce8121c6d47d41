import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { LiveConfig } from '../config/live.ts';
import { openGateway, type Gateway } from '../http/gateway.ts';
import { startServer, type HttpsOptions, type RunningServer } from '../http/server.ts';
import { applyTelemetry } from '../http/telemetry.ts';
import { openLog, type LogFormat } from '../observe/log.ts';
import { prepareFolder } from '../recording/recorder.ts';
import { VERSION } from '../version.ts';
import { banner, instanceTable } from './banner.ts';
import { openBrowser } from './browser.ts';
import { httpsFrom, type HttpsFlags } from './https.ts';
import { addressText, ensureFree, ownUrl, type Address } from './listening.ts';
import { replayedFrom } from './serve-replay.ts';
import { stateFolder, writeState } from './state-file.ts';
import { UserError } from './user-error.ts';
import { configLoader, keepLooking, serveConfig, servedFrom } from './served-config.ts';

export interface ServeOptions extends HttpsFlags {
  readonly config?: string;
  readonly port?: number;
  readonly host?: string;
  readonly insecure?: boolean;
  readonly logFormat?: LogFormat;
  /** Shows the page at `/` in the browser. */
  readonly open?: boolean;
  readonly dashboard?: boolean;
  /** A folder in which each call becomes a file. */
  readonly record?: string;
  /** A folder of such files, from which calls are answered in the place of backends. */
  readonly replay?: string;
  /** How many times as fast as it was. */
  readonly speed?: number;
}

/** Milliseconds for the running calls to end after the first signal. */
const DRAIN = 10_000;

/** The command `serve`: runs until it is told to stop. */
export async function serve(given: ServeOptions): Promise<void> {
  const { env } = process;
  const options = given.record === undefined ? given : await recording(given, given.record);
  const screen = options.dashboard
    ? (await import('./serve-dashboard.ts')).openServeScreen(env)
    : undefined;
  const log = openLog({
    format: options.logFormat ?? 'text',
    color: !screen && process.stdout.isTTY && !env['NO_COLOR'],
    write: screen?.write ?? ((text) => process.stdout.write(text)),
    now: Date.now,
  });
  const replayed = await replayedFrom(options, (message) =>
    gateway.observe.news({ kind: 'server', level: 'warn', message }),
  );
  const load = replayed ? () => Promise.resolve(undefined) : configLoader(options, env);
  const loaded = await load();
  const found =
    loaded || replayed
      ? undefined
      : await (await import('./zero-config.ts')).findWithoutConfig({ env });
  const first = loaded ?? replayed?.served(env) ?? servedFrom(found!, options, env);

  let announced = false;
  const live = new LiveConfig({
    first,
    load,
    apply: (served) => serveConfig(gateway, served, env),
    say: (news) => gateway.observe.news({ kind: 'config', ...news }),
    state: stateFolder(env),
    cwd: process.cwd(),
  });
  const gateway = openGateway({
    live,
    log,
    adminToken: randomBytes(32).toString('base64url'),
    replay: replayed?.replay,
    // The first state is told with the others, below.
    logsStates: () => announced,
  });
  const { fleet } = gateway;
  const https = httpsFrom(options);
  await replayed?.replay.shelf.refresh();
  await startTelemetry(gateway);
  const server = await openServer(gateway, first.config.server, https);
  serveConfig(gateway, first, env);

  let state = await leaveWord(gateway, { url: server.url, config: loaded?.file });
  const { dir } = first.config.capture ?? {};
  log.show(
    banner({
      url: server.url,
      file: loaded?.file,
      records: dir,
      replays: replayed?.summary(),
      news: found?.news ?? [],
    }),
  );
  gateway.observe.news(
    { kind: 'server', level: 'info', message: `jairouter ${VERSION} listens on ${server.url}` },
    { logged: false },
  );
  for (const message of found?.news ?? [])
    gateway.observe.news({ kind: 'discovery', level: 'info', message }, { logged: false });
  for (const message of loaded?.warnings ?? [])
    gateway.observe.news({ kind: 'config', level: 'warn', message });
  if (https === 'self-signed') {
    log.say(
      'warn',
      'the certificate is self-signed and new at each start: clients must be told not to verify it; --cert and --key take one that they trust',
    );
  }
  if (options.open && !(await openBrowser(`${ownUrl(server.url)}/`)))
    log.say('warn', 'there is no browser to open here');
  const looking =
    found &&
    keepLooking(found, gateway, {
      served: (next) => servedFrom(next, options, env),
      async onConfig(file) {
        state = await leaveWord(gateway, { url: server.url, config: file });
      },
    });
  reloadOnSignal(gateway);
  const end = stopOnSignal(async () => {
    screen?.close();
    looking?.close();
    await live.close();
    await drain(server, gateway);
    state?.close();
    await fleet.close(true);
    await found?.close();
    await gateway.recorder.close();
    await gateway.observe.traces?.close();
    log.flush();
  });
  const shown = screen?.show({ url: ownUrl(server.url), token: gateway.adminToken }, end);
  await live.start();

  await fleet.probed();
  announced = true;
  if (!replayed) log.show(instanceTable([...fleet.instances()]));
  await shown;
}

/** @throws UserError when nothing can be written there: who asks for it by name wants to know at once. */
async function recording(options: ServeOptions, folder: string): Promise<ServeOptions> {
  const record = resolve(folder);
  try {
    await prepareFolder(record);
  } catch (error) {
    throw new UserError(`--record ${folder} can't be written: ${(error as Error).message}`);
  }
  return { ...options, record };
}

/** Lets the other commands find this server. Without it, it serves all the same. */
async function leaveWord(
  { adminToken, log, startedAt }: Gateway,
  { url, config }: { readonly url: string; readonly config: string | undefined },
): Promise<{ close(): void } | undefined> {
  const folder = stateFolder(process.env);
  const { pid } = process;
  const state = { url: ownUrl(url), pid, token: adminToken, startedAt, config };
  try {
    return await writeState(folder, { ...state, version: VERSION });
  } catch (error) {
    log.say(
      'warn',
      `${folder} can't be written (${(error as Error).message}): the other commands will need --url and --token, and server.adminToken has to be set`,
    );
    return undefined;
  }
}

/** Who asks for traces at the start must get them; a reload that can't open them serves on. */
async function startTelemetry(gateway: Gateway): Promise<void> {
  try {
    await applyTelemetry(gateway);
  } catch (error) {
    if (error instanceof Error && error.name === 'MissingPackages')
      throw new UserError(error.message);
    throw error;
  }
}

async function openServer(
  gateway: Gateway,
  address: Address,
  https: HttpsOptions | undefined,
): Promise<RunningServer> {
  await ensureFree(address);
  const server = await startServer(gateway, address, https);
  if (address.port === 0 || server.port === address.port) return server;
  // listhen goes elsewhere by itself when browsers refuse a port.
  await server.close(0);
  throw new UserError(
    `cannot listen on ${addressText(address)}: browsers and fetch() refuse to call port ${address.port}; choose another with --port`,
  );
}

/** `kill -HUP` has the config read again; but who closes the terminal wants an end. */
function reloadOnSignal({ live, log }: Gateway): void {
  if (process.platform === 'win32') return;
  const onTerminal = isatty(0) || isatty(1);
  process.on('SIGHUP', () => {
    if (onTerminal && !hasTerminal()) process.exit(129);
    live.reload('signal').catch((bug: unknown) => {
      log.say('error', `reading the config again failed, which is a bug: ${String(bug)}`);
    });
  });
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    // The system gives the error of a device that is not there.
    return false;
  }
}

/** Lets the running calls end, as long as {@link DRAIN} allows. */
async function drain(server: RunningServer, { calls, log, observe }: Gateway): Promise<void> {
  const inFlight = calls.size;
  const running = inFlight === 1 ? '1 call is' : `${inFlight} calls are`;
  observe.news({
    kind: 'server',
    level: 'info',
    message: inFlight === 0 ? 'stopping' : `stopping; ${running} still running`,
  });
  const began = performance.now();
  await server.close(DRAIN);
  if (performance.now() - began < DRAIN) return;
  log.say('warn', `what still ran after ${DRAIN / 1000} s was cut off`);
  // Their records come when their connections have closed.
  await sleep(50);
}

/**
 * The first signal ends in good order, a second one at once.
 * @returns What ends it as the first signal does.
 */
function stopOnSignal(stop: () => Promise<void>): () => void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    const code = signal === 'SIGINT' ? 130 : 143;
    if (stopping) process.exit(code);
    end();
  };
  const end = (): void => {
    stopping = true;
    void stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`jairouter: stopping failed: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return end;
}
