import { formatClock, formatSpan, plain } from '../format.ts';
import { whyText } from './choice.ts';
import type { AttemptRecord, Ending, Outcome } from './outcome.ts';

export type LogFormat = 'text' | 'json';
export type Level = 'info' | 'warn' | 'error';

export interface Log {
  /** Writes the line of a call that is over. */
  call(outcome: Outcome): void;
  say(level: Level, message: string): void;
  /** Writes lines as they are for people, and as messages for machines. */
  show(lines: readonly string[]): void;
  /** Writes out what is still held back. */
  flush(): void;
}

export interface LogOptions {
  readonly format: LogFormat;
  readonly color: boolean;
  readonly write: (text: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Milliseconds for which lines are gathered: nobody sees the delay, and a write costs as much as a call. */
const BATCH = 25;

/** Lines for people, or one JSON object a line; written in batches, off the request's path. */
export function openLog({ format, color, write, now }: LogOptions): Log {
  let pending = '';
  const flush = (): void => {
    if (pending === '') return;
    const text = pending;
    pending = '';
    write(text);
  };
  const line = (text: string): void => {
    if (pending === '') setTimeout(flush, BATCH);
    pending += `${text}\n`;
  };
  return {
    call(outcome) {
      line(format === 'json' ? callAsJson(outcome) : callAsText(outcome, color));
    },
    show(lines) {
      for (const text of lines) {
        if (format === 'text') line(plain(text));
        else if (text.trim() !== '')
          line(asJson('info', text.trim().replace(/ {2,}/g, ' '), now()));
      }
    },
    say(level, message) {
      line(
        format === 'json'
          ? asJson(level, message, now())
          : `${formatClock(now())} ${paint(level === 'info' ? 'dim' : level, level.padEnd(5), color)} ${indented(message)}`,
      );
    },
    flush,
  };
}

function asJson(level: Level, message: string, time: number): string {
  return JSON.stringify({ time: new Date(time).toISOString(), level, message });
}

function callAsText(outcome: Outcome, color: boolean): string {
  const { at, path, ending, status, duration, firstByte, error, attempts, events } = outcome;
  const shown = WORDS[ending] ?? String(status);
  const mood = ending === 'ok' ? 'good' : ending === 'aborted' ? 'dim' : 'error';
  const parts = [
    formatClock(at),
    paint(mood, shown.padEnd(4), color),
    plain(path),
    plain(route(outcome)),
    formatSpan(duration),
  ];
  if (firstByte !== undefined) parts.push(`first ${formatSpan(firstByte)}`);
  const rate = tokenRate(outcome);
  if (rate !== undefined)
    parts.push(`${rate.guessed ? '~' : ''}${rate.perSecond.toFixed(1)} tok/s`);
  if (attempts.length > 1) parts.push(`${attempts.length} attempts`);
  if (ending === 'broken' && events > 0) parts.push(`after ${events} events`);
  if (error !== undefined) parts.push(paint('error', plain(error), color));
  return parts.join('  ');
}

/** Where a status would not tell how it ended: the client had it before. */
const WORDS: Partial<Record<Ending, string>> = { aborted: 'left', broken: 'cut' };

/** `model -> instance`, with the backend's name of the model where it is another. */
function route({ model, instance, upstreamModel }: Outcome): string {
  if (instance === undefined) return model ?? '-';
  const target = upstreamModel === undefined || upstreamModel === model ? '' : `/${upstreamModel}`;
  return `${model ?? '-'} -> ${instance}${target}`;
}

/**
 * Output tokens over the time since the first byte, or over the whole time when there is no stream.
 * A backend that counts none is guessed at one token an event.
 */
function tokenRate(outcome: Outcome): { perSecond: number; guessed: boolean } | undefined {
  const { usage, tokensGuessed, duration, firstByte, stream } = outcome;
  const counted = usage?.output ?? 0;
  const tokens = counted > 0 ? counted : tokensGuessed;
  if (tokens < 2) return undefined;
  const span = stream ? duration - (firstByte ?? 0) : duration;
  if (span <= 0) return undefined;
  return { perSecond: (tokens * 1000) / span, guessed: counted === 0 };
}

function callAsJson(outcome: Outcome): string {
  const { at, duration, waited, firstByte, attempts, ...rest } = outcome;
  const rate = tokenRate(outcome);
  return JSON.stringify({
    time: new Date(at).toISOString(),
    level: outcome.ending === 'ok' || outcome.ending === 'aborted' ? 'info' : 'warn',
    message: 'call',
    ...rest,
    modelKnown: undefined,
    durationMs: round(duration),
    waitedMs: round(waited),
    firstByteMs: firstByte === undefined ? undefined : round(firstByte),
    tokensPerSecond: rate && !rate.guessed ? round(rate.perSecond) : undefined,
    attempts: attempts.map(attemptAsJson),
  });
}

function attemptAsJson(attempt: AttemptRecord): object {
  const { choice, startedAfter, duration, firstByte, ...rest } = attempt;
  return {
    ...rest,
    why: whyText(choice),
    startedAfterMs: round(startedAfter),
    durationMs: round(duration),
    firstByteMs: firstByte === undefined ? undefined : round(firstByte),
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** A text of several lines, such as the stack of a bug: none can pass for a line of the log. */
function indented(text: string): string {
  return text.trimEnd().split('\n').map(plain).join('\n               ');
}

const STYLES = { good: 32, warn: 33, error: 31, dim: 2 } as const;

function paint(style: keyof typeof STYLES, text: string, color: boolean): string {
  return color ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;
}
