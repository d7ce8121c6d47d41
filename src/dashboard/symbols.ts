import type { InstanceState } from '../gateway/directory.ts';
import type {
  BreakerStatus,
  InstanceStatus,
  News,
  RecentCall,
  RunningCall,
} from '../observe/status.ts';
import { countdown } from './figures.ts';
import type { Span } from './line.ts';
import type { Tone } from './theme.ts';

/** A sign for each state of things, so that none is told by colour alone. */

interface Sign {
  readonly symbol: string;
  readonly tone: Tone;
}

export const STATES = {
  healthy: { symbol: '●', tone: 'good' },
  unknown: { symbol: '○', tone: 'faint' },
  loading: { symbol: '◐', tone: 'warn' },
  unhealthy: { symbol: '✗', tone: 'bad' },
  misconfigured: { symbol: '!', tone: 'bad' },
  draining: { symbol: '◌', tone: 'warn' },
  disabled: { symbol: '-', tone: 'faint' },
} as const satisfies Record<InstanceState, Sign>;

export const PHASES = {
  reading: { symbol: '↓', tone: 'faint' },
  queued: { symbol: '◌', tone: 'warn' },
  connecting: { symbol: '○', tone: 'faint' },
  waiting: { symbol: '◐', tone: 'accent' },
  answering: { symbol: '●', tone: 'good' },
} as const satisfies Record<RunningCall['phase'], Sign>;

export const LEVELS = {
  info: { symbol: '·', tone: 'faint' },
  warn: { symbol: '!', tone: 'warn' },
  error: { symbol: '✗', tone: 'bad' },
} as const satisfies Record<News['level'], Sign>;

const BREAKERS = {
  closed: ['closed', 'faint'],
  open: ['open', 'bad'],
  'half-open': ['half-open', 'warn'],
  'forced-open': ['held open', 'bad'],
  'forced-closed': ['held closed', 'warn'],
} as const satisfies Record<BreakerStatus['state'], readonly [string, Tone]>;

/** `✓ 200`, `✗ 502`; `← left` when the client went away, `✗ cut` when it got only a part. */
export function endingOf({ ending, status }: RecentCall): Span {
  switch (ending) {
    case 'ok':
      return [`✓ ${status ?? ''}`, 'good'];
    case 'error':
      return [`✗ ${status ?? ''}`, 'bad'];
    case 'broken':
      return ['✗ cut', 'bad'];
    case 'aborted':
      return ['← left', 'warn'];
  }
}

/** What went wrong, without what a row says already: the rest would be cut off for it. */
export function problemOf({ error, model }: RecentCall): string | undefined {
  return error?.replace(`No instance can serve "${model}" right now: `, '');
}

/** When it was over, by which calls are told in order: milliseconds since the epoch. */
export function endOf({ at, duration }: RecentCall): number {
  return at + duration;
}

/**
 * The breaker, with what is left until it lets trials through; while it is closed, whether the
 * backend has asked for rest.
 */
export function breakerOf({ breaker, restsUntil }: InstanceStatus, now: number): Span {
  const [word, tone] = BREAKERS[breaker.state];
  if (breaker.state === 'closed' && restsUntil !== undefined && restsUntil > now)
    return [`rests ${countdown(restsUntil - now)}`, 'warn'];
  if (breaker.state === 'open' && breaker.triesAgainAt !== undefined)
    return [`${word} ${countdown(breaker.triesAgainAt - now)}`, tone];
  return [word, tone];
}
