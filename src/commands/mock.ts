import { resolve } from 'node:path';
import { ConfigError, pathText, shownPath } from '../config/problem.ts';
import { readSource } from '../config/source.ts';
import { readScript, ScriptMistake, type Script } from '../mock/script.ts';
import { startMock, type Mock } from '../mock/server.ts';
import { ensureFree } from './listening.ts';
import { paintFor } from './terminal.ts';
import { UserError } from './user-error.ts';

export interface MockOptions {
  readonly port: number;
  readonly models?: readonly string[];
  /** Milliseconds. */
  readonly ttft?: number;
  /** Tokens per second. */
  readonly tps?: number;
  /** Shares of all calls, from 0 to 1. */
  readonly fail?: number;
  readonly hang?: number | true;
  /** A file with what the chat models say. */
  readonly script?: string;
}

const HOST = '127.0.0.1';

/** The command `mock`: runs until it is told to stop. */
export async function mock(options: MockOptions): Promise<void> {
  if (Number(options.hang ?? 0) + (options.fail ?? 0) > 1) {
    throw new UserError('--fail and --hang are shares of the same calls: together at most 1', 2);
  }
  const { script: file, ...settings } = options;
  const script = file === undefined ? undefined : await loadScript(file);
  await ensureFree({ host: HOST, port: options.port });
  const running = await startMock({ ...settings, host: HOST, ...(script && { script }) });
  process.stdout.write(greeting(running, script && `${file}, ${lengthOf(script)}`));
  const stop = (): void => void running.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

/**
 * Reads a script, in YAML or JSON.
 *
 * @throws ConfigError with the place of what is wrong in it.
 */
async function loadScript(name: string): Promise<Script> {
  const cwd = process.cwd();
  const file = resolve(cwd, name);
  const source = await readSource(file, cwd);
  try {
    return readScript(source.data);
  } catch (error) {
    if (!(error instanceof ScriptMistake)) throw error;
    const { path, message } = error;
    const subject = path.length === 0 ? 'the script' : `\`${pathText(path)}\``;
    const place = source.place(path, message.startsWith('is unknown') ? 'key' : 'value');
    const problem = { ...place, path: pathText(path), message: `${subject} ${message}` };
    throw new ConfigError([{ file: shownPath(file, cwd), ...problem }]);
  }
}

function lengthOf({ conversations }: Script): string {
  const turns = conversations.reduce((sum, one) => sum + one.turns.length, 0);
  const several = conversations.length === 1 ? '' : ` in ${conversations.length} conversations`;
  return `${turns} ${turns === 1 ? 'turn' : 'turns'}${several}`;
}

function greeting({ url, models }: Mock, script: string | undefined): string {
  const { strong, faint } = paintFor(process.stdout, process.env);
  const width = Math.max(...models.map(({ id }) => id.length));
  const lines = models.map(({ id, services }) => `${id.padEnd(width)}  ${services.join(', ')}`);
  return [
    `${strong('mock backend')}  ${url}`,
    '',
    ...lines.map((line, index) => `${faint(index === 0 ? 'models' : '      ')}  ${line}`),
    ...(script === undefined ? [] : ['', `${faint('script')}  ${script}`]),
    '',
    `${faint('try')}     ${example(url, models)}`,
    '',
  ].join('\n');
}

/** A call that can be pasted into a shell; Windows' own needs the double quotes. */
function example(url: string, models: Mock['models']): string {
  const chat = models.find(({ services }) => services.includes('chat'));
  if (!chat) return `curl ${url}/v1/models`;
  const body = JSON.stringify({
    model: chat.id,
    messages: [{ role: 'user', content: 'Hello' }],
  });
  const quoted = process.platform === 'win32' ? `"${body.replaceAll('"', '\\"')}"` : `'${body}'`;
  return `curl ${url}/v1/chat/completions -H "content-type: application/json" -d ${quoted}`;
}
