import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { schema } from '../../src/config/schema.ts';
import { STRATEGIES } from '../../src/config/options/service.ts';
import {
  BUILT_IN,
  breakerFor,
  healthFor,
  serviceSettings,
  timeoutsFor,
  type Timeouts,
} from '../../src/config/settings.ts';
import { formatDuration } from '../../src/config/units.ts';

const duration = fc.integer({ min: 1, max: 3_600_000 });
/** Any of the options, each set or not. */
const timeouts = fc.record(
  {
    connect: duration,
    firstByte: duration,
    firstEvent: duration,
    idle: duration,
    total: duration,
    loading: duration,
  },
  { requiredKeys: [] },
);
const breaker = fc.record(
  { failureThreshold: fc.integer({ min: 1 }), trials: fc.integer({ min: 1 }) },
  { requiredKeys: [] },
);
const queue = fc.record({ size: fc.nat(), maxWait: duration }, { requiredKeys: [] });
const health = fc.record({ interval: duration, timeout: duration }, { requiredKeys: [] });
const written = (block: Record<string, number>): Record<string, string> =>
  Object.fromEntries(Object.entries(block).map(([key, ms]) => [key, formatDuration(ms)]));

describe('inheritance', () => {
  it('lets the nearest layer win that sets a time-out, option by option', () => {
    fc.assert(
      fc.property(timeouts, timeouts, timeouts, (defaults, service, instance) => {
        const config = schema.parse({
          defaults: { timeouts: written(defaults) },
          services: { chat: { timeouts: written(service) } },
          instances: { a: { adapter: 'x', timeouts: written(instance) } },
        });
        for (const key of Object.keys(BUILT_IN.timeouts) as (keyof Timeouts)[]) {
          const expected = instance[key] ?? service[key] ?? defaults[key] ?? BUILT_IN.timeouts[key];
          expect(timeoutsFor(config, 'chat', 'a')[key]).toBe(expected);
          // What another service and another instance say is not theirs.
          expect(timeoutsFor(config, 'rerank', 'b')[key]).toBe(
            defaults[key] ?? BUILT_IN.timeouts[key],
          );
        }
      }),
    );
  });

  it('layers health over the defaults', () => {
    fc.assert(
      fc.property(health, health, (defaults, instance) => {
        const config = schema.parse({
          defaults: { health: written(defaults) },
          instances: { a: { adapter: 'x', health: written(instance) } },
        });
        expect(healthFor(config, 'a')).toEqual({ ...BUILT_IN.health, ...defaults, ...instance });
      }),
    );
  });

  it('layers the circuit breaker over the defaults', () => {
    fc.assert(
      fc.property(breaker, breaker, duration, (defaults, instance, openFor) => {
        const config = schema.parse({
          defaults: { circuitBreaker: { ...defaults, ...written({ openFor }) } },
          instances: { a: { adapter: 'x', circuitBreaker: instance } },
        });
        const below = { ...BUILT_IN.circuitBreaker, ...defaults, openFor };
        expect(breakerFor(config, 'a')).toEqual({ ...below, ...instance });
        expect(breakerFor(config, 'b')).toEqual(below);
      }),
    );
  });

  it('layers the queue of a service over the defaults', () => {
    fc.assert(
      fc.property(queue, queue, (defaults, service) => {
        const input = ({ maxWait, ...rest }: typeof defaults) => ({
          ...rest,
          ...(maxWait !== undefined && written({ maxWait })),
        });
        const config = schema.parse({
          defaults: { queue: input(defaults) },
          services: { chat: { queue: input(service) } },
        });
        const below = { ...BUILT_IN.queue, ...defaults };
        expect(serviceSettings(config, 'chat').queue).toEqual({ ...below, ...service });
        expect(serviceSettings(config, 'rerank').queue).toEqual(below);
      }),
    );
  });

  it('keeps what a layer says of load balancing beside what the next one says', () => {
    const config = schema.parse({
      defaults: { loadBalance: 'latency', retry: { attempts: 5 } },
      services: { chat: { loadBalance: { preferLoaded: true }, defaultModel: 'm' } },
    });
    expect(serviceSettings(config, 'chat')).toEqual({
      loadBalance: { strategy: 'latency', preferLoaded: true, key: 'prefix' },
      retry: { attempts: 5, bufferLimit: 32_000_000 },
      queue: BUILT_IN.queue,
      defaultModel: 'm',
      unsupported: 'drop',
    });
    expect(serviceSettings(config, 'rerank').loadBalance.preferLoaded).toBe(false);
  });

  it('ends at what is built in', () => {
    const config = schema.parse({});
    expect(serviceSettings(config, 'chat')).toEqual({
      loadBalance: BUILT_IN.loadBalance,
      retry: { attempts: 3, bufferLimit: 32_000_000 },
      unsupported: 'drop',
      queue: BUILT_IN.queue,
      defaultModel: undefined,
    });
  });

  it.each(STRATEGIES)('reads %s by its name alone', (strategy) => {
    const config = schema.parse({ defaults: { loadBalance: strategy } });
    expect(serviceSettings(config, 'chat').loadBalance.strategy).toBe(strategy);
  });
});

describe('an option that comes from a variable', () => {
  it('is a number or a yes/no where one is wanted', () => {
    const config = schema.parse({
      server: { port: '8080' },
      instances: { a: { adapter: 'x', weight: '2.5', priority: ' 3 ', enabled: 'false' } },
    });
    expect(config.server.port).toBe(8080);
    expect(config.instances['a']).toMatchObject({ weight: 2.5, priority: 3, enabled: false });
  });
});
