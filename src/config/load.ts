import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { Adapter } from '../adapters/adapter.ts';
import { readCertificates, withCertificates } from './certificates.ts';
import { check } from './check.ts';
import { interpolate, type Environment, type Interpolated, type Unset } from './interpolate.ts';
import { loadAdapters, type OwnAdapter } from './own-adapters.ts';
import {
  byPlace,
  ConfigError,
  pathText,
  renderProblem,
  shownPath,
  type Finding,
  type Path,
  type Problem,
} from './problem.ts';
import { schema, type Config } from './schema.ts';
import { findConfig } from './search.ts';
import { readSource, type Source } from './source.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** As its author wrote it, with the variables filled in. */
  readonly data: unknown;
  /** The whole file. */
  readonly text: string;
  /** Absolute. */
  readonly file: string;
  /**
   * Every file the config was made from, absolute: itself, what it imports, the `.env` beside it
   * (also when there is none yet), certificates, and the modules of own adapters with their imports.
   */
  readonly sources: readonly string[];
  /** One line each, with its place. */
  readonly warnings: readonly string[];
  /** Instances that are `misconfigured` because a variable is not set: its name by theirs. */
  readonly unset: ReadonlyMap<string, string>;
  /** All that an instance may name: those that come with jairouter, and the config's own. */
  readonly adapters: Readonly<Record<string, Adapter>>;
  readonly ownAdapters: ReadonlyMap<string, OwnAdapter>;
  /** What is in the files that `tls.ca` names, by their path. */
  readonly certificates: ReadonlyMap<string, string>;
}

export interface LoadOptions {
  /** As given with `-c`, from `cwd`; absent: it is searched for. */
  readonly file?: string | undefined;
  /** What to take for the file's content, to see what would come of it. */
  readonly text?: string | undefined;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Those that come with jairouter, by their names. */
  readonly adapters: Readonly<Record<string, Adapter>>;
  /** What was loaded before: own adapters that did not change are the same objects as there. */
  readonly previous?: LoadedConfig | undefined;
}

/**
 * Finds, reads and checks the config.
 *
 * @returns `undefined` when no file was named and none was found.
 * @throws ConfigError with everything that is wrong.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig | undefined> {
  const { cwd, env } = options;
  const file = options.file === undefined ? await findConfig(cwd, env) : resolve(cwd, options.file);
  if (file === undefined) return undefined;
  const sources = new Set<string>();
  try {
    return await loadFile(file, sources, options);
  } catch (error) {
    if (error instanceof ConfigError) error.sources = [...sources];
    throw error;
  }
}

async function loadFile(
  file: string,
  sources: Set<string>,
  { text, cwd, env, adapters: builtIn, previous }: LoadOptions,
): Promise<LoadedConfig> {
  const dotenv = await readDotenv(file);
  sources.add(file).add(dotenv.file);
  const source = await readSource(file, cwd, { text, files: sources });
  // The process's own environment wins.
  const environment: Environment = (name) => env[name] ?? dotenv.values[name];

  const filled = interpolate(source.data ?? {}, environment);
  const { data, unset, findings: unsetErrors } = turnOff(filled, Object.keys(builtIn));
  const parsed = schema.safeParse(data);
  // Only for a config that has errors: it walks the whole schema.
  const schemaErrors = parsed.success
    ? []
    : (await import('./explain.ts')).explain(parsed.error.issues, source.data);
  const own = await loadAdapters(data, {
    folder: dirname(file),
    cwd,
    builtIn,
    files: sources,
    previous: previous?.ownAdapters,
  });
  const checked = check(data, { adapters: own.known, off: firstVariables(unset) });
  const certificates = await readCertificates(data, dirname(file));
  for (const certificate of certificates.files.values()) sources.add(certificate);

  const toProblem = ({ path, at, message }: Finding): Problem => ({
    file: shownPath(file, cwd),
    ...source.place(path, at),
    path: pathText(path),
    message,
  });
  const errors = firstOfEach([
    ...filled.findings.map(aboutPath),
    ...unsetErrors,
    ...schemaErrors,
    ...own.errors,
    ...checked.errors,
    ...certificates.errors,
  ]);
  const problems = [
    ...mistakes(source, shownPath(file, cwd)),
    ...errors.map(toProblem),
    ...own.problems,
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);

  const missed = unset.filter(({ instance }) => parsed.data.instances[instance]?.enabled);
  const warnings = [...missed.map(turnedOff), ...checked.warnings].map(toProblem).sort(byPlace);
  return {
    config: withFolder(withCertificates(parsed.data, certificates), dirname(file)),
    data,
    text: source.text,
    file,
    sources: [...sources],
    warnings: warnings.map(renderProblem),
    unset: firstVariables(unset),
    adapters: own.adapters,
    ownAdapters: own.own,
    certificates: certificates.texts,
  };
}

/** The config with a whole path for the folder that calls are written into. */
function withFolder(config: Config, folder: string): Config {
  const { capture } = config;
  if (capture?.dir === undefined) return config;
  return { ...config, capture: { ...capture, dir: resolve(folder, capture.dir) } };
}

