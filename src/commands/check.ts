import type { Adapter } from '../adapters/adapter.ts';
import { ADAPTERS } from '../adapters/index.ts';
import { keyVariablesIn } from '../config/key-variables.ts';
import { loadConfig } from '../config/load.ts';
import { ConfigError, shownPath } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { Queue } from '../gateway/protect/queue.ts';
import { compile } from '../gateway/snapshot.ts';
import { discover } from '../instances/discovery.ts';
import { inspect } from '../instances/inspection.ts';
import { Instance } from '../instances/instance.ts';
import { instanceSettings } from '../instances/settings.ts';
import { checkJson, invalidJson } from './check-json.ts';
import { modelProblems } from './check-models.ts';
import {
  columnsOf,
  instanceLines,
  isFine,
  summaryLines,
  waitingLine,
  type Checked,
} from './check-report.ts';
import { openLiveList } from './live-list.ts';
import { printJson, printText } from './output.ts';
import { paintFor } from './terminal.ts';
import { configFor } from './zero-config.ts';

export interface CheckOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** What is checked: a config, and what is known of where it came from. */
interface Subject {
  readonly config: Config;
  /** Absolute; absent when it was made of what was found. */
  readonly file: string | undefined;
  readonly warnings: readonly string[];
  readonly unset: ReadonlyMap<string, string>;
  readonly adapters: Readonly<Record<string, Adapter>>;
  readonly certificates: ReadonlyMap<string, string>;
  readonly keyVariables: ReadonlyMap<string, readonly string[]>;
}

/**
 * The command `check`: is the config valid, and is each of its instances there, willing, and in
 * possession of its models? It needs no server, and ends with 0 when all is well, else with 1.
 *
 * @throws ConfigError for an invalid config, unless that is told as JSON.
 */
export async function check(options: CheckOptions): Promise<void> {
  const cwd = process.cwd();
  try {
    const subject = await subjectOf(options, cwd);
    const ok = await (options.json ? checkAsJson(subject) : checkInWords(subject, cwd));
    if (!ok) process.exitCode = 1;
  } catch (error) {
    if (!options.json || !(error instanceof ConfigError)) throw error;
    printJson(invalidJson(error));
    process.exitCode = 2;
  }
}

/** @returns Whether all is well. */
async function checkInWords(subject: Subject, cwd: string): Promise<boolean> {
  const { stdout } = process;
  const paint = paintFor(stdout, process.env);
  const { file } = subject;
  if (file !== undefined) printText([`${paint.good('✓')} ${shownPath(file, cwd)} is valid`]);
  printText([...subject.warnings.map((warning) => `${paint.bad('!')} ${warning}`), '']);
  const instances = instancesOf(subject);
  const columns = columnsOf(instances);
  const list = openLiveList(
    stdout,
    instances.map((instance) => waitingLine(instance, columns)),
  );
  const checked = await lookAtAll(instances, subject, (one, index) =>
    list.finish(index, instanceLines(one, columns, paint)),
  );
  list.close();
  const problems = modelProblems(compile(subject.config), instances);
  printText(summaryLines(checked, problems, paint));
  return isWell(checked, problems);
}

async function checkAsJson(subject: Subject): Promise<boolean> {
  const instances = instancesOf(subject);
  const checked = await lookAtAll(instances, subject, () => {});
  const problems = modelProblems(compile(subject.config), instances);
  const ok = isWell(checked, problems);
  printJson(checkJson({ ...subject, checked, problems, ok }));
  return ok;
}

function isWell(checked: readonly Checked[], problems: readonly unknown[]): boolean {
  const used = checked.filter(({ inspection }) => inspection.state !== 'disabled');
  return (
    used.length > 0 && problems.length === 0 && used.every(({ inspection }) => isFine(inspection))
  );
}

function instancesOf({ config, ...context }: Subject): Instance[] {
  const settings = instanceSettings(config, { ...context, env: process.env });
  const queue = new Queue();
  return settings.map((own) => new Instance(own, { queue, onState() {} }));
}

function lookAtAll(
  instances: readonly Instance[],
  { keyVariables }: Subject,
  told: (one: Checked, index: number) => void,
): Promise<Checked[]> {
  return Promise.all(
    instances.map(async (instance, index) => {
      const inspection = await inspect(instance, keyVariables.get(instance.name) ?? []);
      const one = { instance, inspection };
      told(one, index);
      await instance.connections.destroy();
      return one;
    }),
  );
}

async function subjectOf({ config: named, json }: CheckOptions, cwd: string): Promise<Subject> {
  const { env } = process;
  const loaded = await loadConfig({ file: named, cwd, env, adapters: ADAPTERS });
  if (loaded) return { ...loaded, keyVariables: await keyVariablesIn(loaded.file, cwd) };
  if (!json) process.stdout.write('There is no config: looking for what serve would find ...\n');
  const found = await discover({ env });
  const usable = found.filter((one) => one.usable || one.apiKeyVariable !== undefined);
  return {
    config: configFor(usable, env),
    file: undefined,
    warnings: [],
    unset: new Map(),
    adapters: ADAPTERS,
    certificates: new Map(),
    keyVariables: new Map(
      usable.map(({ name, apiKeyVariable }) => [
        name,
        apiKeyVariable === undefined ? [] : [apiKeyVariable],
      ]),
    ),
  };
}
