import { OPERATIONS, SERVICES } from '../../service.ts';
import type { CallSeries } from '../series.ts';
import type { RunningCall } from '../status.ts';
import type { Labels, Metric, Reading } from './metric.ts';

/** `backend` is the instance: Prometheus has `instance` for the servers that it asks. */
const SERIES = ['service', 'model', 'backend'] as const;
const PHASES = [
  'reading',
  'queued',
  'connecting',
  'waiting',
  'answering',
] as const satisfies readonly RunningCall['phase'][];

/** Of the calls that clients make. */
export const CALL_METRICS = {
  jairouter_requests_total: {
    type: 'counter',
    help: 'Calls that are over.',
    labels: [...SERIES, 'outcome'],
    read: (reading) =>
      ofSeries(reading, ({ counts }) => [
        [{ outcome: 'ok' }, counts.ok],
        [{ outcome: 'error' }, counts.failed],
        [{ outcome: 'broken' }, counts.broken],
        [{ outcome: 'aborted' }, counts.aborted],
      ]),
  },
  jairouter_errors_total: {
    type: 'counter',
    help: 'Calls that failed or broke off, by the code of our error or the status of the backend.',
    labels: ['service', 'code'],
    *read({ observe }) {
      for (const [service, { errors }] of observe.statistics.services)
        for (const [code, count] of errors) yield [{ service, code }, count];
    },
  },
  jairouter_request_duration_seconds: {
    type: 'histogram',
    help: 'Good calls, from their arrival to the end of the answer.',
    labels: SERIES,
    read: (reading) => ofSeries(reading, ({ times }) => [[{}, times.duration]]),
  },
  jairouter_time_to_first_byte_seconds: {
    type: 'histogram',
    help: 'Good calls, from their arrival to the first byte of the answer.',
    labels: SERIES,
    read: (reading) => ofSeries(reading, ({ times }) => [[{}, times.firstByte]]),
  },
  jairouter_wait_seconds: {
    type: 'histogram',
    help: 'Calls that had to wait for room, a limit, a model or an instance, by how long.',
    labels: ['service'],
    *read({ observe }) {
      for (const [service, { waits }] of observe.statistics.services) yield [{ service }, waits];
    },
  },
  jairouter_tokens_total: {
    type: 'counter',
    help: 'Tokens, as backends counted them.',
    labels: [...SERIES, 'direction'],
    read: (reading) =>
      ofSeries(reading, ({ counts }) => [
        [{ direction: 'input' }, counts.tokensIn],
        [{ direction: 'output' }, counts.tokensOut],
      ]),
  },
  jairouter_guessed_tokens_total: {
    type: 'counter',
    help: 'Output tokens that no backend counted, guessed from the events of streams.',
    labels: SERIES,
    read: (reading) => ofSeries(reading, ({ counts }) => [[{}, counts.tokensGuessed]]),
  },
  jairouter_request_bytes_total: {
    type: 'counter',
    help: 'Bytes of the bodies that clients sent.',
    labels: SERIES,
    read: (reading) => ofSeries(reading, ({ counts }) => [[{}, counts.bytesIn]]),
  },
  jairouter_response_bytes_total: {
    type: 'counter',
    help: 'Bytes of the bodies that clients were sent.',
    labels: SERIES,
    read: (reading) => ofSeries(reading, ({ counts }) => [[{}, counts.bytesOut]]),
  },
  jairouter_rate_limit_refusals_total: {
    type: 'counter',
    help: 'Calls that a rate limit refused, by where the limit stands in the config.',
    labels: ['scope', 'name'],
    *read({ observe }) {
      for (const [place, count] of observe.statistics.refusals) {
        const [scope = '', ...name] = place.split(' ');
        yield [{ scope, name: name.join(' ') }, count];
      }
    },
  },
  jairouter_requests_in_flight: {
    type: 'gauge',
    help: 'Calls that are not over, by what they do now.',
    labels: ['phase'],
    *read({ status }) {
      for (const phase of PHASES)
        yield [{ phase }, status.running.filter((call) => call.phase === phase).length];
    },
  },
  jairouter_queue_length: {
    type: 'gauge',
    help: 'Calls that wait for room, a limit, a model or an instance.',
    labels: ['service'],
    *read({ status }) {
      const queued = status.running.filter(({ phase }) => phase === 'queued');
      for (const service of SERVICES) {
        const own = queued.filter(({ operation }) => OPERATIONS[operation].service === service);
        yield [{ service }, own.length];
      }
    },
  },
} as const satisfies Record<string, Metric>;

function* ofSeries<V>(
  { observe }: Reading,
  read: (series: CallSeries) => readonly (readonly [Labels, V])[],
): Generator<readonly [Labels, V]> {
  for (const [model, row] of observe.statistics.allModels()) {
    for (const series of row.series()) {
      const { service, instance } = series;
      for (const [labels, value] of read(series))
        yield [{ service, model, backend: instance, ...labels }, value];
    }
  }
}
