import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseAllDocuments } from 'yaml';
import { asObject, type JsonObject } from '../../adapters/json.ts';
import { ConfigError, shownPath } from '../problem.ts';
import { unreadable } from '../source.ts';

/** What was read of another gateway's config, and of the files that it names. */
export interface ForeignConfig {
  readonly data: JsonObject;
  /** Files that it names and that could not be read: each with a clause on why. */
  readonly missing: readonly { readonly file: string; readonly why: string }[];
  /** Parts of it that only hold in one Spring profile, by the profile's name. */
  readonly profiles: readonly string[];
}

/** A file may name others, which may name it. */
const DEEPEST = 8;

/**
 * Reads a YAML or JSON file with all that it includes: by Spring's `spring.config.import`, whose
 * files win over the one that names them, or by LiteLLM's `include`, whose lists are joined.
 *
 * @param file As the user named it.
 * @throws ConfigError when the file itself can't be read, or one of them is no YAML.
 */
export async function readForeignFile(file: string, cwd: string): Promise<ForeignConfig> {
  const text = await readFile(resolve(cwd, file), 'utf8').catch((error: unknown) => {
    throw new ConfigError([{ file, path: '', message: unreadable(error) }]);
  });
  return readForeignText(text, resolve(cwd, file), cwd);
}

/** The same for a text that is there already; `file` is where it lies, or would lie. */
export async function readForeignText(
  text: string,
  file: string,
  cwd: string,
): Promise<ForeignConfig> {
  const missing: { file: string; why: string }[] = [];
  const profiles: string[] = [];
  const visit = async (own: string, from: string, depth: number): Promise<JsonObject> => {
    let data: JsonObject = {};
    for (const document of parse(own, shownPath(from, cwd))) {
      const profile = profileOf(document);
      if (profile === undefined) data = merged(data, document);
      else profiles.push(profile);
    }
    for (const named of depth < DEEPEST ? includedBy(data) : []) {
      const path = resolve(dirname(from), named);
      try {
        data = merged(data, await visit(await readFile(path, 'utf8'), path, depth + 1));
      } catch (error) {
        if (error instanceof ConfigError) throw error;
        missing.push({ file: named, why: unreadable(error) });
      }
    }
    return data;
  };
  return { data: await visit(text, file, 0), missing, profiles };
}

function parse(text: string, file: string): JsonObject[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text.replace(/^\uFEFF/, ''), {
    lineCounter: lines,
    prettyErrors: false,
    merge: true,
    uniqueKeys: false,
  });
  const documents = Array.isArray(parsed) ? parsed : [];
  const problems = documents.flatMap(({ errors }) =>
    errors.map(({ pos, message }) => {
      const { line, col: column } = lines.linePos(pos[0]);
      return { file, line, column, path: '', message };
    }),
  );
  if (problems.length > 0) throw new ConfigError(problems.slice(0, 1));
  return documents.flatMap((document): JsonObject[] => {
    const data = asObject(document.toJS());
    return data ? [data] : [];
  });
}

/** @returns The Spring profile that a document is for; `undefined` when it always holds. */
function profileOf(document: JsonObject): string | undefined {
  const spring = asObject(document['spring']);
  const activate = asObject(asObject(spring?.['config'])?.['activate']);
  const named =
    activate?.['on-profile'] ??
    spring?.['profiles'] ??
    document['spring.config.activate.on-profile'];
  return typeof named === 'string' ? named : undefined;
}

/** @returns Paths from the file that names them. */
function includedBy(data: JsonObject): string[] {
  const spring = asObject(asObject(data['spring'])?.['config'])?.['import'];
  return [...texts(spring ?? data['spring.config.import']), ...texts(data['include'])].map(
    // Spring's own resources lie beside the application.yml that names them.
    (text) =>
      text.replace(/^(optional:)?((classpath\*?|file):)?/, '').replace(/^\/(?=config\/)/, ''),
  );
}

function texts(value: unknown): string[] {
  return [value].flat().filter((each) => typeof each === 'string');
}

/** Blocks are merged key by key; of anything else the later one counts, but lists of LiteLLM join. */
function merged(base: JsonObject, over: JsonObject): JsonObject {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = result[key];
    const [one, other] = [asObject(before), asObject(value)];
    if (one && other) result[key] = merged(one, other);
    else if (key === 'model_list' && Array.isArray(before) && Array.isArray(value))
      result[key] = [...(before as unknown[]), ...(value as unknown[])];
    else result[key] = value;
  }
  return result;
}
