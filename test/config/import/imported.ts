import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ADAPTERS } from '../../../src/adapters/index.ts';
import { importConfig } from '../../../src/config/import/import.ts';
import type { Imported } from '../../../src/config/import/imported.ts';
import { loadConfig, type LoadedConfig } from '../../../src/config/load.ts';
import { configText } from '../../../src/config/text.ts';
import { startOnFile, type TestGateway } from '../../support/gateway.ts';
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
  result: Imported,
  env: Readonly<Record<string, string>> = {},
): Promise<LoadedConfig> {
  const cwd = dirname(await written(result));
  return (await loadConfig({ cwd, env: { HOME: cwd, ...env }, adapters: ADAPTERS }))!;
}

/** A server on the file that is written of it. */
export async function started(result: Imported): Promise<TestGateway> {
  return startOnFile(await written(result), { state: await tempDir() });
}

async function written({ config }: Imported): Promise<string> {
  const file = join(await tempDir(), 'jairouter.config.yaml');
  await writeFile(file, configText(config, { format: 'yaml', comment: [] }));
  return file;
}

/** Why something was left out; `undefined` when it was not. */
export function reasonFor({ left }: Imported, what: string): string | undefined {
  return left.find((one) => one.what.split(', ').includes(what))?.why;
}
