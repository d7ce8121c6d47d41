import { INSTANCE_STATES } from '../../gateway/directory.ts';
import type { BreakerStatus, InstanceStatus } from '../status.ts';
import type { Metric, Reading, Value } from './metric.ts';

const BREAKER_STATES = [
  'closed',
  'open',
  'half-open',
  'forced-open',
  'forced-closed',
] as const satisfies readonly BreakerStatus['state'][];

/** Of the instances, and of the attempts on them. */
export const INSTANCE_METRICS = {
  jairouter_attempts_total: {
    type: 'counter',
    help: 'Attempts on an instance that are over, by why they were made and how they ended.',
    labels: ['backend', 'reason', 'outcome'],
    *read({ observe }) {
      for (const [backend, { series }] of observe.statistics.instances())
        for (const { reason, ending, count } of series?.ends() ?? [])
          yield [{ backend, reason, outcome: ending }, count];
    },
  },
  jairouter_attempt_errors_total: {
    type: 'counter',
    help: 'Attempts that failed or broke off, by the code of our error or the status of the backend.',
    labels: ['backend', 'code'],
    *read({ status }) {
      for (const { name: backend, totals } of status.instances)
        for (const [code, count] of Object.entries(totals.errors)) yield [{ backend, code }, count];
    },
  },
  jairouter_attempt_duration_seconds: {
    type: 'histogram',
    help: 'Good attempts, from their beginning to the end of the answer.',
    labels: ['backend'],
    *read({ observe }) {
      for (const [backend, { series }] of observe.statistics.instances())
        if (series) yield [{ backend }, series.times.duration];
    },
  },
  jairouter_attempt_first_byte_seconds: {
    type: 'histogram',
    help: 'Good attempts, from their beginning to the first byte of the answer.',
    labels: ['backend'],
    *read({ observe }) {
      for (const [backend, { series }] of observe.statistics.instances())
        if (series) yield [{ backend }, series.times.firstByte];
    },
  },
  jairouter_instance_up: {
    type: 'gauge',
    help: 'Whether the instance is healthy: 1 or 0.',
    labels: ['backend'],
    read: (reading) => ofInstances(reading, ({ state }) => flag(state === 'healthy')),
  },
  jairouter_instance_state: {
    type: 'gauge',
    help: 'The state of an instance: 1 for the one it is in, 0 for the others.',
    labels: ['backend', 'state'],
    *read({ status }) {
      for (const { name: backend, state: now } of status.instances)
        for (const state of INSTANCE_STATES) yield [{ backend, state }, flag(state === now)];
    },
  },
  jairouter_instance_in_flight: {
    type: 'gauge',
    help: 'Attempts that run on the instance.',
    labels: ['backend'],
    read: (reading) => ofInstances(reading, ({ inFlight }) => inFlight),
  },
  jairouter_instance_max_concurrency: {
    type: 'gauge',
    help: 'Attempts that may run on the instance at once; absent without a limit.',
    labels: ['backend'],
    read: (reading) => ofInstances(reading, ({ maxConcurrency }) => maxConcurrency),
  },
  jairouter_instance_queue_length: {
    type: 'gauge',
    help: 'Calls that wait for room on the instance, or on it among others.',
    labels: ['backend'],
    read: (reading) => ofInstances(reading, ({ queued }) => queued),
  },
  jairouter_instance_connections: {
    type: 'gauge',
    help: 'Connections to the instance that are open, in use or idle.',
    labels: ['backend'],
    read: (reading) => ofInstances(reading, ({ connections }) => connections),
  },
  jairouter_instance_models: {
    type: 'gauge',
    help: 'Models in the catalogue of the instance.',
    labels: ['backend'],
    read: (reading) => ofInstances(reading, ({ models }) => models),
  },
  jairouter_instance_resting: {
    type: 'gauge',
    help: 'Whether the instance has asked to be left alone for a while: 1 or 0.',
    labels: ['backend'],
    read: (reading) => ofInstances(reading, ({ restsUntil }) => flag(restsUntil !== undefined)),
  },
  jairouter_breaker_state: {
    type: 'gauge',
    help: 'The state of the circuit breaker of an instance: 1 for the one it is in, 0 for the others.',
    labels: ['backend', 'state'],
    *read({ status }) {
      for (const { name: backend, breaker } of status.instances)
        for (const state of BREAKER_STATES)
          yield [{ backend, state }, flag(state === breaker.state)];
    },
  },
  jairouter_breaker_transitions_total: {
    type: 'counter',
    help: 'How often the circuit breaker of an instance came into a state.',
    labels: ['backend', 'state'],
    *read({ observe }) {
      for (const [backend, { transitions }] of observe.statistics.instances())
        for (const [state, count] of transitions) yield [{ backend, state }, count];
    },
  },
} as const satisfies Record<string, Metric>;

function* ofInstances(
  { status }: Reading,
  read: (instance: InstanceStatus) => number | undefined,
): Generator<Value> {
  for (const instance of status.instances) {
    const value = read(instance);
    if (value !== undefined) yield [{ backend: instance.name }, value];
  }
}

function flag(holds: boolean): number {
  return holds ? 1 : 0;
}
