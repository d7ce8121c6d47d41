import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Adapter } from '../adapters/adapter.ts';
import { adapterFrom, type AdapterDefinition } from '../adapters/definition.ts';
import { OPERATIONS, type Operation } from '../service.ts';
import { checkAdapter, OPTION_BLOCKS } from './check-adapter.ts';
import type { KnownAdapter } from './check.ts';
import { placeInCode } from './code-place.ts';
import { pathText, shownPath, type Finding, type Problem } from './problem.ts';
import { adapterDefinition, type AdapterExtension } from './options/own-adapter.ts';
import { isCode, readText, SourceError } from './source.ts';
import { suggestion } from './suggest.ts';

/** An adapter of the config's own. */
export interface OwnAdapter {
  readonly adapter: Adapter;
  /** The same for as long as neither its definition nor its code has changed. */
  readonly digest: string;
}

export interface LoadedAdapters {
  /** By name: those that come with jairouter, and the config's own. */
  readonly adapters: Readonly<Record<string, Adapter>>;
  readonly own: ReadonlyMap<string, OwnAdapter>;
  /** To check instances against: also those that are wrong, which is told once. */
  readonly known: readonly KnownAdapter[];
  /** In the config. */
  readonly errors: readonly Finding[];
  /** In the files of modules. */
  readonly problems: readonly Problem[];
}

interface Context {
  /** Paths of modules start here. */
  readonly folder: string;
  readonly cwd: string;
  readonly builtIn: Readonly<Record<string, Adapter>>;
  /** Gets every file of a module. */
  readonly files: Set<string>;
  readonly previous: ReadonlyMap<string, OwnAdapter> | undefined;
}

/**
 * Makes the adapters of the config's `adapters`.
 *
 * @param data The config, with its variables filled in; what is not of the right type there is the
 * schema's to say.
 */
export async function loadAdapters(data: unknown, context: Context): Promise<LoadedAdapters> {
  const definitions = Object.entries(blockOf(blockOf(data)['adapters']));
  const own = new Map<string, OwnAdapter>();
  const errors: Finding[] = [];
  const problems: Problem[] = [];
  const extensions = new Map<string, AdapterExtension>();
  for (const [name, value] of definitions) {
    if (Object.hasOwn(context.builtIn, name)) {
      const message = `the adapter \`${name}\` comes with jairouter; call yours something else`;
      errors.push({ path: ['adapters', name], at: 'key', message });
    } else if (typeof value === 'string') {
      const result = await fromModule(name, value, context);
      if ('adapter' in result) own.set(name, result);
      errors.push(...('errors' in result ? result.errors : []));
      problems.push(...('problems' in result ? result.problems : []));
    } else {
      const definition = adapterDefinition.safeParse(value);
      if (definition.success) extensions.set(name, definition.data);
    }
  }
  extendAll(extensions, own, { ...context, errors, names: definitions.map(([name]) => name) });
  const adapters: Record<string, Adapter> = { ...context.builtIn };
  for (const [name, { adapter }] of own) adapters[name] = adapter;
  const broken = definitions.filter(([name]) => !Object.hasOwn(adapters, name));
  return {
    adapters,
    own,
    known: [
      ...Object.values(adapters),
      ...broken.map(([name]) => ({ name, baseUrl: 'unknown', warm: true, options: OPTION_BLOCKS })),
    ],
    errors,
    problems,
  };
}

type FromModule =
  | OwnAdapter
  | { readonly errors: readonly Finding[] }
  | { readonly problems: readonly Problem[] };

