import { relative } from 'node:path';
import type { InstanceState } from '../gateway/directory.ts';
import type { Instance } from '../instances/instance.ts';
import type { Level } from '../observe/log.ts';
import { VERSION } from './version.ts';

/** What `serve` says first: where it listens and where its instances come from. */
export function banner(server: {
  readonly url: string;
  /** The config file; absent when there is none. */
  readonly file: string | undefined;
  /** What was found without a config, a line each. */
  readonly news: readonly string[];
}): string[] {
  const config =
    server.file === undefined
      ? 'none (jairouter init writes one)'
      : relative(process.cwd(), server.file);
  return [
    `jairouter ${VERSION} is ready`,
    '',
    `  endpoint  ${server.url}/v1`,
    `  config    ${config}`,
    ...server.news.map((line) => `            ${line}`),
    '',
  ];
}

const SYMBOLS: Readonly<Record<InstanceState, string>> = {
  healthy: '●',
  unknown: '○',
  loading: '◐',
  unhealthy: '✗',
  misconfigured: '!',
  draining: '◌',
  disabled: '-',
};

/** The instances in aligned columns: state, name, adapter, address, and models or what is wrong. */
export function instanceTable(instances: readonly Instance[]): string[] {
  const rows = instances.map((instance) => [
    `${SYMBOLS[instance.state]} ${instance.name}`,
    instance.adapter.name,
    instance.origin + instance.basePath,
    instance.state,
    instance.stateDetail ?? models(instance),
  ]);
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(0, ...rows.map((row) => row[column]!.length)),
  );
  return [
    ...rows.map(
      (row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`,
    ),
    '',
  ];
}

function models({ catalogue }: Instance): string {
  const ids = [...new Set([...catalogue.models.values()].map(({ id }) => id))];
  const names = [...ids, ...catalogue.wildcards];
  if (names.length === 0) return 'no models';
  const shown = names.slice(0, 3).join(', ');
  return `${names.length} ${names.length === 1 ? 'model' : 'models'}: ${shown}${names.length > 3 ? ', …' : ''}`;
}

/** The log's line on an instance whose state has changed. */
export function stateReport({ name, state, stateDetail }: Instance): [Level, string] {
  const good = state === 'healthy' || state === 'unknown';
  const why = stateDetail === undefined ? '' : `: ${stateDetail}`;
  return [good ? 'info' : 'warn', `instance ${name} is ${state}${why}`];
}
