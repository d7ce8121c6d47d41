import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../package-root.ts';

/** The command `completion`: prints what a shell has to run once, to complete our command line. */
export function completion(shell: string): void {
  process.stdout.write(
    readFileSync(join(PACKAGE_ROOT, 'templates', `completion.${shell}`), 'utf8'),
  );
}
