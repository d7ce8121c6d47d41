import { isDeepStrictEqual } from 'node:util';
import type { LoadedConfig } from './load.ts';
import { pathText, type Path } from './problem.ts';
import { isSecret, MASK, maskValue } from './secrets.ts';
import { formatSize } from './units.ts';

/** What of a config is compared. */
export type Comparable = Pick<
  LoadedConfig,
  'config' | 'data' | 'ownAdapters' | 'certificates' | 'unset'
>;

/**
 * Says what changed between two configs, a line each: `instances.gpu-1.weight: 3 -> 5`,
 * `+ instances.box (vllm at http://10.0.0.7:8000)`, `- models.coder`. Only what takes effect is
 * compared, so that another spelling of the same is none; it is shown as its author wrote it.
 * Secrets are masked.
 */
export function diffConfigs(before: Comparable, after: Comparable): string[] {
  const sides: Sides = { before, after };
  return [...compare(sides, [], before.config, after.config), ...hiddenChanges(sides)];
}

interface Sides {
  readonly before: Comparable;
  readonly after: Comparable;
}

type Block = Readonly<Record<string, unknown>>;

function compare(sides: Sides, path: Path, before: unknown, after: unknown): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isNamed(path) && (before === undefined || after === undefined)) {
    return [
      before === undefined ? `+ ${pathText(path)}${about(path, after)}` : `- ${pathText(path)}`,
    ];
  }
  if (isListOfBlocks(before) || isListOfBlocks(after)) {
    return compare(sides, path, byName(before), byName(after));
  }
  const isSwitch = isSwitched(sides.before, path) || isSwitched(sides.after, path);
  const comes = before === undefined || after === undefined;
  if (isBlock(before ?? {}) && isBlock(after ?? {}) && !(isSwitch && comes)) {
    const [one, other] = [before ?? {}, after ?? {}] as [Block, Block];
    const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
    return [...keys].flatMap((key) => compare(sides, [...path, key], one[key], other[key]));
  }
  return [line(sides, path, before, after)];
}

/** Whether `true` stands there for a block. */
function isSwitched({ data }: Comparable, path: Path): boolean {
  return String(lookUp(data, path)) === 'true';
}

/** Whether a block stands there under a name of the user's. */
function isNamed(path: Path): boolean {
  const [section, list] = path;
  if (path.length === 3) return section === 'server' && list === 'apiKeys';
  return (
    path.length === 2 && (section === 'instances' || section === 'models' || section === 'adapters')
  );
}

/** What is worth knowing of a block that is new. */
function about([section]: Path, block: unknown): string {
  if (typeof block === 'string') return ` (${block})`;
  const { adapter, baseUrl, targets, extends: base } = block as Record<string, unknown>;
  if (section === 'instances') {
    const at = typeof baseUrl === 'string' ? ` at ${String(maskValue(baseUrl, []))}` : '';
    return ` (${String(adapter)}${at})`;
  }
  if (Array.isArray(targets)) return ` (${targets.join(', ')})`;
  return typeof base === 'string' ? ` (extends ${base})` : '';
}

function line(sides: Sides, path: Path, before: unknown, after: unknown): string {
  const name = pathText(path);
  const [old, next] = [shown(sides.before, path, before), shown(sides.after, path, after)];
  if (old === undefined) return `+ ${name}: ${next}`;
  if (next === undefined) return `- ${name}: ${old}`;
  if (isSecret(path)) return `${name}: changed`;
  if (Array.isArray(before) && Array.isArray(after)) {
    const more = after.filter((item) => !before.includes(item)).map((item) => `+ ${String(item)}`);
    const less = before.filter((item) => !after.includes(item)).map((item) => `- ${String(item)}`);
    if (more.length + less.length > 0) return `${name}: ${[...more, ...less].join(', ')}`;
  }
  return `${name}: ${old} -> ${next}`;
}

/** @returns A value in its author's words, where they are a value of their own. */
function shown({ data }: Comparable, path: Path, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (isSecret(path)) return MASK;
  const written = lookUp(data, path);
  const size = path.at(-1) === 'maxBodySize' || path.at(-1) === 'maxBytes';
  if (written === undefined && size) return formatSize(Number(value));
  return text(written === undefined || isBlock(written) ? value : written, path);
}

function text(value: unknown, path: Path): string {
  if (Array.isArray(value)) return `[${value.map((item) => text(item, path)).join(', ')}]`;
  return typeof value === 'object' ? JSON.stringify(value) : String(maskValue(value, path));
}

/** A name alone may stand for a block (`loadBalance: random`): then it is what is found below too. */
function lookUp(data: unknown, path: Path): unknown {
  let value = data;
  for (const key of path) {
    if (Array.isArray(value)) value = byName(value);
    if (!isBlock(value)) return typeof value === 'boolean' ? undefined : value;
    value = value[key];
  }
  return value;
}

/** Changes that stand in no option of the config. */
function hiddenChanges({ before, after }: Sides): string[] {
  const lines: string[] = [];
  for (const [name, { digest }] of after.ownAdapters) {
    const known = before.ownAdapters.get(name);
    const redefined = !isDeepStrictEqual(before.config.adapters[name], after.config.adapters[name]);
    if (known && known.digest !== digest && !redefined) {
      lines.push(`${pathText(['adapters', name])}: its code changed`);
    }
  }
  for (const [name, { tls }] of Object.entries(after.config.instances)) {
    const file = tls?.ca;
    if (file === undefined || before.config.instances[name]?.tls?.ca !== file) continue;
    if (before.certificates.get(file) !== after.certificates.get(file)) {
      lines.push(`${pathText(['instances', name, 'tls', 'ca'])}: the certificate changed`);
    }
  }
  for (const name of Object.keys(after.config.instances)) {
    if (!before.config.instances[name]) continue;
    const [was, is] = [before.unset.get(name), after.unset.get(name)];
    if (was === is) continue;
    const path = pathText(['instances', name]);
    lines.push(is === undefined ? `${path}: ${was} is set now` : `${path}: off, ${is} is not set`);
  }
  return lines;
}

/** API keys, by their names: their places in the list mean nothing. */
function byName(list: unknown): unknown {
  if (Array.isArray(list) && list.length === 0) return {};
  if (!isListOfBlocks(list)) return list;
  return Object.fromEntries(
    list.map((item, index) => [typeof item['name'] === 'string' ? item['name'] : index, item]),
  );
}

function isListOfBlocks(value: unknown): value is readonly Block[] {
  return Array.isArray(value) && value.length > 0 && value.every(isBlock);
}

/** Not a rate, which is one value. */
function isBlock(value: unknown): value is Block {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !('count' in value && 'per' in value);
}
