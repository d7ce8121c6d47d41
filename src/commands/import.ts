import { basename, extname, relative, resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { ADAPTERS } from '../adapters/index.ts';
import { importConfig } from '../config/import/import.ts';
import type { Imported } from '../config/import/imported.ts';
import { hasVariable } from '../config/interpolate.ts';
import { loadConfig } from '../config/load.ts';
import { configText, type ConfigFormat } from '../config/text.ts';
import { refuseSecondConfig, shadowOf, writeNewConfig } from './new-config.ts';
import { paintFor, type Paint } from './terminal.ts';
import { UserError } from './user-error.ts';

export interface ImportOptions {
  readonly format?: ConfigFormat | undefined;
  /** `-`: standard output. */
  readonly output?: string;
  readonly force?: boolean | undefined;
  readonly json?: boolean;
}

/** The command `import`: writes our config of another gateway's, and says what became of what. */
export async function importFile(source: string, options: ImportOptions): Promise<void> {
  const { env } = process;
  const cwd = process.cwd();
  const target = targetOf(options);
  const file = resolve(cwd, target.name);
  const toStdout = options.output === '-';
  if (options.output === undefined && !options.force) await refuseSecondConfig(file, { cwd, env });
  const imported = await importConfig({
    file: source === '-' ? 'stdin' : source,
    ...(source === '-' && { text: await readAll(process.stdin) }),
    cwd,
    adapters: ADAPTERS,
  });
  const from = source === '-' ? 'standard input' : basename(source);
  const text = configText(imported.config, {
    format: target.format,
    comment: headOf(imported, from),
  });
  const secret = plainKeys(imported.config).length > 0;
  if (toStdout) process.stdout.write(text);
  else await writeNewConfig({ file, text, force: options.force, cwd, secret });
  const written = toStdout ? undefined : file;
  const todo = written === undefined ? [] : await problemsOf(written, cwd);
  if (options.json) {
    report(toStdout, `${JSON.stringify(asJson(imported, written, todo), null, 2)}\n`);
    return;
  }
  const output = toStdout ? process.stderr : process.stdout;
  const paint = paintFor(output, env);
  const lines = [
    ...summary(imported, from, paint),
    ...(written === undefined ? [] : await nextSteps({ imported, file: written, todo, paint })),
  ];
  report(toStdout, `${lines.join('\n')}\n`);
}

/** What is said beside a config on standard output goes elsewhere. */
function report(toStdout: boolean, text: string): void {
  (toStdout ? process.stderr : process.stdout).write(text);
}

const FORMATS: Readonly<Record<string, ConfigFormat>> = {
  '.yaml': 'yaml',
  '.yml': 'yaml',
  '.json': 'json',
  '.ts': 'ts',
};

function targetOf({ format, output }: ImportOptions): { name: string; format: ConfigFormat } {
  if (output === undefined || output === '-') {
    const chosen = format ?? 'yaml';
    return { name: `jairouter.config.${chosen}`, format: chosen };
  }
  const ending = FORMATS[extname(output)];
  if (ending && (format === undefined || format === ending))
    return { name: output, format: ending };
  throw new UserError(
    format === undefined
      ? `--output must end in .yaml, .json or .ts, not be ${output}`
      : `--output ${output} and --format ${format} are two formats`,
    2,
  );
}

function headOf({ from, left }: Imported, file: string): string[] {
  const lost = left.map(({ what, why }) => `- ${what}: ${why}`.replaceAll(/\s+/g, ' '));
  return [
    '',
    `Made by \`jairouter import\` of ${from}'s ${file}.`,
    ...(lost.length > 0 ? ['What is otherwise here, or has no counterpart:', ...lost] : []),
  ];
}

function* summary({ from, config, left }: Imported, file: string, paint: Paint): Generator<string> {
  yield paint.strong(`${from}'s ${file}, carried over:`);
  const { instances = {}, models = {}, ...settings } = config;
  const rows = [
    ...Object.entries(settings).map(([block, value]) => [block, optionsIn(value)]),
    ...Object.entries(instances).map(([name, { adapter, baseUrl, models: listed, ...more }]) => [
      'instance',
      [
        `${name} (${adapter}${baseUrl === undefined ? '' : ` at ${baseUrl}`})`,
        listed ? countOf(listed.length, 'model') : 'all its models',
        optionsIn(more),
      ]
        .filter(Boolean)
        .join(', '),
    ]),
    ...Object.entries(models).map(([name, { targets, fallback = [] }]) => [
      'model',
      `${name} → ${targets.join(', ')}${fallback.length > 0 ? `; then ${fallback.join(', ')}` : ''}`,
    ]),
  ];
  for (const [what = '', how = ''] of rows) yield `  ${what.padEnd(9)} ${how}`;
  if (rows.length === 0) yield '  nothing';
  if (left.length === 0) return;
  yield '';
  yield paint.strong('Not carried over, or otherwise here:');
  for (const { what, why } of left) yield `  ${what}: ${paint.faint(why)}`;
}

/** The options of a block in a few words, without keys: `loadBalance random, retry attempts 3`. */
function optionsIn(value: unknown): string {
  if (Array.isArray(value)) return '';
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, inner]: [string, unknown]) => {
      if (name === 'apiKeys') return countOf((inner as unknown[]).length, 'API key');
      if (name === 'apiKey') return 'its key';
      if (name === 'headers') return countOf(Object.keys(inner as object).length, 'header');
      return `${name} ${Array.isArray(inner) ? inner.join('+') : optionsIn(inner)}`.trim();
    })
    .join(', ');
}

