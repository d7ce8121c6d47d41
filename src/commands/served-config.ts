import { ADAPTERS } from '../adapters/index.ts';
import type { LiveOptions } from '../config/live.ts';
import type { ServedConfig } from '../config/reloaded.ts';
import { loadConfig, type LoadedConfig } from '../config/load.ts';
import { applyOverrides, checkExposure, type Overrides } from '../config/overrides.ts';
import { compile } from '../gateway/snapshot.ts';
import type { Gateway } from '../http/gateway.ts';
import { applyTelemetry } from '../http/telemetry.ts';
import { instanceSettings } from '../instances/settings.ts';
import type { FoundConfig } from './zero-config.ts';

/** What the command line says of the config. */
export interface ConfigFlags extends Overrides {
  readonly config?: string | undefined;
  readonly insecure?: boolean | undefined;
}

/** Milliseconds between two looks for a config and for backends when there is no config. */
const LOOK_EVERY = 10_000;
/** Milliseconds that running calls have to end on a mock that is no longer needed. */
const LAST_CALLS = 10_000;

/**
 * @returns What loads the config as this run wants it: with its flags and variables above the file,
 * and open to other machines only as the flags allow; the address that is listened on counts too.
 */
export function configLoader(
  flags: ConfigFlags,
  env: NodeJS.ProcessEnv,
): (how?: Partial<Parameters<LiveOptions['load']>[0]>) => Promise<LoadedConfig | undefined> {
  let listening: string | undefined;
  return async (how = {}) => {
    const loaded = await loadConfig({
      ...how,
      file: how.file ?? flags.config,
      cwd: process.cwd(),
      env,
      adapters: ADAPTERS,
    });
    if (!loaded) return undefined;
    const config = applyOverrides(loaded.config, flags, env);
    listening ??= config.server.host;
    const insecure = flags.insecure ?? false;
    checkExposure(config, { insecure });
    checkExposure({ ...config, server: { ...config.server, host: listening } }, { insecure });
    return { ...loaded, config };
  };
}

/** What was found without a config, as what serves. */
export function servedFrom(
  { config, unset }: Pick<FoundConfig, 'config' | 'unset'>,
  flags: ConfigFlags,
  env: NodeJS.ProcessEnv,
): ServedConfig {
  const withFlags = applyOverrides(config, flags, env);
  checkExposure(withFlags, { insecure: flags.insecure ?? false });
  return {
    config: withFlags,
    data: undefined,
    sources: [],
    warnings: [],
    unset,
    adapters: ADAPTERS,
    ownAdapters: new Map(),
    certificates: new Map(),
  };
}

/**
 * Lets a gateway serve a config: all of it in one turn of the event loop, or nothing. Only traces may
 * come a moment later, as what they are made with is loaded when they are wanted.
 */
export function serveConfig(gateway: Gateway, served: ServedConfig, env: NodeJS.ProcessEnv): void {
  const { config, adapters, unset, certificates } = served;
  const settings = instanceSettings(config, { adapters, unset, certificates, env });
  const snapshot = compile(config, gateway.snapshot);
  gateway.fleet.apply(settings);
  gateway.snapshot = snapshot;
  const { observe } = gateway;
  observe.keepBodies(config.capture?.calls ?? 0);
  applyTelemetry(gateway).catch((error: Error) =>
    observe.news({ kind: 'config', level: 'error', message: error.message }),
  );
}

/**
 * Without a config, backends come and go by themselves; and a config may come.
 * @param context.onConfig Called when one has come, which ends the looking.
 */
export function keepLooking(
  first: FoundConfig,
  { live, log, observe }: Gateway,
  context: {
    readonly served: (found: FoundConfig) => ServedConfig;
    readonly onConfig: (file: string) => Promise<void>;
  },
): { close(): void } {
  let current = first;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    await live.reload('edit');
    const { file } = live.served;
    if (file !== undefined) {
      await context.onConfig(file);
      setTimeout(() => void current.close(), LAST_CALLS).unref();
      return;
    }
    const next = await current.lookAgain();
    if (closed) return;
    if (next) {
      current = next;
      await live.adopt(context.served(next));
      for (const message of next.news) observe.news({ kind: 'discovery', level: 'info', message });
    }
    schedule();
  };
  const schedule = (): void => {
    timer = setTimeout(() => void look().catch(report), LOOK_EVERY);
  };
  const report = (error: unknown): void => {
    log.say('error', `looking for backends failed: ${String(error)}`);
    schedule();
  };
  schedule();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
