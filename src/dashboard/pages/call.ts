import { formatBytes, formatClock, formatCount, plain } from '../../format.ts';
import type { CapturedBody, CapturedCall, RecentCall, ShownAttempt } from '../../observe/status.ts';
import { answerOf, isInPieces } from '../captured.ts';
import { timeline } from '../chart.ts';
import { counted, duration, rate } from '../figures.ts';
import { fitLine, type Line } from '../line.ts';
import { tokensPerSecond } from '../panes/calls.ts';
import { endingOf } from '../symbols.ts';
import { beside, facts, heading, paragraph } from './page.ts';

export interface CallPage {
  readonly call: RecentCall;
  readonly detail: CapturedCall | undefined;
}

/** One call that is over: what came of it, each of its attempts, and its bodies. */
export function callLines({ call, detail }: CallPage, width: number): readonly Line[] {
  return [
    ...beside(
      width,
      (columns) => [heading('Call'), ...facts(about(call), columns)],
      (columns) => [heading('Figures'), ...facts(figures(call), columns)],
    ),
    [],
    call.attempts.length === 0
      ? [['No attempt was made', 'accent']]
      : [
          [counted(call.attempts.length, 'attempt'), 'accent'],
          ['   ░ waiting for the first byte   █ answering', 'faint'],
        ],
    ...call.attempts.flatMap((attempt, index) => attemptLines(attempt, index, { call, width })),
    [],
    ...bodies(call, detail, width),
  ];
}

function about(call: RecentCall): [string, Line | string | undefined][] {
  const { key, client, model, instance, upstreamModel, error, code } = call;
  const other = upstreamModel === undefined || upstreamModel === model ? '' : `/${upstreamModel}`;
  return [
    ['came in', formatClock(call.at)],
    ['ended', [endingOf(call), ...(code === undefined ? [] : [` ${code}`])]],
    ['error', error],
    ['asked for', model],
    ['went to', instance === undefined ? undefined : `${instance}${other}`],
    ['client', key === undefined ? client : `${client}, with the key ${key}`],
    ['route', `${call.path}${call.stream ? ', streamed' : ''}`],
    ['id', call.id],
  ];
}

function figures(call: RecentCall): [string, string | undefined][] {
  const { usage, events, firstByte, waited } = call;
  const speed = tokensPerSecond(call);
  return [
    ['total', duration(call.duration)],
    ['waited', waited >= 1 ? duration(waited) : undefined],
    ['first byte', firstByte === undefined ? undefined : duration(firstByte)],
    ['tokens', usage && `${formatCount(usage.input)} in, ${formatCount(usage.output)} out`],
    ['events', events === 0 ? undefined : formatCount(events)],
    ['speed', speed === undefined ? undefined : `${rate(speed)} tok/s`],
    ['bytes', `${formatBytes(call.bytesIn)} in, ${formatBytes(call.bytesOut)} out`],
  ];
}

/** Two lines an attempt: where it went and when, drawn over the time of the whole call; and why, and what came of it. */
function attemptLines(
  attempt: ShownAttempt,
  index: number,
  { call, width }: { readonly call: RecentCall; readonly width: number },
): Line[] {
  const { startedAfter: from, firstByte, status, phase, error } = attempt;
  const until = from + attempt.duration;
  const turn = firstByte === undefined ? undefined : from + firstByte;
  const failed = error !== undefined;
  const outcome = failed
    ? `✗ ${status === undefined ? '' : `${status}, `}while ${phase === 'done' ? 'answering' : phase}`
    : `✓ ${status ?? ''}`;
  const chart = Math.max(10, Math.min(60, width - 74));
  const instance = Math.max(12, Math.min(20, width - 60));
  return [
    [
      [`${index + 1} `.padStart(4), 'faint'],
      ...fitLine([[plain(attempt.instance), 'strong']], instance),
      '  ',
      [timeline({ from, until, turn }, call.duration, chart), failed ? 'bad' : 'chart'],
      '  ',
      [`+${duration(from)}`.padEnd(8), 'faint'],
      `  ${duration(attempt.duration)}`.padEnd(9),
      '  ',
      [outcome, failed ? 'bad' : 'good'],
    ],
    [
      '     ',
      ['because ', 'faint'],
      plain(attempt.why),
      ...(firstByte === undefined
        ? []
        : [[`   first byte after ${duration(firstByte)}`, 'faint'] as const]),
      [`   ${plain(attempt.model)}`, 'faint'],
    ],
    ...(failed ? paragraph(error, width - 5, 'bad').map((line): Line => ['     ', ...line]) : []),
  ];
}

function bodies(
  call: RecentCall,
  detail: CapturedCall | undefined,
  width: number,
): readonly Line[] {
  if (!call.captured) {
    return [[['Its bodies were not kept. With `capture` in the config, they are.', 'faint']]];
  }
  if (!detail) return [];
  return beside(
    width,
    (columns) => messageLines('Request', detail.request, columns),
    (columns) => messageLines('Answer', detail.answer, columns),
  );
}

function messageLines(title: string, body: CapturedBody | undefined, width: number): Line[] {
  if (!body) return [heading(title), [['not kept', 'faint']]];
  const headers = Object.entries(body.headers).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  );
  return [
    [
      [title, 'accent'],
      [`   ${formatBytes(body.bytes)}`, 'faint'],
    ],
    ...facts(headers, width),
    [],
    ...bodyLines(body, width),
  ];
}

function bodyLines(body: CapturedBody, width: number): Line[] {
  const { text, truncated } = body;
  if (text === undefined) return paragraph(answerOf(body).text, width);
  const words = isInPieces(body) ? answerOf(body).text : '';
  const end: Line[] = truncated
    ? [[['… and more that was not kept (capture.maxBytes)', 'faint']]]
    : [];
  if (words === '') return [...textLines(pretty(text), width), ...end];
  return [
    ...textLines(words, width),
    [],
    [['As it came', 'accent']],
    ...textLines(text, width),
    ...end,
  ];
}

/** Of a text, so many characters are shown: more than anybody reads, and less than takes time. */
const SHOWN = 64_000;

function textLines(text: string, width: number): Line[] {
  const hidden = text.length - SHOWN;
  const end: Line[] =
    hidden > 0 ? [[[`… and ${formatCount(hidden)} more characters`, 'faint']]] : [];
  return [...paragraph(text.slice(0, SHOWN), width), ...end];
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    // Text, or the beginning of something longer.
    return body;
  }
}