function countOf(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** What the loader has against the new file, or warns of: mostly variables that are still to be set. */
async function problemsOf(file: string, cwd: string): Promise<readonly string[]> {
  try {
    const { env } = process;
    return (await loadConfig({ file, cwd, env, adapters: ADAPTERS }))?.warnings ?? [];
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ConfigError') throw error;
    return error.message.split('\n');
  }
}

async function nextSteps(of: {
  readonly imported: Imported;
  readonly file: string;
  readonly todo: readonly string[];
  readonly paint: Paint;
}): Promise<string[]> {
  const { imported, file, todo, paint } = of;
  const cwd = process.cwd();
  const name = relative(cwd, file);
  const found = name.startsWith('jairouter.config.');
  const keys = plainKeys(imported.config);
  return [
    '',
    `${paint.good('✓')} ${name} is written.`,
    ...(keys.length > 0
      ? [`  It has ${keys.join(', ')} in plain text, as it was: a \${VARIABLE} is safer.`]
      : []),
    ...todo.map((line) => `  ${paint.bad('!')} ${line}`),
    ...(await shadowOf(file, { cwd, env: process.env })),
    '',
    `Next:  ${paint.strong(`jairouter check${found ? '' : ` -c ${name}`}`)}`,
  ];
}

/** The places of keys that stand in the config themselves, and not as a variable. */
function plainKeys({ server, instances = {} }: Imported['config']): string[] {
  const isPlain = (text: string | undefined): boolean => text !== undefined && !hasVariable(text);
  return [
    ...(server?.apiKeys ?? []).flatMap(({ name, key }) =>
      isPlain(key) ? [`the key \`${name}\``] : [],
    ),
    ...Object.entries(instances).flatMap(([name, { apiKey }]) =>
      isPlain(apiKey) ? [`the key of ${name}`] : [],
    ),
  ];
}

function asJson(imported: Imported, file: string | undefined, todo: readonly string[]): unknown {
  const { from, config, left } = imported;
  return {
    from,
    file: file ?? null,
    instances: Object.keys(config.instances ?? {}),
    models: Object.keys(config.models ?? {}),
    left,
    problems: todo,
  };
}
