import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUILT_IN, type BreakerSettings } from '../../../src/config/settings.ts';
import { Breaker, type BreakerView, type Permit } from '../../../src/gateway/protect/breaker.ts';
import { die } from '../balance/fleet.ts';

/** A die in the middle: open times without jitter. */
const even = () => 0.5;

function breaker(settings: Partial<BreakerSettings> = {}, random: () => number = even): Breaker {
  return new Breaker({ ...BUILT_IN.circuitBreaker, ...settings }, random);
}

function fail(subject: Breaker, now: number, times = 1): void {
  for (let n = 0; n < times; n++) subject.acquire(now)!.failure(now, 'HTTP 500');
}

function succeed(subject: Breaker, now: number, times = 1): void {
  for (let n = 0; n < times; n++) subject.acquire(now)!.success(now);
}

/** Fails it open at `now`, and gives the moment of its first trials. */
function opened(subject: Breaker, now = 0): number {
  fail(subject, now, 5);
  return subject.triesAgainAt(now)!;
}

describe('a closed breaker', () => {
  it('opens at the fifth failure in a row, and says why', () => {
    const subject = breaker();
    fail(subject, 0, 4);
    expect(subject.state(0)).toBe('closed');
    fail(subject, 7);
    expect(subject.state(7)).toBe('open');
    expect(subject.admits(7)).toBe(false);
    expect(subject.acquire(7)).toBeUndefined();
    expect(subject.triesAgainAt(7)).toBe(30_007);
    expect(subject.view(7).history).toEqual([
      { at: 7, to: 'open', reason: '5 failures in a row, the last: HTTP 500' },
    ]);
  });

  it('starts counting anew after a success', () => {
    const subject = breaker({ failureRate: undefined });
    for (let round = 0; round < 20; round++) {
      fail(subject, round, 4);
      succeed(subject, round);
    }
    expect(subject.state(20)).toBe('closed');
  });

  it('opens when half of the calls of a minute fail, though never five in a row', () => {
    const subject = breaker();
    for (let n = 0; n < 9; n++) {
      succeed(subject, n);
      fail(subject, n);
    }
    succeed(subject, 9);
    expect(subject.state(9)).toBe('closed');
    fail(subject, 9);
    expect(subject.view(9)).toMatchObject({
      state: 'open',
      history: [{ reason: '10 of the last 20 calls failed' }],
    });
  });

  it('does not judge a rate by too few calls, or by calls long past', () => {
    const subject = breaker({ failureThreshold: 1000 });
    fail(subject, 0, 19);
    expect(subject.state(0)).toBe('closed');
    succeed(subject, 60_000, 11);
    fail(subject, 60_000, 10);
    expect(subject.view(60_000)).toMatchObject({ state: 'closed', calls: 21, failures: 10 });
  });

  it('takes no notice of calls that are released', () => {
    const subject = breaker();
    fail(subject, 0, 4);
    for (let n = 0; n < 50; n++) subject.acquire(0)!.release();
    expect(subject.view(0)).toMatchObject({ state: 'closed', failuresInARow: 4, calls: 4 });
  });

  it('hears of a permit once', () => {
    const subject = breaker();
    const permit = subject.acquire(0)!;
    permit.answering(0);
    for (let n = 0; n < 10; n++) permit.failure(0, 'again');
    permit.success(0);
    permit.release();
    expect(subject.view(0)).toMatchObject({ failuresInARow: 1, calls: 1, failures: 1 });
  });
});

