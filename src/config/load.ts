import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { check, type KnownAdapter } from './check.ts';
import { interpolate, type Environment, type Interpolated, type Unset } from './interpolate.ts';
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
import { readSource, unreadable, type Source } from './source.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** Absolute. */
  readonly file: string;
  /**
   * Every file the config was made from, absolute: itself, what it imports, the `.env` beside it
   * (also when there is none yet) and certificates.
   */
  readonly sources: readonly string[];
  /** One line each, with its place. */
  readonly warnings: readonly string[];
  /** Instances that are `misconfigured` because a variable is not set: its name by theirs. */
  readonly unset: ReadonlyMap<string, string>;
}

export interface LoadOptions {
  /** As given with `-c`, from `cwd`; absent: it is searched for. */
  readonly file?: string | undefined;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly adapters: readonly KnownAdapter[];
}

/**
 * Finds, reads and checks the config.
 *
 * @returns `undefined` when no file was named and none was found.
 * @throws ConfigError with everything that is wrong.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig | undefined> {
  const { cwd, env, adapters } = options;
  const file = options.file === undefined ? await findConfig(cwd, env) : resolve(cwd, options.file);
  if (file === undefined) return undefined;
  const source = await readSource(file, cwd);
  const dotenv = await readDotenv(file);
  // The process's own environment wins.
  const environment: Environment = (name) => env[name] ?? dotenv.values[name];

  const filled = interpolate(source.data ?? {}, environment);
  const { data, unset, findings: unsetErrors } = turnOff(filled, adapters);
  const parsed = schema.safeParse(data);
  // Only for a config that has errors: it walks the whole schema.
  const schemaErrors = parsed.success
    ? []
    : (await import('./explain.ts')).explain(parsed.error.issues, source.data);
  const checked = check(data, { adapters, off: firstVariables(unset) });
  const certificates = await readCertificates(data, dirname(file));

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
    ...checked.errors,
    ...certificates.errors,
  ]);
  if (!parsed.success || errors.length > 0 || source.mistakes.length > 0)
    throw new ConfigError([...mistakes(source, shownPath(file, cwd)), ...errors.map(toProblem)]);

  const missed = unset.filter(({ instance }) => parsed.data.instances[instance]?.enabled);
  const warnings = [...missed.map(turnedOff), ...checked.warnings].map(toProblem).sort(byPlace);
  return {
    config: withCertificates(parsed.data, certificates.files),
    file,
    sources: [...new Set([...source.files, dotenv.file, ...certificates.files.values()])],
    warnings: warnings.map(renderProblem),
    unset: firstVariables(unset),
  };
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
function turnOff({ data, unset }: Interpolated, adapters: readonly KnownAdapter[]): TurnedOff {
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

function leaveOut(data: unknown, path: Path, adapters: readonly KnownAdapter[]): void {
  // A list goes as a whole, or its other entries would change places.
  const index = path.findIndex((segment) => typeof segment === 'number');
  const keys = index < 0 ? path : path.slice(0, index);
  let block = data as Record<string | number, unknown>;
  for (const key of keys.slice(0, -1)) block = block[key] as Record<string | number, unknown>;
  const option = keys.at(-1)!;
  // An instance that is off still needs some adapter to be shown with.
  if (keys.length === 3 && option === 'adapter') block[option] = adapters[0]?.name;
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

interface Certificates {
  /** Absolute paths, by instance. */
  readonly files: ReadonlyMap<string, string>;
  readonly errors: readonly Finding[];
}

/** Resolves `tls.ca` from the config's folder, and proves that there is a certificate. */
async function readCertificates(data: unknown, folder: string): Promise<Certificates> {
  const files = new Map<string, string>();
  const errors: Finding[] = [];
  const instances = childOf(data, 'instances');
  for (const [name, instance] of Object.entries(isBlock(instances) ? instances : {})) {
    const ca = childOf(childOf(instance, 'tls'), 'ca');
    if (typeof ca !== 'string' || ca === '') continue;
    const file = resolve(folder, ca);
    const problem = await certificateProblem(file);
    if (problem === undefined) files.set(name, file);
    else
      errors.push({
        path: ['instances', name, 'tls', 'ca'],
        at: 'value',
        message: `certificate ${file}: ${problem}`,
      });
  }
  return { files, errors };
}

async function certificateProblem(file: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return unreadable(error);
  }
  const PEM = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
  const certificates = text.match(PEM) ?? [];
  if (certificates.length === 0) return 'holds no certificate in PEM form';
  try {
    // TLS itself passes over what it can't read, and then says only that nothing fits.
    for (const certificate of certificates) void new X509Certificate(certificate);
    return undefined;
  } catch {
    // Its own words are OpenSSL's.
    return 'holds a certificate that is damaged';
  }
}

function withCertificates(config: Config, files: ReadonlyMap<string, string>): Config {
  if (files.size === 0) return config;
  const instances = Object.entries(config.instances).map(([name, instance]) => {
    const ca = files.get(name);
    return [name, ca && instance.tls ? { ...instance, tls: { ...instance.tls, ca } } : instance];
  });
  return { ...config, instances: Object.fromEntries(instances) as Config['instances'] };
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

function isBlock(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function childOf(value: unknown, key: string): unknown {
  return isBlock(value) ? value[key] : undefined;
}
