import { count, increase, noCounts } from './counts.ts';
import { Durations } from './durations.ts';
import { Minute } from './minute.ts';
import type { Ended } from './outcome.ts';
import type { Recent, Totals } from './status.ts';

/** What is counted of calls, or of attempts: since the start, and over the last minute. */
export class Tally {
  readonly #counts = noCounts();
  readonly #errors = new Map<string, number>();
  // Made for the first call: most instances of a large fleet are idle.
  #recent: RecentTally | undefined;

  /** @param now Milliseconds of a clock that does not step back, here and below. */
  add(ended: Ended, now: number): void {
    count(this.#counts, ended);
    const { errorKind } = ended;
    if (errorKind !== undefined) increase(this.#errors, errorKind);
    this.#recent ??= new RecentTally();
    this.#recent.add(ended, now);
  }

  totals(): Totals {
    return { ...this.#counts, errors: Object.fromEntries(this.#errors) };
  }

  recent(now: number): Recent {
    return this.#recent?.value(now) ?? NOTHING;
  }

  /** Good ones of the last minute by their duration: see {@link Durations.histogram}. */
  histogram(now: number): { until: number; count: number }[] {
    return this.#recent?.durations.histogram(now) ?? [];
  }
}
class RecentTally {
  readonly #ended = new Minute();
  readonly #bad = new Minute();
  readonly #errors = new Map<string, Minute>();
  readonly #tokens = new Minute();
  readonly #guessed = new Minute();
  readonly durations = new Durations();
  readonly #firstBytes = new Durations();

  add(ended: Ended, now: number): void {
    const { ending, errorKind, duration, firstByte, events, usage, tokensGuessed } = ended;
    this.#ended.add(now, 1);
    if (ending === 'error' || ending === 'broken') this.#bad.add(now, 1);
    if (errorKind !== undefined) this.#minuteOf(errorKind).add(now, 1);
    if (ending === 'ok') {
      this.durations.add(now, duration);
      if (firstByte !== undefined) this.#firstBytes.add(now, firstByte);
    }
    // A long stream's tokens came all along it.
    const span = events > 0 ? duration - (firstByte ?? 0) : duration;
    if (usage && usage.output > 0) this.#tokens.spread(now, usage.output, span);
    if (tokensGuessed > 0) this.#guessed.spread(now, tokensGuessed, span);
  }

  value(now: number): Recent {
    const perSecond = this.#ended.perSecond(now);
    const ended = perSecond.reduce((sum, count) => sum + count, 0);
    const duration = this.durations.percentiles(now);
    const firstByte = this.#firstBytes.percentiles(now);
    const guessed = this.#guessed.total(now);
    const errors = [...this.#errors]
      .map(([kind, minute]) => [kind, minute.total(now)] as const)
      .filter(([, count]) => count > 0);
    return {
      perSecond,
      ...(ended > 0 && { errorShare: this.#bad.total(now) / ended }),
      ...(errors.length > 0 && { errors: Object.fromEntries(errors) }),
      ...(duration && { duration }),
      ...(firstByte && { firstByte }),
      tokensPerSecond: (this.#tokens.total(now) + guessed) / 60,
      tokensGuessed: guessed > 0,
    };
  }

  #minuteOf(kind: string): Minute {
    let minute = this.#errors.get(kind);
    if (!minute) this.#errors.set(kind, (minute = new Minute()));
    return minute;
  }
}

const NOTHING: Recent = {
  perSecond: Array.from({ length: 60 }, () => 0),
  tokensPerSecond: 0,
  tokensGuessed: false,
};