describe('an open breaker', () => {
  it('lets its trials through when its time is over, not before', () => {
    const subject = breaker();
    const then = opened(subject);
    expect(subject.admits(then - 0.001)).toBe(false);
    expect(subject.state(then)).toBe('half-open');
    expect([subject.acquire(then), subject.acquire(then), subject.acquire(then)]).toEqual([
      expect.anything(),
      expect.anything(),
      undefined,
    ]);
  });

  it('was half-open from that moment on, whenever it is asked', () => {
    const subject = breaker();
    const then = opened(subject);
    expect(subject.view(then + 1e6).history.at(-1)).toEqual({
      at: then,
      to: 'half-open',
      reason: 'its open time is over',
    });
  });

  it('opens for twice as long each time a trial fails, up to five minutes', () => {
    const subject = breaker();
    let now = opened(subject);
    const times: number[] = [now];
    for (let n = 0; n < 6; n++) {
      fail(subject, now);
      times.push(subject.triesAgainAt(now)! - now);
      now = subject.triesAgainAt(now)!;
    }
    expect(times).toEqual([30, 60, 120, 240, 300, 300, 300].map((seconds) => seconds * 1000));
  });

  it.each([
    [1000, 10_000],
    [30_000, 300_000],
    [600_000, 600_000],
  ])('with openFor %d ms is never open for longer than %d ms', (openFor, most) => {
    const subject = breaker({ openFor });
    let now = opened(subject);
    for (let n = 0; n < 2000; n++) {
      fail(subject, now);
      now = subject.triesAgainAt(now)!;
    }
    fail(subject, now);
    expect(subject.triesAgainAt(now)! - now).toBe(most);
  });

  it('varies its open time by a tenth both ways', () => {
    expect(opened(breaker({}, () => 0))).toBe(27_000);
    expect(opened(breaker({}, () => 1 - 1e-12))).toBeCloseTo(33_000);
  });

  it('begins small again only after it has been closed for as long as it was open', () => {
    const soon = breaker();
    let now = opened(soon);
    succeed(soon, now, 2);
    fail(soon, now + 29_999, 5);
    expect(soon.triesAgainAt(now + 29_999)).toBe(now + 29_999 + 60_000);

    const late = breaker();
    now = opened(late);
    succeed(late, now, 2);
    fail(late, now + 30_000, 5);
    expect(late.triesAgainAt(now + 30_000)).toBe(now + 60_000);
  });

  it('can be told to try at once', () => {
    const subject = breaker();
    opened(subject);
    subject.tryNow(10, 'its probe found it again');
    expect(subject.view(10)).toMatchObject({ state: 'half-open', triesAgainAt: undefined });
    succeed(subject, 10, 2);
    subject.tryNow(11, 'its probe found it again');
    expect(subject.state(11)).toBe('closed');
  });
});

describe('a half-open breaker', () => {
  it('closes after enough good trials, one after another as well as at once', () => {
    for (const trials of [1, 2]) {
      const subject = breaker({ trials });
      const then = opened(subject);
      succeed(subject, then);
      expect(subject.state(then)).toBe('half-open');
      succeed(subject, then);
      expect(subject.view(then)).toMatchObject({ state: 'closed', failuresInARow: 0, calls: 0 });
    }
  });

  it('opens at the first trial that fails', () => {
    const subject = breaker();
    const then = opened(subject);
    succeed(subject, then);
    fail(subject, then);
    expect(subject.view(then).history.at(-1)).toMatchObject({
      to: 'open',
      reason: 'a trial call failed: HTTP 500',
    });
  });

  it('gets the place of a trial back whose client left', () => {
    const subject = breaker({ trials: 1 });
    const then = opened(subject);
    subject.acquire(then)!.release();
    expect(subject.admits(then)).toBe(true);
  });

  it('takes the first event of a stream for a good trial, and does not wait for its end', () => {
    const subject = breaker({ trials: 1 });
    const then = opened(subject);
    const long = subject.acquire(then)!;
    expect(subject.admits(then)).toBe(false);
    long.answering(then);
    long.answering(then);
    expect(subject.view(then)).toMatchObject({ state: 'half-open', trials: 0 });
    long.success(then);
    expect(subject.state(then)).toBe('half-open');
    subject.acquire(then)!.answering(then);
    expect(subject.state(then)).toBe('closed');
  });

  it('still opens when such a stream breaks', () => {
    const subject = breaker({ trials: 1 });
    const then = opened(subject);
    const long = subject.acquire(then)!;
    long.answering(then);
    long.failure(then + 5, 'its stream broke off');
    expect(subject.state(then + 5)).toBe('open');
  });
});

