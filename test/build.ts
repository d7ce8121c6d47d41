import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Vitest's global setup. Tests of the command line run the real binary, which runs `dist/`: it is
 * built again here when a source is newer, so that no test ever speaks of old code.
 */
export function setup(): void {
  const sources = [...files(join(root, 'src')), 'tsconfig.json', 'tsconfig.build.json'];
  if (Math.max(...sources.map(modified)) <= modified('dist/cli.js')) return;
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status, stdout, error } = spawnSync(
    process.execPath,
    [tsc, '-p', 'tsconfig.build.json'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  // 2: there are type errors, but the code is there. They are for `npm run check` to fail on;
  // Vitest itself does not look at types either.
  if (status !== 0 && status !== 2) throw error ?? new Error(`the build failed:\n${stdout}`);
}

/** @returns Milliseconds since the epoch; 0 when there is no such file. */
function modified(path: string): number {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** @returns Their paths from the root. */
function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}
