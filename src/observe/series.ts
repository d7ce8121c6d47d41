import type { Service } from '../service.ts';
import { Buckets } from './buckets.ts';
import { count, increase, noCounts } from './counts.ts';
import type { AttemptRecord, Ended, Ending, Outcome } from './outcome.ts';

/** Seconds; a generation takes from a blink to many minutes. */
const WHOLE = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600];
/** Seconds; what a prompt's reading takes, a cold load at the end. */
const FIRST = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 60, 180];
/** Seconds, in a queue. */
const WAITS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 300, 900];

/** How long good ones took. */
class Times {
  readonly duration = new Buckets(WHOLE);
  readonly firstByte = new Buckets(FIRST);

  add({ ending, duration, firstByte }: Ended): void {
    if (ending !== 'ok') return;
    this.duration.add(duration);
    if (firstByte !== undefined) this.firstByte.add(firstByte);
  }
}

/** Calls of one service for one model that ended on one instance, since the start. */
export class CallSeries {
  readonly service: Service;
  /** Empty for calls that came to none. */
  readonly instance: string;
  readonly counts = noCounts();
  readonly times = new Times();

  constructor(service: Service, instance: string) {
    this.service = service;
    this.instance = instance;
  }

  add(outcome: Outcome): void {
    count(this.counts, outcome);
    this.times.add(outcome);
  }
}

/** Why an attempt was made: the call's first, after another one's failure, or beside a late one. */
export type Reason = 'first' | 'retry' | 'hedge';

/** Attempts on one instance, since the start. */
export class AttemptSeries {
  readonly times = new Times();
  readonly #ends: Record<Reason, Record<Ending, number>> = {
    first: { ok: 0, error: 0, broken: 0, aborted: 0 },
    retry: { ok: 0, error: 0, broken: 0, aborted: 0 },
    hedge: { ok: 0, error: 0, broken: 0, aborted: 0 },
  };

  add(attempt: AttemptRecord): void {
    const { by, after } = attempt.choice;
    const reason = by === 'hedge' ? 'hedge' : after === undefined ? 'first' : 'retry';
    this.#ends[reason][attempt.ending] += 1;
    this.times.add(attempt);
  }

  /** Those that there were any of. */
  *ends(): Generator<{ reason: Reason; ending: Ending; count: number }> {
    for (const reason of ['first', 'retry', 'hedge'] as const) {
      for (const ending of ['ok', 'error', 'broken', 'aborted'] as const) {
        const count = this.#ends[reason][ending];
        if (count > 0) yield { reason, ending, count };
      }
    }
  }
}

/** Calls of one service, since the start. */
export class ServiceSeries {
  readonly errors = new Map<string, number>();
  /** Of the calls that had to wait. */
  readonly waits = new Buckets(WAITS);

  add({ errorKind, waited }: Outcome): void {
    if (errorKind !== undefined) increase(this.errors, errorKind);
    // A look at what is known already takes no time worth speaking of.
    if (waited >= 1) this.waits.add(waited);
  }
}
