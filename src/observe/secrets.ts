import type { Config } from '../config/schema.ts';

/** What stands in the place of a secret. */
export const MASK = '***';

/** Names of headers and options whose values are for nobody's eyes. */
const SECRET = /authorization|cookie|token|secret|password|credential|api-?key|^key$/i;
/** They count tokens, and are none. */
const COUNT = /ratelimit/i;

function isSecret(name: string): boolean {
  return SECRET.test(name) && !COUNT.test(name);
}

/** The values of these headers, but for those that are secrets. */
export function maskHeaders(
  headers: Readonly<Record<string, string | readonly string[] | number | undefined>>,
): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    shown[name] = isSecret(name) ? MASK : Array.isArray(value) ? value.join(', ') : String(value);
  }
  return shown;
}

/** @returns What the config has of keys, tokens and passwords. */
export function secretsOf({ server, instances, telemetry }: Config): string[] {
  const named = Object.values(instances).flatMap(({ apiKey, headers }) => [
    apiKey,
    ...secretHeaders(headers),
  ]);
  const told = secretHeaders(telemetry.traces?.headers ?? {});
  return [...server.apiKeys.map(({ key }) => key), server.adminToken, ...named, ...told]
    .filter((secret) => secret !== undefined)
    .filter(({ length }) => length >= 4);
}

function secretHeaders(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => (isSecret(name) ? [value] : []));
}

/** A text without these secrets. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((hidden, secret) => hidden.replaceAll(secret, MASK), text);
}

/** A URL without the password in it. */
export function maskUrl(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, `$1${MASK}@`);
}

/** A path whose query names no secrets, as some clients put their key there. */
export function maskQuery(path: string): string {
  return path.replace(/([?&])([^=&#]+)=[^&#]*/g, (whole, sign: string, name: string) =>
    isSecret(name) ? `${sign}${name}=${MASK}` : whole,
  );
}
