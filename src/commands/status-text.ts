import { countdown } from '../dashboard/figures.ts';
import { STATES } from '../dashboard/symbols.ts';
import {
  formatClock,
  formatCount,
  formatMoment,
  formatShare,
  formatSpan,
  plain,
} from '../format.ts';
import type {
  BreakerStatus,
  InstanceStatus,
  Recent,
  RunningCall,
  Status,
} from '../observe/status.ts';
import { paintState } from './states.ts';
import { table, type Column } from './table.ts';
import type { Paint } from './terminal.ts';

export interface Look {
  readonly paint: Paint;
  /** Of the terminal; absent where there is none. */
  readonly width: number | undefined;
}

/** A server's status for people: the server, its traffic, its instances, and what runs. */
export function* statusLines(status: Status, look: Look): Generator<string> {
  yield* serverLines(status, look.paint);
  yield '';
  yield* trafficLines(status);
  yield '';
  yield* instanceLines(status.instances, status.now, look);
  if (status.running.length === 0) return;
  yield '';
  yield* runningLines(status.running, status.now, look);
}

function* serverLines(status: Status, { strong, bad }: Paint): Generator<string> {
  const { url, version, pid, startedAt, now, config, draining } = status;
  const up = formatSpan(Math.max(0, now - startedAt));
  yield `${strong(url)}  jairouter ${version}, pid ${pid}, up for ${up}${draining ? bad(', stopping') : ''}`;
  const applied = `applied at ${formatMoment(config.appliedAt, now)}`;
  yield config.file === undefined
    ? `config  none, ${applied}`
    : `config  ${plain(config.file)}, version ${config.version}, ${applied}`;
  if (config.error) {
    yield bad(
      `        is invalid since ${formatMoment(config.error.since, now)}; that version is still served:`,
    );
    for (const problem of config.error.problems) yield bad(`        ${plain(problem)}`);
  }
  if (config.restartNeeded.length > 0) {
    yield `        a restart is needed for ${config.restartNeeded.join(', ')}`;
  }
}

function* trafficLines({ totals, recent, inFlight, queued }: Status): Generator<string> {
  const { calls, ok, failed, broken, aborted } = totals;
  const endings = [`${formatCount(ok)} ok`, `${formatCount(failed)} failed`];
  if (broken > 0) endings.push(`${formatCount(broken)} broken off`);
  if (aborted > 0) endings.push(`${formatCount(aborted)} left by their client`);
  yield `calls   ${formatCount(calls)} since the start: ${endings.join(', ')}`;
  yield `now     ${inFlight} running, ${queued} of them waiting`;
  const parts = [`${formatCount(perSecond(recent))} calls/s`];
  if (recent.errorShare !== undefined) {
    const kinds = Object.entries(recent.errors ?? {}).map(([kind, count]) => `${count} × ${kind}`);
    const named = kinds.length > 0 ? ` (${kinds.join(', ')})` : '';
    parts.push(`${formatShare(recent.errorShare)} errors${named}`);
  }
  if (recent.duration) {
    const { p50, p95 } = recent.duration;
    parts.push(`${formatSpan(p50)} each, ${formatSpan(p95)} the slow ones`);
  }
  if (recent.firstByte) parts.push(`first byte after ${formatSpan(recent.firstByte.p50)}`);
  if (recent.tokensPerSecond > 0) parts.push(`${tokenRate(recent)} tokens/s`);
  yield `minute  ${parts.join(', ')}`;
}

