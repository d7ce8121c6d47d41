/**
 * `npm run bench`: measures jairouter beside a direct call, a bare Node relay and, where they are,
 * its neighbours: in turns, over loopback, in processes of their own. Prints medians and ratios.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Child, closeAll, ON_LINUX } from './children.mjs';
import { warmUp } from './client.mjs';
import { MEASURES } from './measures.mjs';
import { machine, table, verdicts } from './report.mjs';
import { TARGETS } from './targets.mjs';

const USAGE = `Usage: npm run bench -- [options]

  --quick        fewer and shorter rounds: to see that it runs, not for figures to keep
  --only NAME    only this measure, may be repeated: ${Object.keys(MEASURES).join(', ')}
  --portkey      also measure @portkey-ai/gateway, fetched by npx
  --json         print the figures as JSON
  --help         print this
`;

const UPSTREAM = fileURLToPath(new URL('upstream.mjs', import.meta.url));

async function main() {
  const options = readOptions();
  if (options.help) return process.stdout.write(USAGE);
  const say = (text) => (options.json ? process.stderr : process.stdout).write(`${text}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'jairouter-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

  const about = machine();
  say(
    `${about.cpu}, ${about.cores} cores, ${about.memoryGB} GB · Node ${about.node} · ${about.system}`,
  );
  if (!ON_LINUX) say('Not on Linux: no figures of CPU and memory.');

  const upstream = new Child(process.execPath, [UPSTREAM], { readLine: true });
  const site = { upstream: await upstream.origin(), folder };
  const start = (name) => TARGETS[name](site);
  const skipped = {};
  const targets = [];
  for (const name of Object.keys(TARGETS)) {
    if (name === 'portkey' && !options.portkey) continue;
    try {
      const target = await start(name);
      targets.push(target);
      await warmUp(target);
    } catch (error) {
      if (targets.at(-1)?.name === name) await targets.pop().child?.close();
      skipped[name] = error.message;
      say(`without ${name}: ${error.message}`);
    }
  }

  const results = {};
  for (const name of options.only ?? Object.keys(MEASURES)) {
    try {
      const figures = await MEASURES[name]({
        targets,
        quick: options.quick,
        site,
        start,
        leaveOut(target, error) {
          skipped[`${name} of ${target}`] = error.message;
          say(`\n${name}: without ${target}: ${error.message}`);
        },
      });
      results[name] = figures;
      if (figures.length > 0) say(`\n${table(name, figures)}`);
    } catch (error) {
      skipped[name] = error.message;
      say(`\n${name}: not measured: ${error.message}`);
    }
  }
  await closeAll();

  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ machine: about, skipped, results: toJson(results) }, null, 2)}\n`,
    );
  }
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true },
        portkey: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const unknown = values.only?.find((name) => !Object.hasOwn(MEASURES, name));
    if (unknown !== undefined) throw new Error(`There is no measure "${unknown}".`);
    return values;
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

function toJson(results) {
  return Object.fromEntries(
    Object.entries(results).map(([name, figures]) => [
      name,
      figures.map((figure) => ({
        ...figure,
        ...(figure.goal && { goal: figure.goal.text, verdicts: verdicts(figure) }),
      })),
    ]),
  );
}

await main();
