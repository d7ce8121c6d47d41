import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Strategy } from '../../../src/config/options/service.ts';
import type { Balancer } from '../../../src/gateway/balance/balancer.ts';
import { BALANCERS } from '../../../src/gateway/balance/index.ts';
import { context, count, die, fleet, type Member } from './fleet.ts';

const STRATEGIES = Object.keys(BALANCERS) as Strategy[];
const DRAWN: readonly Strategy[] = ['random', 'latency'];
const SETTLED = STRATEGIES.filter((strategy) => !DRAWN.includes(strategy));

/** One call: which of the members are candidates, from where, and what has moved before it. */
const call = fc.record({
  present: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
  affinity: fc.string(),
  inFlight: fc.array(fc.nat(3), { minLength: 6, maxLength: 6 }),
  measured: fc.array(fc.constantFrom(0, 50, 100, 400), { minLength: 6, maxLength: 6 }),
});
const calls = fc.array(call, { minLength: 1, maxLength: 30 });
type Calls = typeof calls extends fc.Arbitrary<infer Sequence> ? Sequence : never;
const weights = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 6, maxLength: 6 });

function* candidatesOf(members: readonly Member[], sequence: Calls) {
  for (const { present, affinity, inFlight, measured } of sequence) {
    for (const [index, member] of members.entries()) {
      member.inFlight = inFlight[index]!;
      member.measured = measured[index]!;
    }
    const candidates = members.filter((_, index) => present[index]);
    yield { candidates: candidates.length > 0 ? candidates : members, affinity };
  }
}

describe.each(STRATEGIES)('the ranking of %s', (strategy) => {
  it('moves nothing, however often it is asked for', () => {
    fc.assert(
      fc.property(weights, calls, (shares, sequence) => {
        const picks = (balancer: Balancer, looks: number): string[] => {
          const random = die(3);
          return [...candidatesOf(fleet(shares), sequence)].map(({ candidates, affinity }) => {
            for (let look = 0; look < looks; look++)
              balancer.rank(candidates, { now: 0, affinity });
            return balancer.pick(candidates, context({ random, affinity })).name;
          });
        };
        expect(picks(BALANCERS[strategy](), 3)).toEqual(picks(BALANCERS[strategy](), 0));
      }),
    );
  });

  it('gives chances that add up to 1', () => {
    fc.assert(
      fc.property(weights, calls, (shares, sequence) => {
        const balancer = BALANCERS[strategy]();
        for (const { candidates, affinity } of candidatesOf(fleet(shares), sequence)) {
          const standings = balancer.rank(candidates, { now: 0, affinity });
          expect(standings).toHaveLength(candidates.length);
          const total = standings.reduce((sum, { chance }) => sum + chance, 0);
          expect(total).toBeCloseTo(1, 9);
          balancer.pick(candidates, context({ affinity }));
        }
      }),
    );
  });
});

describe.each(DRAWN)('the ranking of %s', (strategy) => {
  it('tells how often each is picked', () => {
    const members = fleet([1, 3, 2, 4]);
    for (const [index, member] of members.entries()) {
      member.measured = [100, 30, 0, 400][index]!;
      member.inFlight = index;
    }
    const balancer = BALANCERS[strategy]();
    const standings = balancer.rank(members, { now: 0, affinity: '' });
    const random = die(5);
    const counts = count(
      Array.from({ length: 40_000 }, () => balancer.pick(members, context({ random }))),
    );
    for (const [index, { name }] of members.entries()) {
      expect((counts.get(name) ?? 0) / 40_000).toBeCloseTo(standings[index]!.chance, 2);
    }
  });
});

describe.each(SETTLED)('the ranking of %s', (strategy) => {
  it('names the one that is picked next', () => {
    fc.assert(
      fc.property(weights, calls, (shares, sequence) => {
        const balancer = BALANCERS[strategy]();
        for (const { candidates, affinity } of candidatesOf(fleet(shares), sequence)) {
          const standings = balancer.rank(candidates, { now: 0, affinity });
          const next = standings.findIndex(({ chance }) => chance === 1);
          expect(balancer.pick(candidates, context({ affinity })).name).toBe(
            candidates[next]!.name,
          );
        }
      }),
    );
  });
});
