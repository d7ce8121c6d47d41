import type { Metric } from './metric.ts';

/** Of the server itself. */
export const SERVER_METRICS = {
  jairouter_info: {
    type: 'gauge',
    help: 'Always 1; its labels say what runs.',
    labels: ['version'],
    read: ({ status }) => [[{ version: status.version }, 1]],
  },
  jairouter_config_reloads_total: {
    type: 'counter',
    help: 'How often the config was loaded anew: applied, or refused as invalid.',
    labels: ['result'],
    read: ({ observe }) => Object.entries(observe.reloads).map(([result, n]) => [{ result }, n]),
  },
  jairouter_config_valid: {
    type: 'gauge',
    help: 'Whether the config on disk is the one that is applied: 1 or 0.',
    labels: [],
    read: ({ status }) => [[{}, status.config.error ? 0 : 1]],
  },
  jairouter_config_applied_timestamp_seconds: {
    type: 'gauge',
    help: 'When the config was applied, in seconds since the epoch.',
    labels: [],
    read: ({ status }) => [[{}, status.config.appliedAt / 1000]],
  },
  process_start_time_seconds: {
    type: 'gauge',
    help: 'When the server started, in seconds since the epoch.',
    labels: [],
    read: ({ status }) => [[{}, status.startedAt / 1000]],
  },
  process_cpu_seconds_total: {
    type: 'counter',
    help: 'Time that the server has used of all processors together.',
    labels: [],
    read() {
      const { user, system } = process.cpuUsage();
      return [[{}, (user + system) / 1e6]];
    },
  },
  process_resident_memory_bytes: {
    type: 'gauge',
    help: 'Memory that the server has resident.',
    labels: [],
    read: () => [[{}, process.memoryUsage.rss()]],
  },
  nodejs_heap_size_used_bytes: {
    type: 'gauge',
    help: 'Memory that is in use on the heap of JavaScript.',
    labels: [],
    read: () => [[{}, process.memoryUsage().heapUsed]],
  },
} as const satisfies Record<string, Metric>;
