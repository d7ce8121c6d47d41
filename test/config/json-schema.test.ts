import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { jsonSchema, knownKeys, options } from '../../src/config/json-schema.ts';
import { schema } from '../../src/config/schema.ts';
import { BUILT_IN } from '../../src/config/settings.ts';

const read = (name: string): string =>
  readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

/** The shipped JSON Schema, as another tool would understand it. */
const asEditorsSeeIt = z.fromJSONSchema(
  JSON.parse(read('schema.json')) as z.core.JSONSchema.JSONSchema,
);
const accepts = (config: unknown): boolean => asEditorsSeeIt.safeParse(config).success;

describe('schema.json', () => {
  it('is what the schema says today (node scripts/schema.mjs, after a build)', () => {
    expect(JSON.parse(read('schema.json'))).toEqual(JSON.parse(JSON.stringify(jsonSchema())));
  });

  it('accepts each template', () => {
    expect(accepts(parse(read('templates/jairouter.config.yaml')))).toBe(true);
    expect(accepts(JSON.parse(read('templates/jairouter.config.json')))).toBe(true);
  });

  it('accepts a variable wherever a number, a yes/no, a duration or an address is wanted', () => {
    expect(
      accepts({
        server: { port: '${PORT}', maxBodySize: '${SIZE:-100mb}' },
        defaults: {
          timeouts: { connect: '${CONNECT}' },
          retry: { attempts: '${ATTEMPTS}' },
          loadBalance: { preferLoaded: '${PREFER}', key: '${KEY}' },
          rateLimit: { rate: '${RATE}', capacity: '${BURST}' },
          circuitBreaker: { failureRate: '${SHARE}', openFor: '${OPEN}' },
          queue: { size: '${SIZE}', maxWait: '${WAIT}' },
        },
        instances: {
          a: {
            adapter: '${KIND}',
            baseUrl: '${URL}',
            enabled: '${ON:-true}',
            weight: '${W}',
            proxy: 'http://${PROXY}:3128',
            maxConcurrency: '${MOST}',
          },
        },
        models: { m: { targets: ['${TARGET}'] } },
      }),
    ).toBe(true);
  });

  it.each<[string, unknown]>([
    ['an unknown option', { server: { prot: 1 } }],
    ['a port out of range', { server: { port: 70_000 } }],
    ['text that is no number', { server: { port: 'http' } }],
    ['a duration without a unit', { defaults: { timeouts: { idle: '30' } } }],
    ['a rate without a unit', { rateLimit: { rate: '10' } }],
    ['an unknown algorithm', { rateLimit: { rate: '10/s', algorithm: 'best' } }],
    ['no call at one time', { instances: { a: { adapter: 'vllm', maxConcurrency: 0 } } }],
    ['a breaker of a service', { services: { chat: { circuitBreaker: {} } } }],
    ['an unknown strategy', { defaults: { loadBalance: 'best' } }],
    ['an unknown service', { services: { cooking: {} } }],
    ['an instance without an adapter', { instances: { a: {} } }],
    ['an address without a scheme', { instances: { a: { adapter: 'vllm', baseUrl: 'x:80' } } }],
  ])('refuses %s', (_what, config) => {
    expect(accepts(config)).toBe(false);
    expect(schema.safeParse(config).success).toBe(false);
  });

  it.each(['500ms', '30s', '1.5m', '2H', ' 10 S ', '30', '1d', 's', '5 minutes'])(
    'takes %j for a duration just as the config does',
    (idle) => {
      const config = { defaults: { timeouts: { idle } } };
      expect(accepts(config)).toBe(schema.safeParse(config).success);
    },
  );

  it.each(['512b', '100mb', '1.5 KB', '2MiB', '100', '1tb', '10m'])(
    'takes %j for a size just as the config does',
    (maxBodySize) => {
      const config = { server: { maxBodySize } };
      expect(accepts(config)).toBe(schema.safeParse(config).success);
    },
  );
});

describe('the options', () => {
  it('each have a description', () => {
    expect(options().filter(({ description }) => description === '')).toEqual([]);
  });

  it('are each listed once', () => {
    const paths = options().map(({ path }) => path);
    expect(paths.filter((path, index) => paths.indexOf(path) !== index)).toEqual([]);
  });

  it('have the defaults that hold where nothing is said', () => {
    const said = Object.fromEntries(
      options()
        .filter((option) => option.default !== undefined)
        .map((option) => [option.path, option.default]),
    );
    const blocks = Object.fromEntries(
      Object.keys(BUILT_IN).map((block) => [
        block,
        // One that is a value by itself is only listed where it stands.
        said[`defaults.${block}`] ??
          Object.fromEntries(
            Object.entries(said)
              .filter(([path]) => path.startsWith(`${block}.`))
              .map(([path, value]) => [path.slice(block.length + 1), value]),
          ),
      ]),
    );
    // As if the author had written them all out; a rate limit is none without its rate.
    const { defaults } = schema.parse({
      defaults: { ...blocks, rateLimit: { ...(blocks['rateLimit'] as object), rate: '1/s' } },
    });
    expect(defaults).toEqual({
      ...BUILT_IN,
      rateLimit: { ...BUILT_IN.rateLimit, rate: { count: 1, per: 1000 } },
    });

    const silent = schema.parse({
      server: { apiKeys: [{ name: 'n', key: 'k' }] },
      instances: { a: { adapter: 'x', tls: {} } },
      models: { m: { targets: ['a/b'] } },
    });
    const spoken = schema.parse({
      server: {
        host: said['server.host'],
        port: said['server.port'],
        apiKeys: [{ name: 'n', key: 'k', models: said['server.apiKeys[].models'] }],
        allowedHosts: said['server.allowedHosts'],
        cors: { origins: said['server.cors.origins'] },
        maxBodySize: said['server.maxBodySize'],
      },
      instances: {
        a: {
          adapter: 'x',
          enabled: said['instances.*.enabled'],
          weight: said['instances.*.weight'],
          priority: said['instances.*.priority'],
          headers: said['instances.*.headers'],
          tls: { rejectUnauthorized: said['instances.*.tls.rejectUnauthorized'] },
        },
      },
      models: { m: { targets: ['a/b'], fallback: said['models.*.fallback'] } },
    });
    expect(silent).toEqual(spoken);
  });

  it('can be asked for by the path of their block', () => {
    expect(knownKeys(['services'])).toContain('imageEdit');
    expect(knownKeys(['services', 'chat', 'loadBalance'])).toEqual([
      'strategy',
      'preferLoaded',
      'key',
    ]);
    expect(knownKeys(['server', 'apiKeys', 0])).toContain('models');
    expect(knownKeys(['instances', 'any', 'headers'])).toEqual([]);
  });
});
