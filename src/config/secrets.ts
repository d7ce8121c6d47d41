import type { Path } from './problem.ts';

/** What stands where a secret is not shown. */
export const MASK = '***';

/** Whether what stands at a path of the config is a secret, or holds some. */
export function isSecret(path: Path): boolean {
  const [section, name, option, part] = path;
  if (section === 'instances') return option === 'apiKey' || option === 'headers';
  if (section === 'telemetry') return option === 'headers';
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

/** @returns A config's data as it may be shown. */
export function maskData(data: unknown, path: Path = []): unknown {
  if (typeof data !== 'object' || data === null) return maskValue(data, path);
  if (Array.isArray(data)) return data.map((item, index) => maskData(item, [...path, index]));
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, maskData(value, [...path, key])]),
  );
}

/** What is written after the names of secrets, in TypeScript and JavaScript. */
const WRITTEN_SECRET =
  /\b(apiKey|adminToken|key)(["']?\s*:\s*)(["'`])(?!\$\{[A-Za-z_]\w*\}\3)(?:\\.|(?!\3).)+\3/g;

/**
 * @returns The text of a config that is code, without its secrets: those of the data that it makes
 * now, and what is written after their names, which may be those of another time.
 */
export function maskCode(text: string, data: unknown): string {
  let masked = text.replace(WRITTEN_SECRET, (_, name: string, colon: string, quote: string) =>
    [name, colon, quote, MASK, quote].join(''),
  );
  for (const secret of secretsOf(data, [])) masked = masked.replaceAll(secret, MASK);
  return masked;
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
