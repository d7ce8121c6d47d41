import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createJiti, type Jiti } from 'jiti';
import { FROM_SOURCE, PACKAGE_ROOT } from '../package-root.ts';
import { placeInCode } from './code-place.ts';
import { placeAt, SourceError, type Place, type Source } from './source.ts';

/** `import … from 'jairouter'` means this very package, wherever the config lies. */
const OURSELVES = join(PACKAGE_ROOT, FROM_SOURCE ? 'src/index.ts' : 'dist/index.js');

/**
 * Runs a config in TypeScript or JavaScript. Nothing is cached: after an edit, of the file or of
 * what it imports, the next read sees it.
 *
 * @throws SourceError when it has a syntax error, throws, or exports no config.
 */
export async function readModule(file: string, text: string): Promise<Source> {
  const jiti = createJiti(file, {
    moduleCache: false,
    fsCache: false,
    interopDefault: false,
    alias: { jairouter: OURSELVES },
  });
  const data = exportedBy(await run(jiti, file, text));
  if (typeof data !== 'object' || data === null)
    throw new SourceError([
      { message: 'exports no config; write `export default defineConfig({ … })`' },
    ]);
  return {
    data,
    mistakes: [],
    files: [...(await imports(jiti, file, text, new Set()))],
    place: (path, at) => placeInCode(text, path, at),
  };
}

async function run(jiti: Jiti, file: string, text: string): Promise<unknown> {
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

/** The default export, or all of `module.exports` where a file is CommonJS. */
function exportedBy(module: unknown): unknown {
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

/** The file and the files of its own that it imports, however deep. */
async function imports(
  jiti: Jiti,
  file: string,
  text: string,
  seen: Set<string>,
): Promise<Set<string>> {
  seen.add(file);
  for (const [, , specifier = ''] of text.matchAll(IMPORT)) {
    const url = jiti.esmResolve(specifier, { parentURL: pathToFileURL(file), try: true });
    if (!url?.startsWith('file:')) continue;
    const imported = fileURLToPath(url);
    if (seen.has(imported)) continue;
    // It may be a mere mention in a comment: then there is nothing to read and nothing to watch.
    const content = await readFile(imported, 'utf8').catch(() => undefined);
    if (content !== undefined) await imports(jiti, imported, content, seen);
  }
  return seen;
}
