import { formatCount, plain } from '../../format.ts';
import type { InstanceStatus, Recent } from '../../observe/status.ts';
import { sparkline } from '../chart.ts';
import { duration, percent, rate } from '../figures.ts';
import { textOf, type Line, type Span } from '../line.ts';
import { breakerOf, STATES } from '../symbols.ts';
import { widest, type Column } from '../table.ts';
import { definePane, type PaneContext } from './pane.ts';

export const instancesPane = definePane<InstanceStatus>({
  title: 'Instances',
  rows: (board) => board.status?.instances ?? [],
  keyOf: ({ name }) => name,
  words: ({ name, adapter, state, baseUrl, breaker, loaded = [] }) =>
    [name, adapter, state, baseUrl, breaker.state, ...loaded].join(' '),
  columns,
  empty: 'no instances: add your backends to the config, under `instances`',
});

function columns({ rows, now }: PaneContext<InstanceStatus>): readonly Column<InstanceStatus>[] {
  const name = Math.max(12, widest(rows, (row) => plain(row.name)) + 2);
  const adapter = Math.max(
    7,
    widest(rows, (row) => row.adapter),
  );
  const scale = scaleOf(rows);
  return [
    {
      title: 'Name',
      rank: 1,
      width: Math.min(14, name),
      most: Math.min(32, name),
      cell: (row) => [mark(row), ' ', [plain(row.name), 'strong']],
      sortBy: (row) => row.name,
    },
    {
      title: 'Adapter',
      rank: 13,
      width: Math.min(adapter, 12),
      cell: (row) => [[row.adapter, 'faint']],
      sortBy: (row) => row.adapter,
    },
    {
      title: 'State',
      rank: 2,
      width: 9,
      most: widest(rows, ({ state }) => state),
      cell: (row) => [[row.state, STATES[row.state].tone]],
      sortBy: (row) => row.state,
    },
    {
      title: 'Breaker',
      rank: 7,
      width: 10,
      most: widest(rows, (row) => textOf([breakerOf(row, now)])),
      cell: (row) => [breakerOf(row, now)],
      sortBy: (row) => row.breaker.state,
    },
    {
      title: 'Run',
      rank: 3,
      width: 5,
      most: 7,
      align: 'right',
      cell: (row) => [busy(row)],
      sortBy: (row) => row.inFlight,
      greatestFirst: true,
    },
    {
      title: 'Queue',
      rank: 14,
      width: 5,
      align: 'right',
      cell: (row) => [row.queued === 0 ? ['0', 'faint'] : [formatCount(row.queued), 'warn']],
      sortBy: (row) => row.queued,
      greatestFirst: true,
    },
    ...trafficColumns<InstanceStatus>(scale, now),
    {
      title: 'Weight',
      rank: 15,
      width: 6,
      align: 'right',
      cell: (row) => String(row.weight),
      sortBy: (row) => row.weight,
      greatestFirst: true,
    },
    {
      title: 'Models',
      rank: 12,
      width: 16,
      most: 200,
      cell: models,
      sortBy: (row) => row.models,
      greatestFirst: true,
    },
  ];
}

