import type { Strategy } from '../../config/options/service.ts';
import type { Balancer } from './balancer.ts';
import { latency } from './latency.ts';
import { leastConnections } from './least-connections.ts';
import { random } from './random.ts';
import { rendezvous } from './rendezvous.ts';
import { roundRobin } from './round-robin.ts';

/**
 * Every strategy of `loadBalance`. Each entry makes a balancer with a fresh state; the two hashes
 * differ in what the caller passes as affinity: the client's address, or what `key:` chooses.
 */
export const BALANCERS = {
  random,
  'round-robin': roundRobin,
  'least-connections': leastConnections,
  'ip-hash': rendezvous,
  'consistent-hash': rendezvous,
  latency,
} satisfies Record<Strategy, () => Balancer>;
