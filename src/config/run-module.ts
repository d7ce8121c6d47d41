import { readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createJiti, type Jiti } from 'jiti';
import * as kit from '../adapters/kit.ts';
import * as ourselves from '../index.ts';
import { placeAt, SourceError, type Place } from './source.ts';

/**
 * Runs a file in TypeScript or JavaScript. Nothing is cached: after an edit, of the file or of what
 * it imports, the next run sees it.
 *
 * @param text What to run in place of what the file holds now.
 * @returns What it exports.
 * @throws SourceError when it has a syntax error, or throws.
 */
export async function runModule(file: string, text: string): Promise<unknown> {
  const jiti = jitiFor(file);
  const options = { filename: file, forceTranspile: true };
  try {
    // Not jiti's `import`: that leaves ES modules to Node, whose cache never sees an edit.
    return jiti.evalModule(text, { ...options, async: false });
  } catch (error) {
    const awaits = error instanceof SyntaxError && error.message.startsWith('await is only valid');
    if (!awaits) throw new SourceError([failure(error, file, text)]);
  }
  try {
    return await jiti.evalModule(text, { ...options, async: true });
  } catch (error) {
    throw new SourceError([failure(error, file, text)]);
  }
}

/**
 * The file, and those of its own that it imports by a relative path, however deep; missing ones too,
 * since they may come yet.
 */
export async function importsOf(file: string, text: string): Promise<string[]> {
  const files = new Set<string>();
  await addImports(jitiFor(file), file, text, files);
  return [...files];
}

function jitiFor(file: string): Jiti {
  return createJiti(file, {
    moduleCache: false,
    fsCache: false,
    interopDefault: false,
    // `import … from 'jairouter'` means this very package, wherever the file lies; and its very
    // classes, so that an error of them is known for what it is.
    virtualModules: { jairouter: ourselves, 'jairouter/adapters': kit },
  });
}

/** The default export, or all of `module.exports` where a file is CommonJS. */
export function defaultExport(module: unknown): unknown {
  if (typeof module !== 'object' || module === null) return undefined;
  if ('default' in module) return module.default;
  return '__esModule' in module ? undefined : module;
}

function failure(
  error: unknown,
  file: string,
  text: string,
): Partial<Place> & { readonly message: string } {
  const message = error instanceof Error ? error.message : String(error);
  const syntax = /^ParseError: (.*?)\s*\n\s*(.+):(\d+):(\d+)/s.exec(message);
  if (syntax) {
    const [, what = '', where = '', line, column] = syntax;
    // Of an imported file the place goes into the message: the problem's file is the config.
    return where === file
      ? { line: Number(line), column: Number(column) + 1, message: `syntax error: ${what.trim()}` }
      : { message: `imports ${where}, which has a syntax error at ${line}:${column}` };
  }
  const [summary = ''] = message.split('\n');
  const missing = /^Cannot find (?:module|package) '([^']+)'/.exec(summary);
  if (missing) {
    const offset = text.indexOf(missing[1]!);
    return {
      ...(offset >= 0 && placeAt(text, offset)),
      message: `imports \`${missing[1]}\`, which can't be found`,
    };
  }
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const frame = stack.split('\n').find((line) => line.includes(`${file}:`));
  const line = frame?.slice(frame.indexOf(`${file}:`) + file.length + 1).match(/^\d+/)?.[0];
  return { ...(line && { line: Number(line) }), message: `fails when it is run: ${summary}` };
}

const IMPORT = /\b(?:from|import|require)\s*\(?\s*(['"])(\.{1,2}\/[^'"]+)\1/g;

async function addImports(
  jiti: Jiti,
  file: string,
  text: string,
  files: Set<string>,
): Promise<void> {
  files.add(file);
  for (const [, , specifier = ''] of text.matchAll(IMPORT)) {
    const url = jiti.esmResolve(specifier, { parentURL: pathToFileURL(file), try: true });
    if (!url?.startsWith('file:')) {
      const missing = resolve(dirname(file), specifier);
      for (const end of extname(missing) ? [''] : ['.ts', '.js']) files.add(missing + end);
      continue;
    }
    const imported = fileURLToPath(url);
    if (files.has(imported)) continue;
    files.add(imported);
    const content = await readFile(imported, 'utf8').catch(() => '');
    await addImports(jiti, imported, content, files);
  }
}
