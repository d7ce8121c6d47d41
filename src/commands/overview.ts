import { ADAPTERS } from '../adapters/index.ts';
import { loadConfig } from '../config/load.ts';
import { shownPath } from '../config/problem.ts';
import { findConfig } from '../config/search.ts';
import { formatSpan } from '../format.ts';
import { VERSION } from '../version.ts';
import { instanceStates, offeredModels } from './offered-models.ts';
import { printText } from './output.ts';
import { readStates, stateFolder, type ServerState } from './state-file.ts';
import { paintFor } from './terminal.ts';

/** One step that makes sense from here. */
type Step = readonly [command: string, what: string];

/** What `jairouter` alone says: how it stands, and what to do next. */
export async function overview(): Promise<void> {
  const { stdout, env } = process;
  const { strong, faint } = paintFor(stdout, env);
  const states = await readStates(stateFolder(env));
  const config = await describeConfig();
  const rows: [string, string][] = [];
  for (const state of states) rows.push(...(await describeServer(state)));
  if (states.length === 0) rows.push(['server', 'none is running']);
  rows.push(['config', config.text]);
  const steps = stepsFrom({ running: states.length > 0, ...config });
  const width = Math.max(...steps.map(([command]) => command.length));
  const lines = [
    `${strong(`jairouter ${VERSION}`)}: one local endpoint for every model you can reach`,
    '',
    ...rows.map(([what, how]) => `  ${faint(what.padEnd(9))}  ${how}`),
    '',
    'Next:',
    ...steps.map(([command, what]) => `  ${strong(command.padEnd(width))}  ${what}`),
    '',
    faint('jairouter --help lists all commands'),
  ];
  printText(lines);
}

interface ConfigState {
  readonly text: string;
  readonly exists: boolean;
  readonly valid: boolean;
}

async function describeConfig(): Promise<ConfigState> {
  const { env } = process;
  const cwd = process.cwd();
  try {
    const loaded = await loadConfig({ cwd, env, adapters: ADAPTERS });
    if (!loaded) return { text: 'none, from here upward', exists: false, valid: true };
    const { file, config, warnings } = loaded;
    const warned = warnings.length > 0 ? `, ${countOf(warnings.length, 'warning')}` : '';
    const text = `${shownPath(file, cwd)}, ${countOf(Object.keys(config.instances).length, 'instance')}${warned}`;
    return { text, exists: true, valid: true };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ConfigError') throw error;
    const file = await findConfig(cwd, env).catch(() => undefined);
    const mistakes = countOf(error.message.split('\n').length, 'mistake');
    const text = `${file === undefined ? 'the config' : shownPath(file, cwd)} can't be used: ${mistakes}`;
    return { text, exists: true, valid: false };
  }
}

/** A server may have just ended, or want a key for its models: then that is not told. */
async function describeServer({ url, pid, startedAt }: ServerState): Promise<[string, string][]> {
  const up = formatSpan(Date.now() - startedAt);
  const server: [string, string] = ['server', `${url}/v1, pid ${pid}, up for ${up}`];
  const states = await instanceStates(url, true).catch(() => undefined);
  if (!states) return [server];
  const models = await offeredModels(url, { own: true }).catch(() => undefined);
  const healthy = Object.values(states).filter((state) => state === 'healthy').length;
  const others = Object.entries(states).filter(([, state]) => state !== 'healthy');
  const trouble = others.map(([name, state]) => `${name} is ${state}`).join(', ');
  return [
    server,
    [
      'instances',
      `${healthy} of ${Object.keys(states).length} healthy${trouble ? `; ${trouble}` : ''}`,
    ],
    ...(models ? [['models', String(models.length)] as [string, string]] : []),
  ];
}

const STEPS = {
  status: ['jairouter status', 'shows how it is: its traffic, its instances, what runs'],
  connect: ['jairouter connect', 'sets your tools to use it'],
  check: ['jairouter check', 'asks each instance whether it is there and has its models'],
  mend: ['jairouter check', 'names what is wrong in it, and where'],
  start: ['jairouter serve', 'starts it'],
  serve: [
    'jairouter serve',
    'works without any config: finds what runs here, or serves mock models',
  ],
  init: ['jairouter init', 'writes a config of what it finds'],
  import: ['jairouter import', 'makes one of LiteLLM’s or JAiRouter’s'],
} as const satisfies Record<string, Step>;

function stepsFrom({
  running,
  exists,
  valid,
}: { running: boolean } & Omit<ConfigState, 'text'>): readonly Step[] {
  const { status, connect, check, mend, start, serve, init } = STEPS;
  if (!valid) return running ? [mend, status] : [mend];
  if (running) return [status, connect, exists ? check : init];
  return exists ? [start, check] : [serve, init, STEPS.import];
}

function countOf(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
