/**
 * `npm run chaos`: the chaos suite of the tests, with more calls, its memory run, and a seed that
 * can be given again.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const USAGE = `Usage: npm run chaos -- [options]

  --calls N   calls of the main run (default 10000)
  --seed N    of the dice; each run prints its own
  --help      print this
`;

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
for (const name of ['calls', 'seed']) {
  if (values[name] === undefined || /^[1-9]\d*$/.test(values[name])) continue;
  process.stderr.write(`--${name} must be a whole number above 0.\n\n${USAGE}`);
  process.exit(2);
}
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const child = spawn(
  process.execPath,
  [vitest, 'run', 'test/chaos.test.ts', 'test/reload-load.test.ts'],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      CHAOS_CALLS: values.calls,
      ...(values.seed !== undefined && { CHAOS_SEED: values.seed }),
    },
  },
);
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
