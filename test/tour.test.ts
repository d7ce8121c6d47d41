import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { patternOf, play, stepsOf } from './support/transcript.ts';

const page = readFileSync(new URL('../docs/tour.md', import.meta.url), 'utf8');
const hasBash = spawnSync('bash', ['-c', 'curl --version']).status === 0;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test.skipIf(!hasBash || process.platform === 'win32')(
  'docs/tour.md shows what happens',
  { timeout: 90_000 },
  async () => {
    const steps = stepsOf(page);
    expect(steps.length).toBeGreaterThan(20);
    const ports: Record<string, string> = {};
    for (const port of ['4747', '4801', '4802']) ports[port] = String(await freePort());
    await play(steps, ports);
  },
);

test.each([
  [['a  b'], 'a     b\n', true],
  [['took 3 ms'], 'took 41.5 ms\n', true],
  [['took 3 ms'], 'took long\n', false],
  [['3 models'], '4 models\n', false],
  [['{"a":…}'], '{"a":[1]}\n', true],
  [['a', '…', 'd'], 'a\nb\nc\nd\n', true],
  [['a'], 'a\nb\n', false],
])('a page that says %j and an output %j match: %s', (lines, output, expected) => {
  expect(patternOf(lines).test(output)).toBe(expected);
});
