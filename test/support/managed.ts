import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { writeState } from '../../src/commands/state-file.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { runCli, type CliResult } from './cli.ts';
import { ADMIN_TOKEN, startGateway, startOnFile, type TestGateway } from './gateway.ts';
import { tempDir } from './temp-dir.ts';

/** A running server that the commands of a home find by themselves. */
export interface Managed extends TestGateway {
  /** The home, and where the commands run. */
  readonly home: string;
  /** Runs a command there, as the same account. */
  readonly run: (...args: string[]) => Promise<CliResult>;
  /** Runs it with `--json`, which must go well, and reads what it prints. */
  readonly json: (...args: string[]) => Promise<unknown>;
}

export interface ManagedOnFile extends Managed {
  /** The config file, in its home. */
  readonly file: string;
}

/** @param home Where it leaves word; by default in a new one. */
export async function startManaged(config: ConfigInput, home?: string): Promise<Managed> {
  return manage(await startGateway(config), home ?? (await tempDir()));
}

/** The same on a config file of that text. */
export async function startManagedOnFile(text: string): Promise<ManagedOnFile> {
  const home = await tempDir();
  const file = join(home, 'jairouter.config.yaml');
  await writeFile(file, text);
  return { ...(await manage(await startOnFile(file, { state: stateOf(home) }), home)), file };
}

async function manage(gateway: TestGateway, home: string): Promise<Managed> {
  const { pid } = process;
  const state = await writeState(stateOf(home), {
    url: gateway.url,
    pid,
    token: ADMIN_TOKEN,
    startedAt: Date.now(),
    version: '0.0.0',
  });
  onTestFinished(() => state.close());
  const run = (...args: string[]): Promise<CliResult> => runCli(args, { cwd: home });
  return {
    ...gateway,
    home,
    run,
    async json(...args) {
      const { code, stdout, stderr } = await run(...args, '--json');
      if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout) as unknown;
    },
  };
}

/** Where the servers of a home leave word, on every system that the tests run on. */
export function stateOf(home: string): string {
  return join(home, '.local', 'state', 'jairouter');
}
