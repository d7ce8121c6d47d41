import { describe, expect, it } from 'vitest';
import { leastConnections } from '../../../src/gateway/balance/least-connections.ts';
import { context, count, fleet, member } from './fleet.ts';

describe('least-connections', () => {
  it('picks the one with the least in flight for its weight', () => {
    const [a, b, c] = [member('a', 1), member('b', 4), member('c', 2)];
    Object.assign(a, { inFlight: 1 });
    Object.assign(b, { inFlight: 3 });
    Object.assign(c, { inFlight: 2 });
    expect(leastConnections().pick([a, b, c], context())).toBe(b);
  });

  it('rotates among equals', () => {
    const members = fleet([1, 1, 1]);
    const balancer = leastConnections();
    const picks = Array.from({ length: 6 }, () => balancer.pick(members, context()).name);
    expect(picks).toEqual(['i0', 'i1', 'i2', 'i0', 'i1', 'i2']);
  });

  it('honours weights among equally loaded ones', () => {
    const members = [member('a', 3), member('b', 1), member('busy', 9)];
    members[2]!.inFlight = 90;
    const balancer = leastConnections();
    const counts = count(Array.from({ length: 400 }, () => balancer.pick(members, context())));
    expect(counts).toEqual(
      new Map([
        ['a', 300],
        ['b', 100],
      ]),
    );
  });

  it('leaves a slow instance alone and then does not flood it for what it missed', () => {
    const members = [member('a'), member('b')];
    const balancer = leastConnections();
    members[1]!.inFlight = 5;
    for (let turn = 0; turn < 1000; turn++)
      expect(balancer.pick(members, context()).name).toBe('a');
    members[1]!.inFlight = 0;
    const counts = count(Array.from({ length: 10 }, () => balancer.pick(members, context())));
    expect(counts.get('b')).toBe(5);
  });
});
