import { describe, expect, it } from 'vitest';
import { latency } from '../../../src/gateway/balance/latency.ts';
import { context, count, die, fleet, type Member } from './fleet.ts';

function picks(members: readonly Member[], times: number) {
  const balancer = latency();
  const random = die(5);
  return count(Array.from({ length: times }, () => balancer.pick(members, context({ random }))));
}

describe('latency', () => {
  it('takes the quicker of two', () => {
    const [quick, slow] = fleet([1, 1]) as [Member, Member];
    quick.measured = 80;
    slow.measured = 200;
    expect(picks([slow, quick], 100)).toEqual(new Map([['i0', 100]]));
  });

  it('takes the slower one when the quicker has too much to do', () => {
    const [quick, slow] = fleet([1, 1]) as [Member, Member];
    quick.measured = 80;
    quick.inFlight = 2;
    slow.measured = 200;
    expect(picks([quick, slow], 100)).toEqual(new Map([['i1', 100]]));
  });

  it('expects more of a heavier one', () => {
    const [light, heavy] = fleet([1, 4]) as [Member, Member];
    light.inFlight = 1;
    heavy.inFlight = 5;
    expect(picks([light, heavy], 100)).toEqual(new Map([['i1', 100]]));
  });

  it('tries one that was never measured, with one call', () => {
    const members = fleet([1, 1]);
    members[0]!.measured = 1;
    members[1]!.measured = 0;
    expect(picks(members, 100)).toEqual(new Map([['i1', 100]]));
    members[1]!.inFlight = 1;
    expect(picks(members, 100)).toEqual(new Map([['i0', 100]]));
  });

  it('tries all when none was ever measured', () => {
    const members = fleet(Array.from({ length: 20 }, () => 1));
    for (const each of members) each.measured = 0;
    const balancer = latency();
    const random = die(5);
    for (let call = 0; call < 200; call++) balancer.pick(members, context({ random })).inFlight++;
    expect(members.filter(({ inFlight }) => inFlight === 0)).toEqual([]);
  });

  it('leaves the worst of many alone, and no crowd runs to the best', () => {
    const members = fleet(Array.from({ length: 10 }, () => 1));
    members.forEach((each, index) => (each.measured = 100 + index));
    const counts = picks(members, 10_000);
    expect(counts.get('i9')).toBeUndefined();
    // Two of ten are drawn: the best one is among them in a fifth of the calls.
    expect(counts.get('i0')).toBeLessThan(2300);
  });
});
