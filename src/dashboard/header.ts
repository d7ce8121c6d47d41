import { basename } from 'node:path';
import { formatClock, formatCount, formatSpan, plain } from '../format.ts';
import type { Status } from '../observe/status.ts';
import { sparkline } from './chart.ts';
import type { Connection } from './feed.ts';
import { countdown, duration, percent, rate } from './figures.ts';
import { spread, textOf, type Line, type Span } from './line.ts';
import { errors, perSecond, tokens } from './panes/instances.ts';
import { alertOf, seen, serverTime, type State } from './state.ts';
import { widthOf } from './text.ts';

/** The lines over everything: which server, how it is, how much it does; and what is wrong with it. */
export function headerLines(state: State, options: { url: string; width: number }): Line[] {
  const { url, width } = options;
  const board = seen(state);
  const { status } = board;
  const alert = alertOf(state);
  const live: Line = view(state);
  const lines: Line[] = [
    spread(
      fitting(identity(status, url, serverTime(state)), width - widthOf(textOf(live)) - 2),
      live,
      width,
    ),
  ];
  if (state.size.rows >= 12)
    lines.push(status ? fitting(figures(status, serverTime(state)), width) : []);
  if (alert !== undefined) lines.push([[`✗ ${plain(alert)}`, 'bad']]);
  return lines;
}

/** As many of the parts, the first ones first, as there is room for. */
function fitting(parts: readonly Line[], width: number): Line {
  const line: Span[] = [];
  let left = width;
  for (const part of parts) {
    const columns = widthOf(textOf(part)) + (line.length === 0 ? 0 : 3);
    if (columns > left) break;
    if (line.length > 0) line.push('   ');
    line.push(...part);
    left -= columns;
  }
  return line;
}

function identity(status: Status | undefined, url: string, now: number): Line[] {
  const name: Line = [['jairouter', 'strong'], status ? ` ${status.version}` : ''];
  const place: Line = [url.replace(/^https?:\/\//, '')];
  if (!status) return [name, place];
  const up: Line = [['up ', 'faint'], formatSpan(Math.max(0, now - status.startedAt))];
  return [name, place, up, configLine(status.config)];
}

function configLine({ file, error, version }: Status['config']): Line {
  if (file === undefined) return [['no config file', 'faint']];
  const name: Span = [`${plain(basename(file))} `, 'faint'];
  return error
    ? [name, [`✗ invalid since ${formatClock(error.since)}`, 'bad']]
    : [name, ['✓', 'good'], [` version ${version}`, 'faint']];
}

function figures(status: Status, now: number): Line[] {
  const all = status.recent;
  const second = Math.floor(now / 1000);
  const max = Math.max(1, ...all.perSecond);
  return [
    [
      [rate(perSecond(all)), 'strong'],
      [' req/s ', 'faint'],
      [sparkline(all.perSecond, { width: 20, max, second }), 'chart'],
    ],
    [
      [formatCount(status.inFlight), 'strong'],
      [' in flight', 'faint'],
    ],
    [
      [formatCount(status.queued), status.queued > 0 ? 'warn' : 'strong'],
      [' queued', 'faint'],
    ],
    [failed(all.errorShare), [' failed', 'faint']],
    [
      [tokens(all), 'strong'],
      [' tok/s', 'faint'],
    ],
    [
      ['p50 ', 'faint'],
      duration(all.duration?.p50),
      ['  p95 ', 'faint'],
      duration(all.duration?.p95),
    ],
    [['first byte ', 'faint'], duration(all.firstByte?.p50)],
    [
      [formatCount(status.totals.calls), 'strong'],
      [' calls, ', 'faint'],
      [formatCount(status.totals.tokensOut), 'strong'],
      [' tokens out', 'faint'],
    ],
  ];
}

function failed(share: number | undefined): Span {
  return share === undefined || share === 0 ? [percent(share ?? 0), 'strong'] : errors(share);
}

/** How the picture stands to the server: live, stopped, or without a connection. */
function view(state: State): Line {
  const {
    board,
    view: { frozen },
    now,
  } = state;
  if (frozen) {
    const last = frozen.calls[0];
    const known = board.calls.indexOf(last!);
    const missed = known < 0 ? board.calls.length : known;
    return [
      ['‖ paused', 'warn'],
      [missed === 0 ? '' : `, ${formatCount(missed)} calls since`, 'faint'],
    ];
  }
  return [connection(board.connection, now)];
}

function connection(one: Connection, now: number): Span {
  switch (one.state) {
    case 'connecting':
      return ['○ connecting', 'warn'];
    case 'live':
      return ['● live', 'good'];
    case 'lost':
      return [
        one.triesAgainAt <= now
          ? '✗ no connection, trying'
          : `✗ no connection, next try in ${countdown(one.triesAgainAt - now)}`,
        'bad',
      ];
  }
}
