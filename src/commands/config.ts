import { ADAPTERS } from '../adapters/index.ts';
import type { ChangeSource } from '../config/history.ts';
import type { Applied } from '../config/reloaded.ts';
import { loadConfig } from '../config/load.ts';
import { findConfig } from '../config/search.ts';
import { ConfigError, shownPath } from '../config/problem.ts';
import { formatMoment } from '../format.ts';
import type { AdminClient } from './admin-client.ts';
import { findServer, type ServerOptions } from './find-server.ts';
import { lineDiff } from './line-diff.ts';
import { print, printJson, printText } from './output.ts';
import { table, type Column } from './table.ts';
import { columnsOf, paintFor, type Paint } from './terminal.ts';
import { UserError } from './user-error.ts';

export interface ConfigOptions extends ServerOptions {
  readonly json?: boolean;
}

/** The answer of `GET /admin/config`. */
interface Shown {
  readonly file?: string;
  readonly text?: string;
  readonly effective: Readonly<Record<string, unknown>>;
}

/** A row of `GET /admin/config/history`. */
interface Version {
  readonly version: number;
  readonly at: number;
  readonly source: ChangeSource;
  readonly diff: readonly string[];
  readonly invalid?: true;
  readonly current: boolean;
}

/** The command `config show`. */
export async function showConfig(
  options: ConfigOptions & { readonly effective?: boolean },
): Promise<void> {
  const server = await findServer(options);
  const config = await server.get<Shown>('/admin/config');
  if (options.json) printJson(config);
  else if (options.effective || config.text === undefined) printJson(config.effective);
  else process.stdout.write(config.text);
}

/** The command `config history`. */
export async function showHistory(options: ConfigOptions): Promise<void> {
  const server = await findServer(options);
  const versions = await server.get<readonly Version[]>('/admin/config/history');
  if (options.json) return printJson(versions);
  if (versions.length === 0) return print(['no history: the server has no config file']);
  const { stdout, env } = process;
  const paint = paintFor(stdout, env);
  const now = Date.now();
  const columns: Column<Version>[] = [
    { title: '', cell: ({ current }) => (current ? '→' : ''), paint: paint.good },
    { title: 'version', cell: ({ version }) => String(version), right: true },
    { title: 'applied', cell: ({ at }) => formatMoment(at, now) },
    { title: 'by', cell: ({ source }) => SOURCES[source] },
    { title: 'changes', cell: changesText, flexible: true },
  ];
  print(table(columns, versions, { width: columnsOf(stdout), head: paint.faint }));
}

const SOURCES: Readonly<Record<ChangeSource, string>> = {
  start: 'start',
  edit: 'edit of the file',
  api: '/admin',
  rollback: 'rollback',
  signal: 'SIGHUP',
};

function changesText({ diff, invalid }: Version): string {
  if (invalid) return 'invalid, and so never applied';
  const [first = '', ...others] = diff;
  return others.length === 0 ? first : `${first}, and ${others.length} more`;
}

interface Pair {
  readonly from: number;
  readonly to: number;
}

/** As far as the command line names them. */
interface WantedPair {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** The command `config diff`. */
export async function diffVersions(wanted: WantedPair, options: ConfigOptions): Promise<void> {
  const server = await findServer(options);
  const pair = await versionsToCompare(server, wanted);
  const text = async (version: number): Promise<string> =>
    (await server.get<{ text: string }>(`/admin/config/history/${version}`)).text;
  const lines = lineDiff(await text(pair.from), await text(pair.to));
  if (options.json) return printJson({ ...pair, lines });
  const paint = paintFor(process.stdout, process.env);
  if (lines.length === 0)
    return print([`version ${pair.from} and version ${pair.to} are the same`]);
  print([paint.bad(`--- version ${pair.from}`), paint.good(`+++ version ${pair.to}`)]);
  print(lines.map(({ kind, text: line }) => SHOWN[kind](line, paint)));
}

const SHOWN = {
  same: (line: string) => ` ${line}`,
  gone: (line: string, { bad }: Paint) => bad(`-${line}`),
  new: (line: string, { good }: Paint) => good(`+${line}`),
  gap: (_: string, { faint }: Paint) => faint('…'),
};

/** Without a number: what the last change was; with one: what has changed since. */
async function versionsToCompare(server: AdminClient, { from, to }: WantedPair): Promise<Pair> {
  const versions = await server.get<readonly Version[]>('/admin/config/history');
  const current = versions.find((one) => one.current);
  if (!current) throw new UserError('there is no history: the server has no config file');
  const before = versions.find(({ version, invalid }) => version < current.version && !invalid);
  const first = from ?? before?.version;
  if (first === undefined) {
    throw new UserError(`version ${current.version} is the only one: there is nothing to compare`);
  }
  return { from: first, to: to ?? current.version };
}

/** The command `config rollback`. */
export async function rollback(version: number, options: ConfigOptions): Promise<void> {
  await change(options, (server) => server.send('POST', `/admin/config/rollback/${version}`));
}

/** The command `config reload`. */
export async function reload(options: ConfigOptions): Promise<void> {
  await change(options, (server) => server.send('POST', '/admin/reload'));
}

async function change(
  options: ConfigOptions,
  order: (server: AdminClient) => Promise<Omit<Applied, 'kind'>>,
): Promise<void> {
  const server = await findServer(options);
  const applied = await order(server);
  if (options.json) printJson(applied);
  else printText(appliedLines(applied));
}

/** What came of a change, for people. */
function* appliedLines(applied: Omit<Applied, 'kind'>): Generator<string> {
  const { version, diff, warnings, restartNeeded } = applied;
  if (diff.length === 0) yield 'nothing has changed';
  else yield `version ${version} is applied:`;
  for (const line of diff) yield `  ${line}`;
  for (const warning of warnings) yield `! ${warning}`;
  if (restartNeeded.length > 0) yield `a restart is needed for ${restartNeeded.join(', ')}`;
}

/**
 * The command `config validate`; it needs no server.
 * @throws ConfigError for an invalid config, unless that is told as JSON.
 */
export async function validate(
  file: string | undefined,
  { json = false }: { readonly json?: boolean },
): Promise<void> {
  const cwd = process.cwd();
  const { env } = process;
  try {
    const loaded = await loadConfig({ file, cwd, env, adapters: ADAPTERS });
    if (!loaded) {
      throw new UserError('no config was found here or above; `jairouter init` writes one', 2);
    }
    const { warnings } = loaded;
    if (json) return printJson({ file: loaded.file, valid: true, problems: [], warnings });
    printText([`${shownPath(loaded.file, cwd)} is valid`, ...warnings.map((line) => `! ${line}`)]);
  } catch (error) {
    if (!json || !(error instanceof ConfigError)) throw error;
    const found = file ?? (await findConfig(cwd, env).catch(() => undefined)) ?? null;
    printJson({ file: found, valid: false, problems: error.problems, warnings: [] });
    process.exitCode = 2;
  }
}
