import { formatClock, plain } from '../../format.ts';
import type { News } from '../../observe/status.ts';
import type { Line } from '../line.ts';
import { LEVELS } from '../symbols.ts';
import { definePane } from './pane.ts';

/** Some news has further lines, such as a reload's diff: they are rows of their own. */
interface EventRow {
  readonly news: News;
  /** Which of the further lines; absent: the news itself. */
  readonly line: number | undefined;
}

/** Of one piece of news; all of them are on its page. */
const MOST_LINES = 6;

export const eventsPane = definePane<EventRow>({
  title: 'Events',
  rows: (board) => board.news.flatMap(rowsOf),
  keyOf: ({ news, line }) => (line === undefined ? String(news.seq) : `${news.seq}:${line}`),
  words: ({ news: { kind, level, instance = '', message } }) =>
    [kind, level, instance, message].join(' '),
  untitled: true,
  columns: () => [
    {
      title: 'Time',
      rank: 1,
      width: 8,
      cell: ({ news, line }) => [[line === undefined ? formatClock(news.at) : '', 'faint']],
    },
    { title: 'Kind', rank: 3, width: 11, cell: kind },
    { title: 'Message', rank: 2, width: 24, most: 400, cell: message },
  ],
  empty: 'nothing has happened yet',
});

/** @param key As `keyOf` made it. */
export function newsSeq(key: string): number {
  return Number(key.split(':')[0]);
}

function rowsOf(news: News): EventRow[] {
  const lines = (news.lines ?? []).slice(0, MOST_LINES);
  return [{ news, line: undefined }, ...lines.map((_, line): EventRow => ({ news, line }))];
}

function kind({ news, line }: EventRow): Line {
  if (line !== undefined) return [];
  const { symbol, tone } = LEVELS[news.level];
  return [[symbol, tone], ' ', [news.kind, 'faint']];
}

function message({ news, line }: EventRow): Line {
  if (line === undefined) {
    const { tone } = LEVELS[news.level];
    return [news.level === 'info' ? plain(news.message) : [plain(news.message), tone]];
  }
  const lines = news.lines ?? [];
  const hidden = lines.length - MOST_LINES;
  if (line === MOST_LINES - 1 && hidden > 0)
    return [[`  … and ${hidden + 1} more lines (enter)`, 'faint']];
  return [diffLine(lines[line] ?? '')];
}

/** A line of a diff: `+` added, `-` removed, `~` changed. */
export function diffLine(text: string): Line[number] {
  const shown = `  ${plain(text)}`;
  const sign = text.trimStart()[0];
  if (sign === '+') return [shown, 'good'];
  if (sign === '-') return [shown, 'bad'];
  return sign === '~' ? [shown, 'warn'] : [shown, 'faint'];
}
