import { formatCount, plain } from '../../format.ts';
import type { RunningCall } from '../../observe/status.ts';
import { duration, NOTHING, rate } from '../figures.ts';
import type { Span } from '../line.ts';
import { PHASES } from '../symbols.ts';
import { widest, type Column } from '../table.ts';
import { known } from './instances.ts';
import { definePane, type PaneContext } from './pane.ts';

export const streamsPane = definePane<RunningCall>({
  title: 'In flight',
  rows: (board) => board.status?.running ?? [],
  keyOf: ({ id }) => id,
  words: ({ id, operation, phase, client, key = '', model = '', instance = '' }) =>
    [id, operation, phase, client, key, model, instance].join(' '),
  columns,
  empty: 'nothing is running',
});

function columns({ rows, now }: PaneContext<RunningCall>): readonly Column<RunningCall>[] {
  return [
    {
      title: 'Age',
      rank: 1,
      width: 6,
      align: 'right',
      cell: (row) => duration(now - row.at),
      sortBy: (row) => now - row.at,
      greatestFirst: true,
    },
    {
      title: 'Phase',
      rank: 4,
      width: 12,
      cell: ({ phase }) => [[`${PHASES[phase].symbol} ${phase}`, PHASES[phase].tone]],
      sortBy: ({ phase }) => phase,
    },
    {
      title: 'Model',
      rank: 2,
      width: 14,
      most: Math.min(
        40,
        widest(rows, ({ model = '' }) => plain(model)),
      ),
      cell: ({ model }) => [name(model, 'strong')],
      sortBy: ({ model }) => model,
    },
    {
      title: 'Instance',
      rank: 3,
      width: 10,
      most: Math.min(
        28,
        widest(rows, ({ instance = '' }) => plain(instance)),
      ),
      cell: ({ instance }) => [name(instance)],
      sortBy: ({ instance }) => instance,
    },
    {
      title: 'Client',
      rank: 7,
      width: 9,
      most: Math.min(
        24,
        widest(rows, ({ key, client }) => key ?? client),
      ),
      cell: ({ key, client }) => [[plain(key ?? client), 'faint']],
      sortBy: ({ key, client }) => key ?? client,
    },
    {
      title: 'Kind',
      rank: 9,
      width: 10,
      most: 18,
      cell: ({ operation }) => [[operation, 'faint']],
      sortBy: ({ operation }) => operation,
    },
    {
      title: 'First',
      rank: 8,
      width: 6,
      align: 'right',
      cell: ({ firstByte }) => [known(firstByte)],
      sortBy: ({ firstByte }) => firstByte,
      greatestFirst: true,
    },
    {
      title: 'Tokens',
      rank: 6,
      width: 6,
      align: 'right',
      cell: ({ events }) => (events === 0 ? [[NOTHING, 'faint']] : `~${formatCount(events)}`),
      sortBy: ({ events }) => events,
      greatestFirst: true,
    },
    {
      title: 'Tok/s',
      rank: 5,
      width: 5,
      align: 'right',
      cell: (row) => {
        const speed = tokensPerSecond(row, now);
        return speed === undefined ? [[NOTHING, 'faint']] : rate(speed);
      },
      sortBy: (row) => tokensPerSecond(row, now),
      greatestFirst: true,
    },
    {
      title: 'Tries',
      rank: 10,
      width: 5,
      align: 'right',
      cell: ({ attempts }) => (attempts > 1 ? [[String(attempts), 'warn']] : String(attempts)),
      sortBy: ({ attempts }) => attempts,
      greatestFirst: true,
    },
  ];
}

/** Events of the stream over the time since its first byte; nothing before there are some. */
function tokensPerSecond({ at, firstByte, events }: RunningCall, now: number): number | undefined {
  const answering = firstByte === undefined ? 0 : now - at - firstByte;
  return events < 2 || answering < 200 ? undefined : (events * 1000) / answering;
}

function name(text: string | undefined, tone?: 'strong'): Span {
  if (text === undefined) return [NOTHING, 'faint'];
  return tone ? [plain(text), tone] : plain(text);
}
