import type { Transition } from '../gateway/protect/breaker.ts';
import type { Instance } from '../instances/instance.ts';
import type { NewsEntry } from './observatory.ts';

/** An instance's state has changed. */
export function stateNews({ name, state, stateDetail }: Instance): NewsEntry {
  const good = state === 'healthy' || state === 'unknown';
  const why = stateDetail === undefined ? '' : `: ${stateDetail}`;
  return {
    kind: 'instance',
    level: good ? 'info' : 'warn',
    instance: name,
    message: `instance ${name} is ${state}${why}`,
  };
}

/** An instance's circuit breaker has changed its state. */
export function breakerNews({ name }: Instance, { at, to, reason }: Transition): NewsEntry {
  return {
    at: Date.now() - (performance.now() - at),
    kind: 'breaker',
    level: to === 'open' ? 'warn' : 'info',
    instance: name,
    message: `circuit breaker of ${name} is ${to}: ${reason}`,
  };
}
