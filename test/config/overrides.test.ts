import { describe, expect, it } from 'vitest';
import { applyOverrides, checkExposure, isLoopback } from '../../src/config/overrides.ts';
import { ConfigError } from '../../src/config/problem.ts';
import { schema, type ConfigInput } from '../../src/config/schema.ts';

const config = (server: ConfigInput['server'] = {}) => schema.parse({ server });

describe('host and port', () => {
  const file = config({ host: 'file', port: 1 });
  const env = { JAIROUTER_HOST: 'env', JAIROUTER_PORT: '2' };

  it('are what is built in, below the file, below the environment, below the flags', () => {
    expect(applyOverrides(config(), {}).server).toMatchObject({ host: '127.0.0.1', port: 4747 });
    expect(applyOverrides(file, {}).server).toMatchObject({ host: 'file', port: 1 });
    expect(applyOverrides(file, {}, env).server).toMatchObject({ host: 'env', port: 2 });
    const flags = { host: 'flag', port: 3 };
    expect(applyOverrides(file, flags, env).server).toMatchObject(flags);
  });

  it('are taken one by one', () => {
    expect(applyOverrides(file, { port: 3 }, { JAIROUTER_HOST: 'env' }).server).toMatchObject({
      host: 'env',
      port: 3,
    });
    expect(applyOverrides(file, { port: 0 }).server.port).toBe(0);
  });

  it('are not set by a variable that is set to nothing', () => {
    const empty = { JAIROUTER_HOST: '', JAIROUTER_PORT: ' ' };
    expect(applyOverrides(file, {}, empty).server).toMatchObject({ host: 'file', port: 1 });
  });

  it('leave the rest of the config, and the config itself, alone', () => {
    const before = structuredClone(file);
    const after = applyOverrides(file, { port: 3 });
    expect(file).toEqual(before);
    expect(after).toEqual({ ...before, server: { ...before.server, port: 3 } });
  });

  it.each(['http://x', 'a b', '-x', 'a:1', 'fe80::1%eth0'])('refuse %s as a host', (host) => {
    expect(() => applyOverrides(file, {}, { JAIROUTER_HOST: host })).toThrow(
      new ConfigError([
        {
          file: 'JAIROUTER_HOST',
          path: 'server.host',
          message: `must be an IP address or a host name, like 127.0.0.1 or 0.0.0.0, not \`${host}\``,
        },
      ]),
    );
    expect(() => config({ host })).toThrow('must be an IP address or a host name');
  });

  it('take IPv6 with its brackets, and without', () => {
    for (const host of ['::1', '[::1]']) {
      expect(config({ host }).server.host).toBe('::1');
      expect(applyOverrides(file, {}, { JAIROUTER_HOST: host }).server.host).toBe('::1');
    }
  });

  it.each(['abc', '-1', '65536', '1.5', '0x50'])('refuse %s as a port', (port) => {
    expect(() => applyOverrides(file, {}, { JAIROUTER_PORT: port })).toThrow(
      new ConfigError([
        {
          file: 'JAIROUTER_PORT',
          path: 'server.port',
          message: `must be a whole number from 0 to 65535, not \`${port}\``,
        },
      ]),
    );
  });
});

describe('serving other machines', () => {
  it('is refused without a key, with both ways out', () => {
    expect(() => checkExposure(config({ host: '0.0.0.0' }), { insecure: false })).toThrow(
      /`0\.0\.0\.0` can be reached from other machines.*`server\.apiKeys`.*--insecure/,
    );
  });

  it('is fine with a key, or when it is said out loud', () => {
    const keys = [{ name: 'me', key: 'k' }];
    const withKey = config({ host: '0.0.0.0', apiKeys: keys });
    expect(() => checkExposure(withKey, { insecure: false })).not.toThrow();
    const saidOutLoud = config({ host: '0.0.0.0' });
    expect(() => checkExposure(saidOutLoud, { insecure: true })).not.toThrow();
  });

  it.each(['127.0.0.1', '127.8.9.10', '::1', '[::1]', 'localhost', 'LOCALHOST'])(
    'is not what %s does',
    (host) => {
      expect(isLoopback(host)).toBe(true);
      expect(() => checkExposure(config({ host }), { insecure: false })).not.toThrow();
    },
  );

  it.each([
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '192.168.1.2',
    'localhost.example.com',
    '128.0.0.1',
    'box',
  ])('is what %s does', (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});