describe('permits of an earlier state', () => {
  it('do not open, close or count', () => {
    const subject = breaker();
    const old = Array.from({ length: 20 }, () => subject.acquire(0)!);
    const then = opened(subject);
    old[0]!.success(then);
    old[1]!.failure(then, 'late');
    expect(subject.view(then)).toMatchObject({ state: 'half-open', trials: 0 });
    const trial = subject.acquire(then)!;
    succeed(subject, then, 2);
    for (const permit of [...old, trial]) permit.failure(then, 'late');
    expect(subject.view(then)).toMatchObject({ state: 'closed', failuresInARow: 0, calls: 0 });
  });
});

describe('an order', () => {
  it('holds it open, until it is reset', () => {
    const subject = breaker();
    const held = subject.acquire(0)!;
    subject.force('open', 0);
    held.success(0);
    expect(subject.admits(1e12)).toBe(false);
    expect(subject.view(1e12)).toMatchObject({ forced: true, triesAgainAt: undefined });
    subject.tryNow(1e12, 'its probe found it again');
    expect(subject.admits(1e12)).toBe(false);
    subject.reset(1e12);
    expect(subject.view(1e12)).toMatchObject({ state: 'closed', forced: false });
    expect(subject.admits(1e12)).toBe(true);
  });

  it('holds it closed, whatever fails', () => {
    const subject = breaker();
    opened(subject);
    subject.force('closed', 0);
    fail(subject, 0, 100);
    succeed(subject, 0, 100);
    expect(subject.view(0)).toMatchObject({ state: 'closed', forced: true, calls: 0 });
    subject.reset(0);
    opened(subject);
    expect(subject.state(0)).toBe('open');
  });

  it('to reset forgets how often it has opened', () => {
    const subject = breaker();
    const then = opened(subject);
    fail(subject, then);
    subject.reset(then);
    expect(opened(subject, then)).toBe(then + 30_000);
  });
});

it('remembers its last twenty changes', () => {
  const subject = breaker();
  for (let n = 0; n < 100; n++) subject.force(n % 2 ? 'open' : 'closed', n);
  const { history } = subject.view(100);
  expect(history).toHaveLength(20);
  expect(history.at(0)).toMatchObject({ at: 80 });
  expect(history.at(-1)).toEqual({ at: 99, to: 'open', reason: 'forced open', forced: true });
});

type Step =
  | { readonly do: 'acquire' | 'reset' | 'open' | 'close' | 'tryNow' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'end'; readonly which: number; readonly how: keyof Permit };

const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constant<Step>({ do: 'acquire' }) },
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constant('end' as const),
        which: fc.oneof(fc.nat(3), fc.nat(40)),
        how: fc.constantFrom<keyof Permit>('success', 'failure', 'failure', 'release', 'answering'),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('wait' as const),
        ms: fc.oneof(fc.nat(100), fc.nat(70_000), fc.nat(700_000)),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Step>(
        { do: 'reset' },
        { do: 'open' },
        { do: 'close' },
        { do: 'tryNow' },
      ),
    },
  ),
  { minLength: 20, maxLength: 200, size: 'max' },
);

const settings = fc.record({
  failureThreshold: fc.integer({ min: 1, max: 6 }),
  failureRate: fc.option(fc.double({ min: 0.05, max: 1, noNaN: true }), { nil: undefined }),
  window: fc.integer({ min: 100, max: 100_000 }),
  minimumCalls: fc.integer({ min: 1, max: 20 }),
  openFor: fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 600_000 })),
  successThreshold: fc.integer({ min: 1, max: 5 }),
  trials: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
});

interface Seen {
  readonly subject: Breaker;
  readonly now: number;
  /** Permits of the present state, for which no verdict is known. */
  readonly undecided: ReadonlySet<Permit>;
  /** What it was before the step, if that used a permit which has no say any more. */
  readonly unmoved: BreakerView | undefined;
}

