import type { Found } from '../instances/discovery.ts';
import type { Paint } from './terminal.ts';

/** What was found, with the numbers by which it is chosen. */
export function* listing(
  found: readonly Found[],
  offered: readonly Found[],
  { strong, faint, good, bad }: Paint,
): Generator<string> {
  if (found.length === 0) {
    yield bad('Nothing was found.');
    return;
  }
  const width = (of: (one: Found) => string): number =>
    Math.max(...found.map((one) => of(one).length));
  const names = width((one) => one.name);
  const addresses = width((one) => one.baseUrl);
  for (const one of found) {
    const number = offered.indexOf(one) + 1;
    const mark = one.usable ? good('●') : bad('!');
    const name = strong(one.name.padEnd(names));
    const address = one.baseUrl.padEnd(addresses);
    yield `${number > 0 ? String(number).padStart(3) : '   '} ${mark} ${name}  ${address}  ${faint(about(one))}`;
  }
}

/** @returns A clause on what it is and has; may be empty. */
export function about({
  kind,
  name,
  version,
  models,
  note,
  apiKeyVariable,
  usable,
}: Found): string {
  const what = kind === name ? '' : kind;
  const listed = models.slice(0, 3).join(', ') + (models.length > 3 ? ', …' : '');
  const count = models.length === 1 ? '1 model' : `${models.length} models`;
  const key = usable && apiKeyVariable !== undefined ? `key from ${apiKeyVariable}` : undefined;
  return [
    [what, version].filter(Boolean).join(' '),
    models.length > 0 ? `${count}: ${listed}` : '',
    key ?? note?.replace(/^it /, '') ?? '',
  ]
    .filter(Boolean)
    .join('; ');
}
