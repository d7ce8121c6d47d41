import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rendezvous } from '../../../src/gateway/balance/rendezvous.ts';
import { context, count, fleet, imbalance, member, type Member } from './fleet.ts';

const CLIENTS = Array.from({ length: 5000 }, (_, n) => `10.${n >> 8}.7.${n & 255}`);

function homes(members: readonly Member[], balancer = rendezvous()): Member[] {
  return CLIENTS.map((affinity) => balancer.pick(members, context({ affinity })));
}

describe('rendezvous hashing', () => {
  it('sends a client to the same instance, in whatever order the candidates come', () => {
    const members = fleet([1, 3, 2, 1, 1]);
    expect(homes(members.toReversed())).toEqual(homes(members));
  });

  it('sends a client to the same instance after a restart', () => {
    const members = fleet([1, 1, 1, 1]);
    const picks = ['127.0.0.1', '::1', 'alice', 'a chat'].map(
      (affinity) => rendezvous().pick(members, context({ affinity })).name,
    );
    expect(picks).toMatchInlineSnapshot(`
      [
        "i3",
        "i3",
        "i1",
        "i0",
      ]
    `);
  });

  it("moves only the leaver's clients", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(weights, fc.nat(), (shares, choice) => {
        const members = fleet(shares);
        const leaver = members[choice % members.length]!;
        const balancer = rendezvous();
        const before = homes(members, balancer);
        const after = homes(
          members.filter((each) => each !== leaver),
          balancer,
        );
        const moved = after.filter((home, client) => home !== before[client]);
        expect(moved.length).toBe(before.filter((home) => home === leaver).length);
        expect(after).not.toContain(leaver);
      }),
      { numRuns: 15 },
    );
  });

  it("shares the leaver's clients out by weight", () => {
    const members = fleet([4, 1, 2, 3]);
    const before = homes(members);
    const after = homes(members.slice(1));
    const moved = after.filter((_, client) => before[client] === members[0]);
    expect(moved.length).toBeGreaterThan(1500);
    expect(imbalance(members.slice(1), count(moved))).toBeLessThan(0.15);
  });

  it('moves clients only towards a weight that grows, and only from one that shrinks', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(weights, fc.nat(), fc.integer({ min: 2, max: 5 }), (shares, choice, factor) => {
        const members = fleet(shares);
        const changed = members[choice % members.length]!;
        const balancer = rendezvous();
        const before = homes(members, balancer);
        changed.weight *= factor;
        const after = homes(members, balancer);
        const moved = after.filter((home, client) => home !== before[client]);
        expect(moved.filter((home) => home !== changed)).toEqual([]);
        changed.weight /= factor;
        expect(homes(members, balancer)).toEqual(before);
      }),
      { numRuns: 15 },
    );
  });

  it('spreads names and clients that hardly differ', () => {
    const members = Array.from({ length: 10 }, (_, n) => member(`gpu-${n}`));
    expect(imbalance(members, count(homes(members)))).toBeLessThan(0.15);
  });

  it('gives each of a thousand instances its clients', () => {
    const members = fleet(Array.from({ length: 1000 }, () => 1));
    const balancer = rendezvous();
    const picks = Array.from({ length: 20_000 }, (_, n) =>
      balancer.pick(members, context({ affinity: `client ${n}` })),
    );
    expect(count(picks).size).toBe(1000);
  });
});
