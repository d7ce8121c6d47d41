import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundRobin } from '../../../src/gateway/balance/round-robin.ts';
import { context, count, fleet, member } from './fleet.ts';

const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 });
const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);

describe('round-robin', () => {
  it('goes the round that nginx goes', () => {
    const members = [member('a', 5), member('b'), member('c')];
    const balancer = roundRobin();
    const round = Array.from({ length: 14 }, () => balancer.pick(members, context()).name);
    expect(round.join('')).toBe('aabacaaaabacaa');
  });

  it('gives each instance exactly its weight in every round', () => {
    fc.assert(
      fc.property(weights, (shares) => {
        const members = fleet(shares);
        const balancer = roundRobin();
        for (let round = 0; round < 3; round++) {
          const picks = Array.from({ length: sum(shares) }, () =>
            balancer.pick(members, context()),
          );
          const counts = count(picks);
          expect(members.map(({ name }) => counts.get(name))).toEqual(shares);
        }
      }),
    );
  });

  it('never lets one wait twice as long as its share', () => {
    fc.assert(
      fc.property(weights, (shares) => {
        const total = sum(shares);
        const members = fleet(shares);
        const balancer = roundRobin();
        const last = new Map(members.map(({ name }) => [name, -1]));
        for (let turn = 0; turn < 3 * total; turn++) {
          const { name, weight } = balancer.pick(members, context());
          expect(turn - last.get(name)!).toBeLessThan(2 * Math.ceil(total / weight));
          last.set(name, turn);
        }
      }),
    );
  });

  it('lets equals wait for each other exactly once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), (size) => {
        const members = fleet(Array.from({ length: size }, () => 3));
        const balancer = roundRobin();
        const picks = Array.from({ length: 4 * size }, () => balancer.pick(members, context()));
        for (let turn = size; turn < picks.length; turn++)
          expect(picks[turn]).toBe(picks[turn - size]);
        expect(new Set(picks.slice(0, size)).size).toBe(size);
      }),
    );
  });

  it('stays fair to the others when one leaves and returns', () => {
    const [a, b, c] = [member('a'), member('b'), member('c')];
    const balancer = roundRobin();
    const picks = Array.from({ length: 3000 }, (_, turn) =>
      balancer.pick(turn % 1000 < 500 ? [a, b, c] : [a, b], context()),
    );
    const counts = count(picks);
    expect(Math.abs(counts.get('a')! - counts.get('b')!)).toBeLessThanOrEqual(2);
    expect(Math.abs(counts.get('c')! - 500)).toBeLessThanOrEqual(2);
  });

  it('does not flood one that comes back after a long time', () => {
    const [a, b] = [member('a'), member('b')];
    const balancer = roundRobin();
    balancer.pick([a, b], context());
    for (let turn = 0; turn < 10_000; turn++) balancer.pick([a], context());
    const counts = count(Array.from({ length: 10 }, () => balancer.pick([a, b], context())));
    expect(counts.get('a')).toBe(5);
  });

  it('shares out among whichever candidates each call has, in whatever order', () => {
    const [a, b, c] = [member('a', 2), member('b', 1), member('c', 1)];
    const sets = [
      [a, b],
      [c, a],
      [b, c],
      [b, a, c],
    ];
    const balancer = roundRobin();
    const picks = Array.from({ length: 12_000 }, (_, turn) =>
      balancer.pick(sets[turn % sets.length]!, context()),
    );
    const counts = count(picks);
    // Each call's share by weight: a: 2/3 + 2/3 + 1/2, b: 1/3 + 1/2 + 1/4, c: the same as b.
    expect(counts.get('a')! / 3000).toBeCloseTo(11 / 6, 2);
    expect(counts.get('b')! / 3000).toBeCloseTo(13 / 12, 2);
    expect(counts.get('c')! / 3000).toBeCloseTo(13 / 12, 2);
  });

  it('follows a weight that changes on the way', () => {
    const [a, b] = [member('a', 1), member('b', 1)];
    const balancer = roundRobin();
    for (let turn = 0; turn < 101; turn++) balancer.pick([a, b], context());
    a.weight = 3;
    const counts = count(Array.from({ length: 4000 }, () => balancer.pick([a, b], context())));
    expect(Math.abs(counts.get('a')! - 3000)).toBeLessThanOrEqual(2);
  });
});