async function fromModule(name: string, path: string, context: Context): Promise<FromModule> {
  const { folder, cwd, files, previous } = context;
  const file = resolve(folder, path);
  const shown = shownPath(file, cwd);
  const wrong = (message: string): FromModule => ({
    errors: [{ path: ['adapters', name], at: 'value', message: `the adapter module ${message}` }],
  });
  if (!isCode(file)) return wrong(`${shown} must end in .ts, .mts, .js or .mjs`);
  files.add(file);
  let text: string;
  try {
    text = await readText(file);
  } catch (error) {
    return wrong(`${shown}: ${(error as Error).message}`);
  }
  const { defaultExport, importsOf, runModule } = await import('./run-module.ts');
  try {
    const parts = await importsOf(file, text);
    for (const part of parts) files.add(part);
    const digest = await digestOf(parts);
    const known = previous?.get(name);
    if (known?.digest === digest) return known;
    const module = await runModule(file, text);
    const given = blockOf(module)['adapter'] ?? defaultExport(module);
    if (given === undefined) {
      return wrong(`${shown} exports no adapter; write \`export default defineAdapter({ … })\``);
    }
    const findings = checkAdapter(given);
    if (findings.length === 0) return { adapter: named(given as Adapter, name), digest };
    return {
      problems: findings.map(({ path: at, at: what, message }) => ({
        file: shown,
        ...placeInCode(text, at, what, 'adapter'),
        path: pathText(['adapters', name]),
        message,
      })),
    };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return {
      problems: error.mistakes.map((mistake) => ({ file: shown, path: '', ...mistake })),
    };
  }
}

/** The config's word for it counts, as instances use that. */
function named(adapter: Adapter, name: string): Adapter {
  // Not a copy: it may be of a class, with methods that a copy would lack.
  return adapter.name === name
    ? adapter
    : (Object.create(adapter, { name: { value: name, enumerable: true } }) as Adapter);
}

async function digestOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(file).update('\0');
    hash.update(await readFile(file).catch(() => '')).update('\0');
  }
  return hash.digest('hex');
}

/** Extends what is there already first, so that an adapter may extend one that stands below it. */
function extendAll(
  extensions: ReadonlyMap<string, AdapterExtension>,
  own: Map<string, OwnAdapter>,
  {
    builtIn,
    previous,
    errors,
    names,
  }: Context & { readonly errors: Finding[]; readonly names: readonly string[] },
): void {
  const open = new Map(extensions);
  for (let before = -1; open.size !== before;) {
    before = open.size;
    for (const [name, definition] of open) {
      const builtInBase = Object.hasOwn(builtIn, definition.extends)
        ? { adapter: builtIn[definition.extends]!, digest: definition.extends }
        : undefined;
      const base = builtInBase ?? own.get(definition.extends);
      if (!base) continue;
      open.delete(name);
      errors.push(...uselessPaths(name, definition));
      const digest = JSON.stringify([base.digest, definition]);
      const known = previous?.get(name);
      own.set(
        name,
        known?.digest === digest
          ? known
          : { adapter: adapterFrom(definitionOf(name, definition), base.adapter), digest },
      );
    }
  }
  for (const [name, definition] of open) {
    const all = [...Object.keys(builtIn), ...names];
    const at = { path: ['adapters', name, 'extends'], at: 'value' } as const;
    if (!all.includes(definition.extends)) {
      const known = suggestion(definition.extends, all);
      errors.push({ ...at, message: `unknown adapter \`${definition.extends}\`${known}` });
    } else if (inCircle(name, open)) {
      errors.push({ ...at, message: `\`${name}\` extends itself, over \`${definition.extends}\`` });
    }
  }
}

/** Without a `baseUrl`, it is on this machine, if a port says where. */
function definitionOf(name: string, extension: AdapterExtension): AdapterDefinition {
  const { extends: _, ...own } = extension;
  const [port] = extension.ports ?? [];
  const given = Object.entries(own).filter(([, value]) => value !== undefined);
  return {
    ...(port === undefined ? {} : { baseUrl: `http://127.0.0.1:${port}` }),
    ...Object.fromEntries(given),
    name,
  };
}

function inCircle(name: string, open: ReadonlyMap<string, AdapterExtension>): boolean {
  const seen = new Set<string>();
  for (let at = open.get(name)?.extends; at !== undefined; at = open.get(at)?.extends) {
    if (at === name) return true;
    if (seen.has(at)) return false;
    seen.add(at);
  }
  return false;
}

function uselessPaths(name: string, { services, paths }: AdapterExtension): Finding[] {
  return Object.keys(paths ?? {}).flatMap((operation): Finding[] => {
    const service = OPERATIONS[operation as Operation]?.service;
    if (!services || service === undefined || services.includes(service)) return [];
    const path = ['adapters', name, 'paths', operation];
    const message = `\`${pathText(path)}\` is never used: \`services\` leaves out ${service}`;
    return [{ path, at: 'key', message }];
  });
}

function blockOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}
