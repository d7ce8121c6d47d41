import { formatCount, plain } from '../../format.ts';
import type { ModelTraffic } from '../../observe/status.ts';
import { widest } from '../table.ts';
import { quiet, scaleOf, trafficColumns } from './instances.ts';
import { definePane } from './pane.ts';

export const modelsPane = definePane<ModelTraffic>({
  title: 'Models',
  rows: (board) => board.status?.models ?? [],
  keyOf: ({ model }) => model,
  words: ({ model }) => model,
  columns: ({ rows, now }) => [
    {
      title: 'Model',
      rank: 1,
      width: 16,
      most: Math.min(
        48,
        widest(rows, ({ model }) => plain(model)),
      ),
      cell: ({ model }) => [[plain(model), 'strong']],
      sortBy: ({ model }) => model,
    },
    ...trafficColumns<ModelTraffic>(scaleOf(rows), now),
    {
      title: 'Calls',
      rank: 7,
      width: 5,
      align: 'right',
      cell: ({ totals }) => formatCount(totals.calls),
      sortBy: ({ totals }) => totals.calls,
      greatestFirst: true,
    },
    {
      title: 'Tok in',
      rank: 12,
      width: 6,
      align: 'right',
      cell: ({ totals }) => [quiet(formatCount(totals.tokensIn))],
      sortBy: ({ totals }) => totals.tokensIn,
      greatestFirst: true,
    },
    {
      title: 'Tok out',
      rank: 13,
      width: 7,
      align: 'right',
      cell: ({ totals }) => [quiet(formatCount(totals.tokensOut))],
      sortBy: ({ totals }) => totals.tokensOut,
      greatestFirst: true,
    },
  ],
  empty: 'no model has been asked for yet',
});
