import { endOf, problemOf } from '../dashboard/symbols.ts';
import { cut, widthOf } from '../dashboard/text.ts';
import { formatClock, formatCount, formatSpan, plain } from '../format.ts';
import type { RecentCall } from '../observe/status.ts';
import type { AdminClient } from './admin-client.ts';
import { serverFinder, type ServerOptions } from './find-server.ts';
import { follow, tellLost } from './follow.ts';
import { columnsOf, paintFor, type Paint } from './terminal.ts';

interface Filter {
  readonly errors?: boolean;
  readonly model?: string;
  readonly instance?: string;
}

export interface TailOptions extends ServerOptions, Filter {
  /** Calls before now that are shown first. */
  readonly lines: number;
  readonly json?: boolean;
}

/** The command `tail`: runs until it is stopped. */
export async function tail(options: TailOptions): Promise<void> {
  const { stdout, stderr, env } = process;
  const paint = paintFor(stdout, env);
  const show = (call: RecentCall): void => {
    if (options.json) stdout.write(`${JSON.stringify(call)}\n`);
    else stdout.write(`${callLine(call, paint, columnsOf(stdout))}\n`);
  };
  const find = serverFinder(options);
  const server = await find();
  const before = await callsBefore(server, options);
  for (const call of before.calls) show(call);
  await follow({
    server,
    find,
    after: before.seq,
    onEvent({ event, data }) {
      if (event === 'call' && isWanted(data as RecentCall, options)) show(data as RecentCall);
    },
    onLost: tellLost,
    onBack: ({ url }) => void stderr.write(`jairouter: following ${url} again\n`),
  });
}

/** The last calls of those that are wanted, the oldest first, and where to go on after them. */
async function callsBefore(
  server: AdminClient,
  { lines, errors, model, instance }: TailOptions,
): Promise<{ readonly calls: readonly RecentCall[]; readonly seq: number | undefined }> {
  const ask = (query: Readonly<Record<string, string>>) =>
    server.get<readonly RecentCall[]>(`/admin/requests?${new URLSearchParams(query).toString()}`);
  const [latest] = await ask({ limit: '1' });
  if (lines === 0) return { calls: [], seq: latest?.seq };
  const calls = await ask({
    limit: String(lines),
    ...(errors && { errors: 'true' }),
    ...(model !== undefined && { model }),
    ...(instance !== undefined && { instance }),
  });
  // One that came between the two answers is shown already.
  const seq = Math.max(latest?.seq ?? 0, calls[0]?.seq ?? 0);
  return { calls: calls.toReversed(), seq: seq === 0 ? undefined : seq };
}

function isWanted(call: RecentCall, { errors, model, instance }: Filter): boolean {
  if (errors && call.ending !== 'error' && call.ending !== 'broken') return false;
  if (model !== undefined && call.model !== model) return false;
  return instance === undefined || call.attempts.some((one) => one.instance === instance);
}

/** A call in one line; the columns that every call has stand below one another. */
function callLine(call: RecentCall, paint: Paint, width: number | undefined): string {
  const { ending, status, duration, firstByte, attempts } = call;
  const shown = WORDS[ending] ?? String(status ?? '');
  const parts = [
    formatClock(endOf(call)),
    shown.padEnd(4),
    padded(plain(routeText(call)), 32),
    formatSpan(duration).padStart(8),
  ];
  if (firstByte !== undefined) parts.push(`first ${formatSpan(firstByte)}`);
  const tokens = tokensText(call);
  if (tokens !== undefined) parts.push(tokens);
  const why = attempts.at(-1)?.why;
  if (why !== undefined) parts.push(why);
  const problem = problemOf(call);
  if (problem !== undefined) parts.push(problem);
  const line = parts.map(plain).join('  ');
  const text = width === undefined ? line : cut(line, width);
  if (ending === 'aborted') return paint.faint(text);
  return ending === 'ok' ? text : paint.bad(text);
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** Where a status would not tell how it ended: the client had it before. */
const WORDS: Partial<Record<RecentCall['ending'], string>> = { aborted: 'left', broken: 'cut' };

/** `model -> instance`, with the backend's name of the model where it is another. */
function routeText({ model, instance, upstreamModel, operation }: RecentCall): string {
  const asked = model ?? operation;
  if (instance === undefined) return asked;
  const other = upstreamModel !== undefined && upstreamModel !== model;
  return `${asked} -> ${instance}${other ? `/${upstreamModel}` : ''}`;
}

function tokensText({ usage, tokensGuessed }: RecentCall): string | undefined {
  if (usage) return `${formatCount(usage.input)} + ${formatCount(usage.output)} tokens`;
  return tokensGuessed > 0 ? `~${formatCount(tokensGuessed)} tokens` : undefined;
}