async function readDotenv(config: string): Promise<{ file: string; values: NodeJS.Dict<string> }> {
  const file = join(dirname(config), '.env');
  try {
    return { file, values: parseEnv((await readFile(file, 'utf8')).replace(/^\uFEFF/, '')) };
  } catch {
    // There is none, or it isn't ours to read: a variable that is missed is named as unset.
    return { file, values: {} };
  }
}

interface TurnedOff {
  readonly data: unknown;
  /** In instances: their options are left out, and the instances are off. */
  readonly unset: readonly (Unset & { readonly instance: string })[];
  /** Elsewhere: errors. */
  readonly findings: readonly Finding[];
}

/** Takes out of the instances what names an unset variable, so that the rest can be checked. */
function turnOff({ data, unset }: Interpolated, adapters: readonly string[]): TurnedOff {
  const off: (Unset & { instance: string })[] = [];
  const findings: Finding[] = [];
  for (const each of unset) {
    const [section, instance, option] = each.path;
    if (section === 'instances' && typeof instance === 'string' && option !== undefined) {
      off.push({ ...each, instance });
      leaveOut(data, each.path, adapters);
    } else {
      findings.push({
        path: each.path,
        at: 'value',
        message: `${notSet(each.variable)}; set it, or write \`\${${each.variable}:-default}\``,
      });
    }
  }
  return { data, unset: off, findings };
}

function leaveOut(data: unknown, path: Path, adapters: readonly string[]): void {
  // A list goes as a whole, or its other entries would change places.
  const index = path.findIndex((segment) => typeof segment === 'number');
  const keys = index < 0 ? path : path.slice(0, index);
  let block = data as Record<string | number, unknown>;
  for (const key of keys.slice(0, -1)) block = block[key] as Record<string | number, unknown>;
  const option = keys.at(-1)!;
  // An instance that is off still needs some adapter to be shown with.
  if (keys.length === 3 && option === 'adapter') block[option] = adapters[0];
  else delete block[option];
}

function turnedOff({ path, variable, instance }: TurnedOff['unset'][number]): Finding {
  return {
    path,
    at: 'value',
    message: `${notSet(variable)}, so the instance \`${instance}\` is off (misconfigured)`,
  };
}

function notSet(variable: string): string {
  return `the environment variable ${variable} is not set, or empty`;
}

function firstVariables(unset: TurnedOff['unset']): Map<string, string> {
  return new Map(unset.toReversed().map(({ instance, variable }) => [instance, variable]));
}

/** One complaint for each place: the later checks may stumble over what an earlier one named. */
function firstOfEach(findings: readonly Finding[]): Finding[] {
  const seen = new Map<string, Finding>();
  for (const finding of findings) {
    const key = JSON.stringify(finding.path);
    if (!seen.has(key)) seen.set(key, finding);
  }
  return [...seen.values()];
}

function aboutPath({ path, at, message }: Finding): Finding {
  return { path, at, message: `\`${pathText(path)}\` ${message}` };
}

function mistakes({ mistakes: found }: Source, file: string): Problem[] {
  return found.map((mistake) => ({ file, path: '', ...mistake }));
}
