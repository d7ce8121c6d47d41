import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Strategy } from '../../../src/config/options/service.ts';
import { BALANCERS } from '../../../src/gateway/balance/index.ts';
import { context, count, die, fleet, imbalance, type Member } from './fleet.ts';

const PICKS = 100_000;
const STRATEGIES = Object.keys(BALANCERS) as Strategy[];
const weights = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 6 });

/** Picks with this many calls in flight; which of them ends before each pick is the die's choice. */
function pickUnderLoad(strategy: Strategy, members: Member[], concurrency: number): Member[] {
  const balancer = BALANCERS[strategy]();
  const random = die(7);
  const running: Member[] = [];
  const picks: Member[] = [];
  for (let n = 0; n < PICKS; n++) {
    if (running.length >= concurrency) {
      const index = Math.floor(random() * running.length);
      running[index]!.inFlight--;
      running[index] = running.at(-1)!;
      running.pop();
    }
    const picked = balancer.pick(
      members,
      context({ random, affinity: `10.0.${n >> 8}.${n & 255}` }),
    );
    picked.inFlight++;
    running.push(picked);
    picks.push(picked);
  }
  return picks;
}

describe.each(STRATEGIES)('%s', (strategy) => {
  it('shares 100,000 picks out by weight while calls are in flight', () => {
    fc.assert(
      fc.property(weights, (shares) => {
        const members = fleet(shares);
        const picks = pickUnderLoad(strategy, members, 200);
        expect(imbalance(members, count(picks))).toBeLessThan(0.1);
      }),
      { numRuns: 8, seed: 4747 },
    );
  });

  it('picks one of the candidates, whatever they are', () => {
    const candidate = fc.record({
      id: fc.integer({ min: 0, max: 20 }),
      weight: fc.double({ min: 0.001, max: 1000, noNaN: true }),
      inFlight: fc.nat(50),
      measured: fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 1e6, noNaN: true })),
    });
    const calls = fc.array(fc.uniqueArray(candidate, { selector: ({ id }) => id, minLength: 1 }));
    fc.assert(
      fc.property(calls, fc.integer(), fc.string(), (sets, seed, affinity) => {
        const balancer = BALANCERS[strategy]();
        const random = die(seed);
        for (const set of sets) {
          const members = set.map(({ id, ...numbers }) =>
            Object.assign(fleet([1])[0]!, { name: `i${id}` }, numbers),
          );
          expect(members).toContain(balancer.pick(members, context({ random, affinity })));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('gives a die that falls on its edges no way past the end', () => {
    const members = fleet([0.1, 0.2, 0.3]);
    for (const edge of [0, 1 - Number.EPSILON / 2]) {
      const random = () => edge;
      expect(members).toContain(BALANCERS[strategy]().pick(members, context({ random })));
    }
  });

  it('starts each balancer afresh', () => {
    const members = fleet([1, 1, 1]);
    const first = () => BALANCERS[strategy]().pick(members, context());
    expect(first()).toBe(first());
  });
});

describe.each([
  'random',
  'round-robin',
  'least-connections',
  'ip-hash',
  'consistent-hash',
] as const)('%s', (strategy) => {
  it('shares out by weight among idle instances too', () => {
    const members = fleet([1, 2, 3, 10]);
    const balancer = BALANCERS[strategy]();
    const random = die(3);
    const picks = Array.from({ length: PICKS }, (_, n) =>
      balancer.pick(members, context({ random, affinity: `client-${n}` })),
    );
    expect(imbalance(members, count(picks))).toBeLessThan(0.05);
  });
});
