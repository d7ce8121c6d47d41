import type { BreakerState } from '../gateway/protect/breaker.ts';
import type { Instance } from '../instances/instance.ts';
import { known } from '../observe/known.ts';
import type { BreakerStatus, InstanceDetail, InstanceStatus } from '../observe/status.ts';
import { Tally } from '../observe/tally.ts';
import { OPERATIONS, SERVICES, type Operation, type Service } from '../service.ts';
import type { Gateway } from './gateway.ts';
import { configOf } from './instance-config.ts';
import { runningCall, tokenFlow, withFlow, type TokenFlow } from './running.ts';

/** What all instances are looked at with. */
export interface Look {
  readonly gateway: Gateway;
  /** On the clock of `performance.now()`. */
  readonly now: number;
  /** What still streams. */
  readonly flow: TokenFlow;
  /** Calls that wait for an instance, by its name. */
  readonly waiting: ReadonlyMap<string, number>;
}

/** All instances, in the order of the config. */
export function readInstances(gateway: Gateway): InstanceStatus[] {
  const look = lookAt(gateway);
  return [...gateway.fleet.instances()].map((instance) => instanceStatus(instance, look));
}

/** @returns One instance with all that is known of it; `undefined` when there is none of this name. */
export function readInstance(gateway: Gateway, name: string): InstanceDetail | undefined {
  const instance = gateway.fleet.directory.instances.get(name);
  if (!instance) return undefined;
  const look = lookAt(gateway);
  const row = gateway.observe.statistics.instance(name);
  const { catalogue, breaker } = instance;
  const entries = new Map([...catalogue.models.values()].map((entry) => [entry.id, entry]));
  return {
    ...instanceStatus(instance, look),
    catalogue: [...entries.values()].map(
      ({ id, aliases = [], services = servicesOf(instance), loaded, contextLength }) =>
        known({ id, aliases, services, loaded, contextLength }),
    ),
    wildcards: catalogue.wildcards,
    operations: operationsOf(instance),
    // They are noted when their call is over.
    lastErrors: (row?.lastErrors ?? []).toSorted((a, b) => b.at - a.at),
    histogram: row?.tally.histogram(look.now) ?? [],
    breakerHistory: breaker.view(look.now).history.map((transition) => ({
      state: breakerState(transition.to, transition.forced ?? false),
      since: epoch(transition.at),
      reason: transition.reason,
    })),
    config: configOf(instance, { services: servicesOf(instance), gateway }),
  };
}

export function instanceStatus(
  instance: Instance,
  { gateway, now, flow, waiting }: Look,
): InstanceStatus {
  const { name, catalogue, nextLook, slots } = instance;
  const tally = gateway.observe.statistics.instance(name)?.tally ?? new Tally();
  const rest = instance.cooling.rest(now);
  const models = [...catalogue.models.values()];
  const tellsLoaded = models.some(({ loaded }) => loaded !== undefined);
  const loaded = models.filter((model) => model.loaded).map(({ id }) => id);
  return known({
    name,
    adapter: instance.adapter.name,
    baseUrl: instance.connections.address,
    state: instance.state,
    stateDetail: instance.stateDetail,
    stateSince: instance.stateSince,
    nextLookAt: nextLook === undefined ? undefined : epoch(nextLook),
    version: instance.version,
    breaker: breakerStatus(instance, now),
    restsUntil: rest && epoch(rest.until),
    inFlight: instance.inFlight,
    maxConcurrency: slots.limit,
    queued: waiting.get(name) ?? 0,
    weight: instance.weight,
    priority: instance.priority,
    services: servicesOf(instance),
    models: new Set(models.map(({ id }) => id)).size,
    loaded: tellsLoaded ? [...new Set(loaded)] : undefined,
    connections: instance.connections.count,
    totals: tally.totals(),
    recent: withFlow(tally.recent(now), flow.instances.get(name)),
  });
}

function lookAt(gateway: Gateway): Look {
  return {
    gateway,
    now: performance.now(),
    flow: tokenFlow([...gateway.calls].map(runningCall), Date.now()),
    waiting: gateway.fleet.queue.waitingFor(),
  };
}

function breakerStatus({ breaker, createdAt }: Instance, now: number): BreakerStatus {
  const { state, forced, triesAgainAt, history } = breaker.view(now);
  const last = history.at(-1);
  return known({
    state: breakerState(state, forced),
    since: last ? epoch(last.at) : createdAt,
    triesAgainAt: triesAgainAt === undefined ? undefined : epoch(triesAgainAt),
    reason: last?.reason,
  });
}

function breakerState(state: BreakerState, forced: boolean): BreakerStatus['state'] {
  return forced && state !== 'half-open' ? `forced-${state}` : state;
}

function operationsOf(instance: Instance): Operation[] {
  return (Object.keys(OPERATIONS) as Operation[]).filter((one) => instance.supports(one));
}

export function servicesOf(instance: Instance): Service[] {
  const offered = new Set(operationsOf(instance).map((one) => OPERATIONS[one].service));
  return SERVICES.filter((service) => offered.has(service));
}

/** A time of `performance.now()`'s clock as milliseconds since the epoch. */
function epoch(at: number): number {
  return Math.round(Date.now() + at - performance.now());
}
