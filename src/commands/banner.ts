import { shownPath } from '../config/problem.ts';
import { STATES } from '../dashboard/symbols.ts';
import type { Instance } from '../instances/instance.ts';
import { VERSION } from '../version.ts';
import { ownUrl } from './listening.ts';

/** What `serve` says first: where it listens and where its instances come from. */
export function banner(server: {
  readonly url: string;
  /** The config file; absent when there is none. */
  readonly file: string | undefined;
  /** The folder that calls are recorded into. */
  readonly records: string | undefined;
  /** What calls are answered from in the place of backends, and then no config is read. */
  readonly replays: string | undefined;
  /** What was found without a config, a line each. */
  readonly news: readonly string[];
}): string[] {
  const config =
    server.file === undefined
      ? 'none (jairouter init writes one)'
      : shownPath(server.file, process.cwd());
  return [
    `jairouter ${VERSION} is ready`,
    '',
    `  endpoint  ${endpoint(server.url)}`,
    server.replays === undefined ? `  config    ${config}` : `  replays   ${server.replays}`,
    ...server.news.map((line) => `            ${line}`),
    ...(server.records === undefined
      ? []
      : [`  records   ${shownPath(server.records, process.cwd())}`]),
    '',
  ];
}

function endpoint(url: string): string {
  const own = ownUrl(url);
  return own === url ? `${url}/v1` : `${own}/v1, and on every other address of this machine`;
}

/** The instances in aligned columns: state, name, adapter, address, and models or what is wrong. */
export function instanceTable(instances: readonly Instance[]): string[] {
  if (instances.length === 0)
    return ['  no instances: add your backends to the config, under `instances`', ''];
  const rows = instances.map((instance) => [
    `${STATES[instance.state].symbol} ${instance.name}`,
    instance.adapter.name,
    instance.connections.address,
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
  const { wildcards } = catalogue;
  if (ids.length === 0) return wildcards.length === 0 ? 'no models' : wildcards.join(', ');
  const shown = ids.slice(0, 3).join(', ') + (ids.length > 3 ? ', …' : '');
  const more = wildcards.length === 0 ? '' : `, and ${wildcards.join(', ')}`;
  return `${ids.length} ${ids.length === 1 ? 'model' : 'models'}: ${shown}${more}`;
}
