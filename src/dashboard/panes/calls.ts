import { formatClock, formatCount, plain } from '../../format.ts';
import type { RecentCall } from '../../observe/status.ts';
import { NOTHING, rate } from '../figures.ts';
import { textOf, type Line, type Span } from '../line.ts';
import { endingOf, endOf, problemOf } from '../symbols.ts';
import { widest, type Column } from '../table.ts';
import { known } from './instances.ts';
import { definePane } from './pane.ts';

export const callsPane = definePane<RecentCall>({
  title: 'Calls',
  rows: (board) => board.calls,
  keyOf: ({ seq }) => String(seq),
  words: (row) =>
    [
      row.id,
      row.operation,
      row.path,
      row.client,
      row.key ?? '',
      row.model ?? '',
      row.upstreamModel ?? '',
      row.attempts.map(({ instance }) => instance).join(' '),
      row.ending,
      row.status ?? '',
      row.code ?? '',
      row.error ?? '',
    ].join(' '),
  columns: ({ rows }) => columns(rows),
  empty: 'no call has ended yet',
});

function columns(rows: readonly RecentCall[]): readonly Column<RecentCall>[] {
  return [
    {
      title: 'Time',
      rank: 1,
      width: 8,
      cell: (row) => [[formatClock(endOf(row)), 'faint']],
      sortBy: endOf,
      greatestFirst: true,
    },
    {
      title: 'Status',
      rank: 2,
      width: 6,
      cell: (row) => [endingOf(row)],
      sortBy: ({ ending, status }) => (ending === 'ok' ? status : (status ?? 0) + 1000),
      greatestFirst: true,
    },
    {
      title: 'Kind',
      rank: 11,
      width: 10,
      most: widest(rows, ({ operation }) => operation),
      cell: ({ operation }) => [[operation, 'faint']],
      sortBy: ({ operation }) => operation,
    },
    {
      title: 'Model',
      rank: 3,
      width: 14,
      most: Math.min(
        32,
        widest(rows, ({ model = '' }) => plain(model)),
      ),
      cell: ({ model }) =>
        model === undefined ? [[NOTHING, 'faint']] : [[plain(model), 'strong']],
      sortBy: ({ model }) => model,
    },
    {
      title: 'Instance',
      rank: 4,
      width: 12,
      most: Math.min(
        40,
        widest(rows, (row) => textOf(route(row, 40))),
      ),
      cell: route,
      sortBy: ({ instance, attempts }) => instance ?? attempts.at(-1)?.instance,
    },
    {
      title: 'Total',
      rank: 5,
      width: 6,
      align: 'right',
      cell: ({ duration }) => [known(duration)],
      sortBy: ({ duration }) => duration,
      greatestFirst: true,
    },
    {
      title: 'First',
      rank: 7,
      width: 6,
      align: 'right',
      cell: ({ firstByte }) => [known(firstByte)],
      sortBy: ({ firstByte }) => firstByte,
      greatestFirst: true,
    },
    {
      title: 'Tokens',
      rank: 8,
      width: 11,
      align: 'right',
      cell: (row) => [tokens(row)],
      sortBy: ({ usage, events }) => usage?.output ?? (events > 0 ? events : undefined),
      greatestFirst: true,
    },
    {
      title: 'Tok/s',
      rank: 10,
      width: 5,
      align: 'right',
      cell: (row) => {
        const speed = tokensPerSecond(row);
        return speed === undefined ? [[NOTHING, 'faint']] : rate(speed);
      },
      sortBy: tokensPerSecond,
      greatestFirst: true,
    },
    {
      title: 'Tries',
      rank: 9,
      width: 5,
      align: 'right',
      cell: ({ attempts }) =>
        attempts.length > 1 ? [[String(attempts.length), 'warn']] : String(attempts.length),
      sortBy: ({ attempts }) => attempts.length,
      greatestFirst: true,
    },
    {
      title: 'Client',
      rank: 12,
      width: 9,
      most: Math.min(
        20,
        widest(rows, ({ key, client }) => key ?? client),
      ),
      cell: ({ key, client }) => [[plain(key ?? client), 'faint']],
      sortBy: ({ key, client }) => key ?? client,
    },
    {
      title: 'Why',
      rank: 6,
      width: 22,
      most: 200,
      cell: (row) => [why(row)],
    },
  ];
}

/** `→ gpu-1`, with the backend's name of the model where that is another; the last one that was tried. */
function route(
  { instance, attempts, model, upstreamModel = model }: RecentCall,
  width: number,
): Line {
  if (instance === undefined) {
    const tried = attempts.at(-1)?.instance;
    return [[tried === undefined ? NOTHING : `→ ${plain(tried)}`, 'faint']];
  }
  const other = upstreamModel === model || width < 20 ? '' : `/${upstreamModel}`;
  return [['→ ', 'faint'], plain(instance), [plain(other), 'faint']];
}

/** What went wrong, or else why it went there. */
function why(row: RecentCall): Span {
  const { ending, attempts } = row;
  const problem = problemOf(row);
  if (ending !== 'ok' && problem !== undefined)
    return [plain(problem), ending === 'aborted' ? 'warn' : 'bad'];
  const reason = attempts.at(-1)?.why ?? '';
  return [plain(reason), attempts.length > 1 ? 'warn' : 'faint'];
}

/** `812 → 240`, as the backend counted them; `~240` when it did not, and the stream's events are told. */
function tokens({ usage, events }: RecentCall): Span {
  if (usage && usage.output > 0)
    return `${formatCount(usage.input)} → ${formatCount(usage.output)}`;
  if (usage && usage.input > 0) return formatCount(usage.input);
  return events > 1 ? `~${formatCount(events)}` : [NOTHING, 'faint'];
}

/** Output tokens over the time of the answer; of a stream, since its first byte. */
export function tokensPerSecond({
  usage,
  events,
  stream,
  duration,
  firstByte = 0,
}: RecentCall): number | undefined {
  const output = usage && usage.output > 0 ? usage.output : events;
  const took = stream ? duration - firstByte : duration;
  return output < 2 || took <= 0 ? undefined : (output * 1000) / took;
}