/** What is shown alike of instances and of models: how much, how fast, how well. */
export function trafficColumns<Row extends { readonly recent: Recent }>(
  scale: number,
  now: number,
): Column<Row>[] {
  const second = Math.floor(now / 1000);
  return [
    {
      title: 'Req/s',
      rank: 4,
      width: 5,
      align: 'right',
      cell: ({ recent }) => [quiet(rate(perSecond(recent)))],
      sortBy: ({ recent }) => perSecond(recent),
      greatestFirst: true,
    },
    {
      title: 'Last 60 s',
      rank: 8,
      width: 10,
      most: 30,
      cell: ({ recent }, width) => [
        [sparkline(recent.perSecond, { width: sparkWidth(width), max: scale, second }), 'chart'],
      ],
      sortBy: ({ recent }) => recent.perSecond.reduce((sum, one) => sum + one, 0),
      greatestFirst: true,
    },
    {
      title: 'p50',
      rank: 6,
      width: 6,
      align: 'right',
      cell: ({ recent }) => [known(recent.duration?.p50)],
      sortBy: ({ recent }) => recent.duration?.p50,
      greatestFirst: true,
    },
    {
      title: 'p95',
      rank: 10,
      width: 6,
      align: 'right',
      cell: ({ recent }) => [known(recent.duration?.p95)],
      sortBy: ({ recent }) => recent.duration?.p95,
      greatestFirst: true,
    },
    {
      title: 'First',
      rank: 11,
      width: 6,
      align: 'right',
      cell: ({ recent }) => [known(recent.firstByte?.p50)],
      sortBy: ({ recent }) => recent.firstByte?.p50,
      greatestFirst: true,
    },
    {
      title: 'Tok/s',
      rank: 9,
      width: 5,
      align: 'right',
      cell: ({ recent }) => [quiet(tokens(recent))],
      sortBy: ({ recent }) => recent.tokensPerSecond,
      greatestFirst: true,
    },
    {
      title: 'Err',
      rank: 5,
      width: 5,
      align: 'right',
      cell: ({ recent }) => [errors(recent.errorShare)],
      sortBy: ({ recent }) => recent.errorShare,
      greatestFirst: true,
    },
  ];
}

/** The greatest of all, so that rows can be compared with each other. */
export function scaleOf(rows: readonly { readonly recent: Recent }[]): number {
  return Math.max(1, ...rows.map(({ recent }) => Math.max(0, ...recent.perSecond)));
}

/** Calls each second, over the last ten. */
export function perSecond({ perSecond: counts }: Recent): number {
  const last = counts.slice(-10);
  return last.length === 0 ? 0 : last.reduce((sum, one) => sum + one, 0) / last.length;
}

/** Output tokens each second; `~` when a part of them is guessed. */
export function tokens({ tokensPerSecond, tokensGuessed }: Recent): string {
  const text = tokensPerSecond >= 9.95 ? formatCount(tokensPerSecond) : rate(tokensPerSecond);
  return tokensGuessed && tokensPerSecond > 0 ? `~${text}` : text;
}

export function errors(share: number | undefined): Span {
  const text = percent(share);
  if (!share) return [text, 'faint'];
  return [text, share < 0.05 ? 'warn' : 'bad'];
}

/** Nothing going on is said in a low voice. */
export function quiet(text: string): Span {
  return text === '0' ? [text, 'faint'] : text;
}

export function known(milliseconds: number | undefined): Span {
  const text = duration(milliseconds);
  return milliseconds === undefined ? [text, 'faint'] : text;
}

/** A divisor of sixty where there is one nearby: bars of the same number of seconds each. */
function sparkWidth(width: number): number {
  return [30, 20, 15, 12, 10].find((one) => one <= width) ?? width;
}

function mark({ state }: InstanceStatus): Span {
  const { symbol, tone } = STATES[state];
  return [symbol, tone];
}

/** `3/16`, or `3` without a limit. */
function busy({ inFlight, maxConcurrency }: InstanceStatus): Span {
  if (maxConcurrency === undefined) return quiet(formatCount(inFlight));
  const text = `${formatCount(inFlight)}/${formatCount(maxConcurrency)}`;
  if (inFlight >= maxConcurrency) return [text, 'warn'];
  return inFlight === 0 ? [text, 'faint'] : text;
}

/** What is wrong, or the models: those in memory by name, where the backend tells. */
function models({ state, stateDetail, models: number, loaded }: InstanceStatus): Line {
  if (state !== 'healthy' && stateDetail !== undefined)
    return [[plain(stateDetail), STATES[state].tone]];
  if (loaded && loaded.length > 0) return [loaded.map(plain).join(', ')];
  return [[`${formatCount(number)} ${number === 1 ? 'model' : 'models'}`, 'faint']];
}
