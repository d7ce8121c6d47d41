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
}

const HOST = '127.0.0.1';

/** The command `mock`: runs until it is told to stop. */
export async function mock(options: MockOptions): Promise<void> {
  if (Number(options.hang ?? 0) + (options.fail ?? 0) > 1) {
    throw new UserError('--fail and --hang are shares of the same calls: together at most 1', 2);
  }
  await ensureFree({ host: HOST, port: options.port });
  const running = await startMock({ ...options, host: HOST });
  process.stdout.write(greeting(running));
  const stop = (): void => void running.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function greeting({ url, models }: Mock): string {
  const { strong, faint } = paintFor(process.stdout, process.env);
  const width = Math.max(...models.map(({ id }) => id.length));
  const lines = models.map(({ id, services }) => `${id.padEnd(width)}  ${services.join(', ')}`);
  return [
    `${strong('mock backend')}  ${url}`,
    '',
    ...lines.map((line, index) => `${faint(index === 0 ? 'models' : '      ')}  ${line}`),
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