/** Plays the steps; `watch` sees the breaker after each of them. */
function play(given: BreakerSettings, moves: readonly Step[], watch: (seen: Seen) => void): void {
  const subject = new Breaker(given, die());
  const all: Permit[] = [];
  const undecided = new Set<Permit>();
  /** Streams that made a trial good by their first event, and may still break. */
  const answering = new Set<Permit>();
  let era: unknown;
  let now = 0;
  const look = () => {
    const latest = subject.view(now).history.at(-1);
    if (latest === era) return;
    undecided.clear();
    answering.clear();
    era = latest;
  };
  for (const move of moves) {
    let unmoved: BreakerView | undefined;
    if (move.do === 'wait') now += move.ms;
    look();
    if (move.do === 'acquire') {
      const permit = subject.acquire(now);
      if (permit) {
        all.push(permit);
        undecided.add(permit);
      }
    } else if (move.do === 'end' && all.length > 0) {
      // Mostly a late one, or states would never change.
      const permit = all[Math.max(0, all.length - 1 - move.which)]!;
      const { how } = move;
      const before = subject.view(now);
      const heard = undecided.has(permit) || (answering.has(permit) && how === 'failure');
      if (!heard) unmoved = before;
      if (how === 'failure') permit.failure(now, 'x');
      else permit[how](now);
      if (how !== 'answering') {
        undecided.delete(permit);
        answering.delete(permit);
      } else if (before.state === 'half-open' && undecided.delete(permit)) answering.add(permit);
    } else if (move.do === 'reset') subject.reset(now);
    else if (move.do === 'tryNow') subject.tryNow(now, 'x');
    else if (move.do === 'open') subject.force('open', now);
    else if (move.do === 'close') subject.force('closed', now);
    look();
    watch({ subject, now, undecided, unmoved });
  }
}

/** So that what is seen on the way is no matter of luck. */
const OFTEN = { numRuns: 500 };

describe('whatever calls do, a breaker', () => {
  it('has never more than its trials undecided while half-open', () => {
    fc.assert(
      fc.property(settings, steps, (given, moves) => {
        play(given, moves, ({ subject, now, undecided }) => {
          if (subject.state(now) !== 'half-open') return;
          const most = given.trials ?? given.successThreshold;
          expect(undecided.size).toBeLessThanOrEqual(most);
          expect(subject.view(now).trials).toBe(undecided.size);
          expect(subject.admits(now)).toBe(undecided.size < most);
        });
      }),
    );
  });

  it('never sticks: once its calls are over and its time has passed, good calls close it', () => {
    fc.assert(
      fc.property(settings, steps, (given, moves) => {
        let last: Seen | undefined;
        play(given, moves, (seen) => (last = seen));
        if (!last) return;
        const { subject, undecided } = last;
        for (const permit of undecided) permit.release();
        if (subject.view(last.now).forced) subject.reset(last.now);
        const now = subject.triesAgainAt(last.now) ?? last.now;
        for (let n = 0; n < given.successThreshold; n++) subject.acquire(now)!.success(now);
        expect(subject.state(now)).toBe('closed');
      }),
    );
  });

  it('is open for no less than 0.9 × openFor and no more than 1.1 × its cap', () => {
    fc.assert(
      fc.property(settings, steps, (given, moves) => {
        const cap = Math.max(given.openFor, Math.min(10 * given.openFor, 300_000));
        play(given, moves, ({ subject, now }) => {
          const until = subject.triesAgainAt(now);
          if (until === undefined) return;
          const { at } = subject.view(now).history.at(-1)!;
          expect(until - at).toBeGreaterThanOrEqual(0.9 * given.openFor - 1e-6);
          expect(until - at).toBeLessThanOrEqual(1.1 * cap + 1e-6);
        });
      }),
    );
  });

  it('is not moved by permits of an earlier state, or by those that have ended', () => {
    let seen = 0;
    fc.assert(
      fc.property(settings, steps, (given, moves) => {
        play(given, moves, ({ subject, now, unmoved }) => {
          if (!unmoved) return;
          seen += 1;
          expect(subject.view(now)).toEqual(unmoved);
        });
      }),
      OFTEN,
    );
    expect(seen).toBeGreaterThan(100);
  });

  it('comes through all its states in these tests', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(settings, steps, (given, moves) => {
        play(given, moves, ({ subject, now }) => {
          const { state, trials } = subject.view(now);
          const key = trials > 0 ? 'trying' : state;
          seen.set(key, (seen.get(key) ?? 0) + 1);
        });
      }),
      OFTEN,
    );
    for (const key of ['closed', 'open', 'half-open', 'trying']) {
      expect(seen.get(key)).toBeGreaterThan(100);
    }
  });
});
