import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../../../src/gateway/protect/retry-budget.ts';

const failed = { breaker: 'failure', retry: 'elsewhere' } as const;
const refused = { breaker: 'none', retry: 'elsewhere' } as const;
const worked = { breaker: 'success', retry: 'never' } as const;
const on = (...names: readonly string[]) => names.map((name) => ({ instance: { name } }));

/** A budget that has seen all of these fail. */
function afterFailures(...names: readonly string[]): RetryBudget {
  const budget = new RetryBudget();
  for (const name of names) budget.learn(name, failed);
  return budget;
}

describe('retries', () => {
  it('go to the instances that work, as often as calls need them', () => {
    const budget = afterFailures('a', 'b');
    budget.learn('c', worked);
    for (let n = 0; n < 1000; n++) {
      expect(budget.retryOn(on('a', 'b', 'c'), 0)).toEqual(on('c'));
    }
  });

  it('may try what has not been tried', () => {
    const budget = afterFailures('a');
    for (let n = 0; n < 1000; n++) expect(budget.retryOn(on('a', 'new'), 0)).toEqual(on('new'));
  });

  it('go to nobody when there is nobody, which costs nothing', () => {
    const budget = afterFailures('a');
    for (let n = 0; n < 100; n++) expect(budget.retryOn([], 0)).toEqual([]);
    expect(budget.retryOn(on('a'), 0)).toEqual(on('a'));
  });

  it('are ten in ten seconds for a quiet machine whose instances all fail', () => {
    const budget = afterFailures('a', 'b');
    const made = Array.from({ length: 30 }, () => budget.retryOn(on('a', 'b'), 0).length > 0);
    expect(made.filter(Boolean)).toHaveLength(10);
    expect(budget.retryOn(on('a'), 8999)).toEqual([]);
    expect(budget.retryOn(on('a'), 10_000)).toEqual(on('a'));
  });

  it('are a fifth of a busy one’s calls, those that were free included', () => {
    const budget = new RetryBudget();
    let retries = 0;
    for (let n = 0; n < 1000; n++) {
      budget.call(n);
      // Each call finds two instances, the first of which fails, and after it the second.
      budget.learn('a', failed);
      if (budget.retryOn(on('b'), n).length > 0) retries += 1;
      budget.learn('b', failed);
    }
    expect(retries).toBe(200);
  });

  it('learn from a refusal as from a failure, and nothing from a bad request', () => {
    const budget = new RetryBudget();
    budget.learn('a', refused);
    budget.learn('b', worked);
    budget.learn('b', { breaker: 'none', retry: 'never' });
    expect(budget.retryOn(on('a', 'b'), 0)).toEqual(on('b'));
    budget.learn('a', { breaker: 'none', retry: 'never' });
    expect(budget.retryOn(on('a', 'b'), 0)).toEqual(on('b'));
    budget.learn('a', worked);
    expect(budget.retryOn(on('a', 'b'), 0)).toEqual(on('a', 'b'));
  });

  it('take an instance that has gone and come back for a new one', () => {
    const budget = afterFailures('a', 'b');
    budget.forget('a');
    expect(budget.retryOn(on('a', 'b'), 0)).toEqual(on('a'));
  });
});

it('with everything down, no ten seconds see more retries than a fifth of 20 s of calls, or ten', () => {
  const events = fc.array(
    fc.record({
      gap: fc.oneof(fc.constant(0), fc.nat(20), fc.nat(3000)),
      call: fc.boolean(),
      times: fc.integer({ min: 1, max: 40 }),
    }),
    { maxLength: 150 },
  );
  fc.assert(
    fc.property(events, (moves) => {
      const budget = afterFailures('a', 'b', 'c');
      const calls: number[] = [];
      const retries: number[] = [];
      let now = 0;
      for (const { gap, call, times } of moves) {
        now += gap;
        for (let n = 0; n < times; n++) {
          if (call) {
            budget.call(now);
            calls.push(now);
          } else if (budget.retryOn(on('a', 'b', 'c'), now).length > 0) retries.push(now);
        }
      }
      // Nine seconds are what a window always covers.
      for (const end of retries) {
        const made = retries.filter((then) => then > end - 9000 && then <= end).length;
        const served = calls.filter((then) => then > end - 20_000 && then <= end).length;
        expect(made).toBeLessThanOrEqual(Math.max(10, 0.2 * served));
      }
      // And in the long run.
      const windows = Math.floor(now / 9000) + 1;
      expect(retries.length).toBeLessThanOrEqual(0.2 * calls.length + 10 * windows);
    }),
  );
});
