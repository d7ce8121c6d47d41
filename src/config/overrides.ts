import { BlockList, isIP } from 'node:net';
import { HOST_WANTED, parseHost } from './host.ts';
import { ConfigError } from './problem.ts';
import type { Config } from './schema.ts';
import { CAPTURE } from './settings.ts';

/** What the command line may set over the config; an absent one lets the config's show. */
export interface Overrides {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** The folder of `capture.dir`, absolute. */
  readonly record?: string | undefined;
}

/**
 * The last two layers over a config: built-in < file < `JAIROUTER_HOST`, `JAIROUTER_PORT` < flags.
 * A variable that is set to nothing is not set.
 *
 * @throws ConfigError when `JAIROUTER_HOST` is no address, or `JAIROUTER_PORT` no port.
 */
export function applyOverrides(
  config: Config,
  flags: Overrides,
  env: NodeJS.ProcessEnv = {},
): Config {
  const { server, capture } = config;
  const { record: dir } = flags;
  return {
    ...config,
    ...(dir !== undefined && { capture: { ...(capture ?? CAPTURE), dir } }),
    server: {
      ...server,
      host: flags.host ?? hostFrom(env['JAIROUTER_HOST']) ?? server.host,
      port: flags.port ?? portFrom(env['JAIROUTER_PORT']) ?? server.port,
    },
  };
}

function hostFrom(given: string | undefined): string | undefined {
  const text = given?.trim();
  if (!text) return undefined;
  const host = parseHost(text);
  if (host !== undefined) return host;
  const message = `${HOST_WANTED}, not \`${text}\``;
  throw new ConfigError([{ file: 'JAIROUTER_HOST', path: 'server.host', message }]);
}

function portFrom(given: string | undefined): number | undefined {
  const text = given?.trim();
  if (!text) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new ConfigError([
    {
      file: 'JAIROUTER_PORT',
      path: 'server.port',
      message: `must be a whole number from 0 to 65535, not \`${text}\``,
    },
  ]);
}

/**
 * Refuses to serve other machines without asking for a key; called when the flags are applied.
 *
 * @throws ConfigError that names both ways out.
 */
export function checkExposure(config: Config, { insecure }: { insecure: boolean }): void {
  const { host, apiKeys } = config.server;
  if (insecure || apiKeys.length > 0 || isLoopback(host)) return;
  throw new ConfigError([
    {
      file: 'server.host',
      path: 'server.host',
      message: `\`${host}\` can be reached from other machines, and no API key is set: set \`server.apiKeys\`, or pass --insecure if everyone there may use your backends and their keys`,
    },
  ]);
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** @returns Whether only this machine can reach a server that listens on `host`. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1');
  if (name.toLowerCase() === 'localhost') return true;
  const family = isIP(name);
  return family !== 0 && LOOPBACK.check(name, family === 6 ? 'ipv6' : 'ipv4');
}
