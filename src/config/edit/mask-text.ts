import { isMap, isPair, isScalar, isSeq, parseDocument, visit, type Scalar } from 'yaml';
import type { Path } from '../problem.ts';
import { isSecret, MASK, maskValue } from '../secrets.ts';

/** @returns The text of a YAML or JSON config with `***` where secrets stand, in comments too. */
export function maskText(text: string): string {
  return maskOptions(text).split('\n').map(maskWritten).join('\n');
}

/** Those that a config is made of. */
function maskOptions(text: string): string {
  let masked = text;
  // From the end, so that the places of those before stay right.
  for (const { value, path, start, end } of secretsIn(text).reverse()) {
    const shown = maskValue(value, path);
    if (shown !== value)
      masked = masked.slice(0, start) + JSON.stringify(shown) + masked.slice(end);
  }
  return masked;
}

/**
 * Puts back what `maskText` has hidden, from where it stood.
 *
 * @param text As somebody sends it who has got a masked text.
 * @param original What was masked.
 */
export function restoreSecrets(text: string, original: string): string {
  const known = new Map(secretsIn(original).map((secret) => [secret.name, secret]));
  let restored = text;
  for (const { value, path, name, start, end } of secretsIn(text).reverse()) {
    const secret = known.get(name);
    if (!secret || value === secret.value || value !== maskValue(secret.value, path)) continue;
    const written = original.slice(secret.start, secret.end);
    restored = restored.slice(0, start) + written + restored.slice(end);
  }
  return restoreWritten(restored, original);
}

/** Lines that are as they were shown get back what was hidden in them, in the order of the original. */
function restoreWritten(text: string, original: string): string {
  const lines = original.split('\n');
  const hidden = new Map<string, string[]>();
  for (const [index, line] of maskOptions(original).split('\n').entries()) {
    const shown = maskWritten(line);
    if (shown !== line) hidden.set(shown, [...(hidden.get(shown) ?? []), lines[index]!]);
  }
  if (hidden.size === 0) return text;
  return text
    .split('\n')
    .map((line) => hidden.get(line)?.shift() ?? line)
    .join('\n');
}

/** What is written after the names of secrets where it is no option: commented out, or in the wrong place. */
const WRITTEN_SECRET =
  /((?:\bapi[-_]?key|\badminToken|\bauthorization|\bname["']?[ \t]*:.{0,200}?\bkey)["']?[ \t]*:[ \t]*)(?!["']?(?:\*\*\*|\$\{[A-Za-z_]\w*\}))(?:"(?:\\.|[^"\\])*"?|'[^']*'?|[^\s,}\]](?:[^,}\]]*[^\s,}\]])?)/gi;

function maskWritten(line: string): string {
  const masked = line.replace(WRITTEN_SECRET, (_, name: string) => `${name}"${MASK}"`);
  return String(maskValue(masked, []));
}

/** @returns The paths of secrets that are masked, and so are none. */
export function maskedSecrets(text: string): Path[] {
  return secretsIn(text).flatMap(({ value, path }) => (value === MASK ? [path] : []));
}

interface Secret {
  readonly value: unknown;
  readonly path: Path;
  /** Its path in words; API keys by their names, since their places mean nothing. */
  readonly name: string;
  /** Where the value is written. */
  readonly start: number;
  readonly end: number;
}

/** In the order in which they stand there; also what can't be parsed to its end is looked through. */
function secretsIn(text: string): Secret[] {
  const found: Secret[] = [];
  visit(parseDocument(text, { merge: true }), {
    Scalar(key, node, ancestors) {
      if (key === 'key') return;
      const { path, name } = placeOf(node, ancestors);
      const { value } = node;
      // An address with a password in it is one too.
      if (!isSecret(path) && maskValue(value, path) === value && !hasMask(value)) return;
      const [start, end] = node.range!;
      found.push({ value, path, name, start, end });
    },
  });
  return found;
}

function placeOf(node: Scalar, ancestors: readonly unknown[]): Pick<Secret, 'path' | 'name'> {
  const path: (string | number)[] = [];
  const names: string[] = [];
  for (const [index, ancestor] of ancestors.entries()) {
    const inner = ancestors[index + 1] ?? node;
    if (isPair(ancestor)) {
      const key = String(isScalar(ancestor.key) ? ancestor.key.value : ancestor.key);
      path.push(key);
      names.push(key);
    } else if (isSeq(ancestor)) {
      const place = ancestor.items.indexOf(inner);
      path.push(place);
      const own = isMap(inner) ? inner.get('name') : undefined;
      names.push(typeof own === 'string' ? own : String(place));
    }
  }
  return { path, name: JSON.stringify(names) };
}

function hasMask(value: unknown): boolean {
  return typeof value === 'string' && value.includes(`${MASK}@`);
}