/** The table of instances. */
export function instanceLines(
  instances: readonly InstanceStatus[],
  now: number,
  { paint, width }: Look,
): string[] {
  if (instances.length === 0) return ['no instances'];
  const state = (text: string, one: InstanceStatus) => paintState(text, one.state, paint);
  const number = { right: true };
  // The word is never cut, what stands behind it may be.
  const words = Math.max(...instances.map((one) => one.state.length));
  const columns: Column<InstanceStatus>[] = [
    { title: '', cell: (one) => STATES[one.state].symbol, paint: state },
    { title: 'instance', cell: ({ name }) => name, paint: state },
    { title: 'adapter', cell: ({ adapter }) => adapter, rank: 6 },
    { title: 'state', cell: stateText, flexible: true, least: words, paint: state },
    { title: 'breaker', cell: ({ breaker }) => breakerText(breaker, now), rank: 1 },
    { title: 'running', cell: runningText, ...number },
    { title: 'calls/s', cell: ({ recent }) => formatCount(perSecond(recent)), ...number },
    { title: 'errors', cell: ({ recent }) => share(recent.errorShare), ...number },
    { title: 'p50', cell: ({ recent }) => span(recent.duration?.p50), ...number, rank: 2 },
    { title: 'p95', cell: ({ recent }) => span(recent.duration?.p95), ...number, rank: 5 },
    { title: 'first', cell: ({ recent }) => span(recent.firstByte?.p50), ...number, rank: 7 },
    { title: 'tokens/s', cell: ({ recent }) => tokenRate(recent), ...number, rank: 4 },
    { title: 'weight', cell: ({ weight }) => String(weight), ...number, rank: 8 },
    { title: 'models', cell: modelsText, flexible: true, rank: 3 },
  ];
  return table(columns, instances, { width, head: paint.faint });
}

function runningLines(
  running: readonly RunningCall[],
  now: number,
  { paint, width }: Look,
): string[] {
  const number = { right: true };
  const columns: Column<RunningCall>[] = [
    { title: 'running', cell: ({ operation }) => operation },
    { title: 'model', cell: ({ model }) => model ?? '', flexible: true },
    { title: 'instance', cell: ({ instance }) => instance ?? '' },
    { title: 'client', cell: ({ client, key }) => key ?? client, rank: 1 },
    { title: 'phase', cell: ({ phase }) => phase },
    { title: 'age', cell: ({ at }) => formatSpan(Math.max(0, now - at)), ...number },
    { title: 'first', cell: ({ firstByte }) => span(firstByte), ...number, rank: 2 },
    { title: 'events', cell: ({ events }) => (events > 0 ? formatCount(events) : ''), ...number },
    { title: 'attempts', cell: ({ attempts }) => String(attempts), ...number, rank: 3 },
  ];
  return table(columns, running, { width, head: paint.faint });
}

function stateText({ state, stateDetail, restsUntil }: InstanceStatus): string {
  if (stateDetail !== undefined) return `${state}: ${stateDetail}`;
  return restsUntil === undefined ? state : `${state}, rests until ${formatClock(restsUntil)}`;
}

function breakerText({ state, triesAgainAt }: BreakerStatus, now: number): string {
  if (triesAgainAt === undefined) return state;
  return `${state} ${countdown(triesAgainAt - now)}`;
}

function runningText({ inFlight, maxConcurrency, queued }: InstanceStatus): string {
  const of = maxConcurrency === undefined ? '' : `/${maxConcurrency}`;
  return `${inFlight}${of}${queued > 0 ? ` +${queued}` : ''}`;
}

function modelsText({ models, loaded }: InstanceStatus): string {
  if (loaded === undefined || loaded.length === 0) return String(models);
  return `${models}, in memory: ${loaded.join(', ')}`;
}

function perSecond({ perSecond: seconds }: Recent): number {
  return seconds.reduce((sum, count) => sum + count, 0) / Math.max(1, seconds.length);
}

/** A `~` stands before what is partly guessed. */
function tokenRate({ tokensPerSecond, tokensGuessed }: Recent): string {
  if (tokensPerSecond === 0) return '';
  return `${tokensGuessed ? '~' : ''}${formatCount(tokensPerSecond)}`;
}

function span(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '' : formatSpan(milliseconds);
}

function share(value: number | undefined): string {
  return value === undefined ? '' : formatShare(value);
}
