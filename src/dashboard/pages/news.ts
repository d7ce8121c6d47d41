import { formatClock } from '../../format.ts';
import type { News } from '../../observe/status.ts';
import type { Line } from '../line.ts';
import { diffLine } from '../panes/events.ts';
import { LEVELS } from '../symbols.ts';
import { facts, paragraph } from './page.ts';

/** A piece of news with all of its lines. */
export function newsLines(news: News, width: number): readonly Line[] {
  const { symbol, tone } = LEVELS[news.level];
  return [
    ...facts(
      [
        ['at', formatClock(news.at)],
        ['kind', [[`${symbol} ${news.kind}`, tone]]],
        ['instance', news.instance],
      ],
      width,
    ),
    [],
    ...paragraph(news.message, width),
    [],
    ...(news.lines ?? []).map((line): Line => [diffLine(line)]),
  ];
}
