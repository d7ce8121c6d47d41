import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ADAPTERS } from '../../../src/adapters/index.ts';
import { importConfig } from '../../../src/config/import/import.ts';
import type { Imported } from '../../../src/config/import/imported.ts';
import { loadConfig, type LoadedConfig } from '../../../src/config/load.ts';
import { configText } from '../../../src/config/text.ts';
import { tempDir } from '../../support/temp-dir.ts';

/** Imports the first of these files; the others lie around it. */
export async function imported(
  files: string | Readonly<Record<string, string>>,
): Promise<Imported> {
  const cwd = await tempDir();
  const all = typeof files === 'string' ? { 'config.yaml': files } : files;
  for (const [name, text] of Object.entries(all)) {
    await mkdir(dirname(join(cwd, name)), { recursive: true });
    await writeFile(join(cwd, name), text);
  }
  return importConfig({ file: Object.keys(all)[0]!, cwd, adapters: ADAPTERS });
}

/** What our own loader makes of the file that is written of it. */
export async function loaded(
  { config }: Imported,
  env: Readonly<Record<string, string>> = {},
): Promise<LoadedConfig> {
  const cwd = await tempDir();
  const text = configText(config, { format: 'yaml', comment: [] });
  await writeFile(join(cwd, 'jairouter.config.yaml'), text);
  return (await loadConfig({
    cwd,
    env: { HOME: cwd, ...env },
    adapters: ADAPTERS,
  }))!;
}

/** Why something was left out; `undefined` when it was not. */
export function reasonFor({ left }: Imported, what: string): string | undefined {
  return left.find((one) => one.what.split(', ').includes(what))?.why;
}
