import type { Capture } from './capture.ts';
import type { Log } from './log.ts';
import type { Outcome } from './outcome.ts';
import { Ring } from './ring.ts';
import { shownCall, type KeptCall } from './shown-call.ts';
import { Statistics } from './statistics.ts';
import type { Traces } from './traces.ts';
import type { CapturedCall, News, RecentCall } from './status.ts';

/** Calls, and news, that are kept. */
const KEPT = 1000;
/** Of each, those that a follower gets first who names no beginning. */
const FIRST = 200;

export type NewsEntry = Omit<News, 'seq' | 'at'> & {
  /** Milliseconds since the epoch; absent: now. */
  readonly at?: number;
  /** It tells of a reload of the config, which is counted so. */
  readonly reload?: 'applied' | 'refused';
};

/** Something that a follower hears of. */
export type Happening =
  | { readonly kind: 'call'; readonly call: KeptCall }
  | { readonly kind: 'news'; readonly news: News };

/** Which calls to show; what is absent does not matter. */
export interface CallFilter {
  /** At most this many; absent: all that are kept. */
  readonly limit?: number | undefined;
  /** Only those that ended with an error, or broke off. */
  readonly errors?: boolean | undefined;
  readonly model?: string | undefined;
  /** Only those with an attempt on it. */
  readonly instance?: string | undefined;
}

/**
 * What a server knows of its calls that are over, and of what happened to it. Each call comes here
 * once, as one outcome; log, statistics and whatever else speaks of calls are fed from that alone.
 */
export class Observatory {
  readonly statistics = new Statistics();
  /** How often the config was loaded anew, and how that ended. */
  readonly reloads = { applied: 0, refused: 0 };
  /** Where traces go; absent when they are off. */
  traces: Traces | undefined;
  readonly #log: Log;
  readonly #calls = new Ring<KeptCall>(KEPT);
  /** Those of them with bodies, the oldest first. */
  readonly #captured: KeptCall[] = [];
  /** How many may have some. */
  #bodies = 0;
  readonly #news = new Ring<News>(KEPT);
  readonly #followers = new Set<(happening: Happening) => void>();
  /** Calls and news have one sequence, so that a follower can say how far it has come. */
  #seq = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Takes the record of a call that is over.
   * @param capture Its bodies, when the config wants them to be kept.
   */
  record(outcome: Outcome, capture?: Capture): void {
    this.#log.call(outcome);
    this.traces?.record(outcome);
    this.statistics.add(outcome, performance.now());
    const kept: KeptCall = { seq: ++this.#seq, outcome, capture };
    this.#calls.push(kept);
    if (capture) {
      this.#captured.push(kept);
      this.keepBodies(this.#bodies);
    }
    if (this.#followers.size === 0) return;
    this.#tell({ kind: 'call', call: kept });
  }

  /**
   * Takes note of something that happened, and says it in the log.
   * @param options.logged False when the log's reader has been told otherwise.
   */
  news(
    { reload, ...entry }: NewsEntry,
    { logged = true }: { readonly logged?: boolean } = {},
  ): void {
    const news: News = { at: Date.now(), ...entry, seq: ++this.#seq };
    this.#news.push(news);
    if (reload) this.reloads[reload] += 1;
    if (logged) this.#log.say(news.level, [news.message, ...(news.lines ?? [])].join('\n'));
    this.#tell({ kind: 'news', news });
  }

  /** @returns The latest calls first. */
  recent({ limit = KEPT, errors, model, instance }: CallFilter = {}): RecentCall[] {
    const found: RecentCall[] = [];
    for (const kept of this.#calls) {
      if (found.length >= limit) break;
      const { outcome } = kept;
      const { ending, attempts } = outcome;
      if (errors === true && ending !== 'error' && ending !== 'broken') continue;
      if (model !== undefined && outcome.model !== model) continue;
      if (instance !== undefined && !attempts.some((one) => one.instance === instance)) continue;
      found.push(shownCall(kept));
    }
    return found;
  }

  /**
   * @param id The call's id; the latest of those with the same.
   * @param hide Takes secrets out of its bodies.
   */
  call(id: string, hide: (text: string) => string): CapturedCall | undefined {
    for (const kept of this.#calls) {
      if (kept.outcome.id === id) return { ...shownCall(kept), ...kept.capture?.shown(hide) };
    }
    return undefined;
  }

  /** Keeps the bodies of the latest so many calls, and lets those of all others go. */
  keepBodies(calls: number): void {
    this.#bodies = calls;
    while (this.#captured.length > calls) this.#captured.shift()!.capture = undefined;
  }

  /** @returns The latest news first. */
  recentNews(limit = KEPT): News[] {
    return [...this.#news].slice(0, limit);
  }

  /**
   * Tells a listener of what is kept, the oldest first, and then of all that happens.
   * @param after What it knows already, up to this number in the sequence; absent, or from another
   *   run of the server: the last 200 calls and news.
   */
  follow(listener: (happening: Happening) => void, after?: number): { close(): void } {
    const resumes = after !== undefined && after <= this.#seq;
    const most = resumes ? KEPT : FIRST;
    const missed = [
      ...[...this.#calls].slice(0, most).map((call) => ({ kind: 'call' as const, call })),
      ...this.recentNews(most).map((news) => ({ kind: 'news' as const, news })),
    ].filter((one) => !resumes || seqOf(one) > after);
    for (const one of missed.toSorted((a, b) => seqOf(a) - seqOf(b))) listener(one);
    this.#followers.add(listener);
    return {
      close: () => {
        this.#followers.delete(listener);
      },
    };
  }

  #tell(happening: Happening): void {
    for (const follower of this.#followers) follower(happening);
  }
}

/** A happening's number in the sequence. */
export function seqOf(happening: Happening): number {
  return happening.kind === 'call' ? happening.call.seq : happening.news.seq;
}
