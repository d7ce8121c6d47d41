import type { CircuitBreakerInput, RateLimitInput } from './imported.ts';
import { STRATEGIES, type Strategy } from '../options/service.ts';
import type { Section } from './section.ts';

/** @returns The strategy of a service, or of all of them. */
export function strategyOf(owner: Section): Strategy | undefined {
  const loadBalance = owner.section('loadBalance');
  const type = loadBalance.text('type')?.toLowerCase();
  const strategy = STRATEGIES.find((name) => name === type);
  if (type !== undefined && !strategy)
    loadBalance.leave('type', `it must be one of ${STRATEGIES.join(', ')}`);
  loadBalance.leaveRest({}, 'clients are spread by a hash of its own');
  return strategy;
}

const ALGORITHMS = [
  'token-bucket',
  'leaky-bucket',
  'sliding-window',
  'fixed-window',
  'warm-up',
] as const;

/** What has a count of its own, by its `scope`; a service's own scopes need no word. */
const SCOPES: Readonly<Record<string, 'ip' | 'model' | 'instance'>> = {
  'client-ip': 'ip',
  model: 'model',
  instance: 'instance',
};

/** @returns The limit of a service, an instance or of everything; `undefined` when it is off. */
export function rateLimitOf(section: Section, isInstance = false): RateLimitInput | undefined {
  const enabled = section.flag('enabled');
  const count = section.amount('rate');
  const capacity = section.amount('capacity');
  const given = section.text('algorithm')?.toLowerCase();
  const algorithm = ALGORITHMS.find((name) => name === given);
  const scope = section.text('scope')?.toLowerCase() ?? '';
  if (enabled === false || count === undefined) return undefined;
  if (given !== undefined && !algorithm) section.leave('algorithm', 'it is a `token-bucket` here');
  const isWindow = algorithm === 'sliding-window' || algorithm === 'fixed-window';
  if (isWindow && capacity !== undefined)
    section.leave('capacity', 'a window admits its `rate` and no more');
  if (section.flag('clientIpEnable') && scope !== 'client-ip') {
    section.leave(
      'clientIpEnable',
      'the limit counts all clients together; `per: ip` in its place counts each for itself',
    );
  }
  section.leaveRest({}, 'there is no such option of a limit here');
  const per = isInstance ? undefined : SCOPES[scope];
  return {
    ...(algorithm && algorithm !== 'token-bucket' && { algorithm }),
    rate: `${count}/s`,
    ...(capacity !== undefined && !isWindow && { capacity }),
    ...(per && { per }),
  };
}

/** @returns The breaker's settings; `undefined` when there are none. */
export function breakerOf(section: Section): CircuitBreakerInput | undefined {
  if (section.flag('enabled') === false) {
    section.leave('enabled', "a breaker can't be turned off; `failureThreshold` can be raised");
    return undefined;
  }
  const failureThreshold = section.whole('failureThreshold');
  const openFor = section.duration('timeout', 1);
  const successThreshold = section.whole('successThreshold');
  section.leaveRest({}, 'there is no such option of a breaker here');
  const breaker: CircuitBreakerInput = {
    ...(failureThreshold !== undefined && { failureThreshold }),
    ...(openFor !== undefined && { openFor }),
    ...(successThreshold !== undefined && { successThreshold }),
  };
  return Object.keys(breaker).length > 0 ? breaker : undefined;
}
