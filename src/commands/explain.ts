import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { formatSpan } from '../format.ts';
import type { Explanation, ExplainedCandidate, ExplainedStep } from '../gateway/explanation.ts';
import { findServer, type ServerOptions } from './find-server.ts';
import { printJson, printText } from './output.ts';
import { table, type Column } from './table.ts';
import { paintFor, type Paint } from './terminal.ts';
import { UserError } from './user-error.ts';

export interface ExplainOptions extends ServerOptions {
  readonly service?: string;
  readonly ip?: string;
  readonly key?: string;
  readonly request?: string;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

/** The answer of `/admin/explain`. */
interface Answer extends Omit<Explanation, 'choice'> {
  readonly outcome:
    | {
        readonly kind: 'served';
        readonly instance: string;
        readonly model: string;
        readonly chance: number;
        readonly reason: string;
      }
    | { readonly kind: 'waits'; readonly reason: string; readonly upTo: number }
    | {
        readonly kind: 'refused';
        readonly status: number;
        readonly code: string;
        readonly message: string;
      };
}

/** The command `explain`. */
export async function explain(model: string | undefined, options: ExplainOptions): Promise<void> {
  const { service, ip, key } = options;
  const request = options.request === undefined ? undefined : await readRequest(options.request);
  const server = await findServer(options);
  const answer = await server.send<Answer>('POST', '/admin/explain', {
    ...(model !== undefined && { model }),
    ...(service !== undefined && { service }),
    ...(ip !== undefined && { ip }),
    ...(key !== undefined && { key }),
    ...(request !== undefined && { request }),
  });
  if (options.json) return printJson(answer);
  const paint = paintFor(process.stdout, process.env);
  printText(told(answer, { paint, verbose: options.verbose ?? false }));
}

async function readRequest(file: string): Promise<unknown> {
  const text = file === '-' ? await readAll(process.stdin) : await readText(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(
      `${file === '-' ? 'the request' : file} is not JSON: ${(error as Error).message}`,
      2,
    );
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UserError(`${file} can't be read: ${(error as Error).message}`, 2);
  }
}

interface Look {
  readonly paint: Paint;
  readonly verbose: boolean;
}

function* told(answer: Answer, look: Look): Generator<string> {
  const { strong, faint } = look.paint;
  const { service, isDefault, balance, attempts, limits, steps } = answer;
  yield* outcomeLines(answer, look.paint);
  yield '';
  const tries = attempts === 1 ? 'one attempt' : `up to ${attempts} attempts`;
  const loaded = balance.preferLoaded ? ', those with the model in memory first' : '';
  yield faint(`${service}: ${balance.strategy}${loaded}; ${tries}`);
  for (const [position, step] of steps.entries()) {
    yield '';
    yield `${strong(step.model)}, ${meaning(step)}${position === 0 && isDefault ? ', the default model' : ''}`;
    yield* candidateLines(step, look);
  }
  if (limits.length === 0 || steps.length === 0) return;
  yield '';
  yield 'limits on the call';
  for (const { remaining, limit, text, resetIn } of limits) {
    const reset = resetIn > 0 ? `, whole again in ${formatSpan(resetIn)}` : '';
    yield `  ${remaining} of ${limit} left of ${text}${reset}`;
  }
}

function* outcomeLines({ model, outcome }: Answer, paint: Paint): Generator<string> {
  const asked = paint.strong(model ?? 'a call without a model');
  switch (outcome.kind) {
    case 'served': {
      const as = outcome.model === model ? '' : ` as ${outcome.model}`;
      const likely = outcome.chance < 1 ? ' most likely' : '';
      yield `${asked} goes${likely} to ${paint.good(outcome.instance)}${as}: ${outcome.reason}`;
      return;
    }
    case 'waits':
      yield `${asked} ${outcome.reason}, for up to ${formatSpan(outcome.upTo)}`;
      return;
    case 'refused':
      yield `${asked} is ${paint.bad(`refused with ${outcome.status} ${outcome.code}`)}: ${outcome.message}`;
  }
}

function meaning({ via, candidates, fallback }: ExplainedStep): string {
  const count = candidates.length;
  const where = count === 1 ? 'one instance' : `${count} instances`;
  const what = {
    alias: `an alias with ${count === 1 ? 'one target' : `${count} targets`}`,
    instance: 'which names its instance',
    catalogue: `in the catalogue of ${where}`,
    wildcard: `which fits a pattern of ${where}`,
  }[via];
  return fallback ? `${what}, a fallback` : what;
}

function* candidateLines({ candidates }: ExplainedStep, look: Look): Generator<string> {
  const { paint, verbose } = look;
  const mark = (one: ExplainedCandidate): string =>
    one.chosen ? '→' : one.filters.every(({ passes }) => passes) ? ' ' : '✗';
  const colour = (text: string, one: ExplainedCandidate): string =>
    one.chosen ? paint.good(text) : mark(one) === '✗' ? paint.bad(text) : text;
  const columns: Column<ExplainedCandidate>[] = [
    { title: '', cell: mark, paint: colour },
    { title: 'instance', cell: ({ instance }) => instance, paint: colour },
    { title: 'model', cell: ({ model }) => model },
    { title: 'reason', cell: reasonOf },
  ];
  const lines = table(columns, candidates, { indent: '  ' });
  for (const [index, line] of lines.entries()) {
    yield line;
    if (!verbose) continue;
    for (const { passes, text } of candidates[index]!.filters) {
      yield `      ${passes ? paint.good('✓') : paint.bad('✗')} ${text}`;
    }
  }
}

/** All that stands against it, not only the first. */
function reasonOf({ reason, filters }: ExplainedCandidate): string {
  const against = filters.filter(({ passes }) => !passes).map(({ text }) => text);
  return against.length > 1 ? against.join('; ') : reason;
}
