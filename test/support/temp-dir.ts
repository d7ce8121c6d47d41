import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/**
 * Makes an empty folder for one test, gone when the test is over. To be called within a test.
 *
 * @returns Its real path: on macOS the system's own temporary folder is a link.
 */
export async function tempDir(): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'jairouter-')));
  // Windows holds a file for a moment after its process has ended, hence the retries.
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}
