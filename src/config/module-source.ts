import { placeInCode } from './code-place.ts';
import { defaultExport, importsOf, runModule } from './run-module.ts';
import { SourceError, type Source } from './source.ts';

/**
 * Reads a config in TypeScript or JavaScript.
 *
 * @param files Gets all that it is made from.
 * @throws SourceError when it can't be run, or exports no config.
 */
export async function readModule(file: string, text: string, files: Set<string>): Promise<Source> {
  for (const part of await importsOf(file, text)) files.add(part);
  const data = defaultExport(await runModule(file, text));
  if (typeof data !== 'object' || data === null)
    throw new SourceError([
      { message: 'exports no config; write `export default defineConfig({ … })`' },
    ]);
  return { text, data, mistakes: [], place: (path, at) => placeInCode(text, path, at) };
}
