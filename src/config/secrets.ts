import type { Path } from './problem.ts';

/** What stands where a secret is not shown. */
export const MASK = '***';

/** Whether what stands at a path of the config is a secret, or holds some. */
export function isSecret(path: Path): boolean {
  const [section, name, option, part] = path;
  if (section === 'instances') return option === 'apiKey' || option === 'headers';
  if (section !== 'server') return false;
  // A key in place of the block around it is one as well.
  return name === 'adminToken' || (name === 'apiKeys' && (part === undefined || part === 'key'));
}

/** @returns A single value as it may be shown. */
export function maskValue(value: unknown, path: Path): unknown {
  if (typeof value !== 'string') return isSecret(path) && value !== undefined ? MASK : value;
  if (isSecret(path)) return /^\$\{[A-Za-z_]\w*\}$/.test(value) ? value : MASK;
  // An address may carry a user and a password.
  return value.replace(/(:\/\/)[^/\s@]+@/g, `$1${MASK}@`);
}

/** @returns A text without the secrets that stand in a config's data: for one that can't be parsed. */
export function hideSecrets(text: string, data: unknown): string {
  let hidden = text;
  for (const secret of secretsOf(data, [])) hidden = hidden.replaceAll(secret, MASK);
  return hidden;
}

function secretsOf(data: unknown, path: Path): string[] {
  if (typeof data === 'string') {
    // Shorter ones would be found in ordinary words.
    return isSecret(path) && data.length >= 4 ? [data] : [];
  }
  if (typeof data !== 'object' || data === null) return [];
  return Object.entries(data).flatMap(([key, value]) =>
    secretsOf(value, [...path, Array.isArray(data) ? Number(key) : key]),
  );
}
