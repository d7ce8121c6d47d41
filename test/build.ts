import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Vitest's global setup. Tests of the command line run the real binary, which runs `dist/`: it is
 * built again here when a source is newer, so that no test ever speaks of old code.
 */
export function setup(): void {
  const sources = [...files(join(root, 'src')), 'scripts/bundle.mjs', 'package-lock.json'];
  if (Math.max(...sources.map(modified)) <= modified('dist/cli.js')) return;
  mkdirSync(join(root, 'dist'), { recursive: true });
  const { status, stderr, error } = spawnSync(
    process.execPath,
    [join(root, 'scripts/bundle.mjs')],
    { cwd: root, encoding: 'utf8' },
  );
  if (status !== 0) throw error ?? new Error(`the build failed:\n${stderr}`);
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
