import { describe, expect, it } from 'vitest';
import { schema, type Config } from '../../../src/config/schema.ts';
import { admitAll } from '../../../src/gateway/protect/admit.ts';
import { limitRules } from '../../../src/gateway/protect/limit-rules.ts';
import type { Caller, LimitRule } from '../../../src/gateway/protect/limit.ts';
import type { RateLimit } from '../../../src/gateway/protect/limiters/limiter.ts';
import { Limits } from '../../../src/gateway/protect/limits.ts';

const caller: Caller = {
  service: 'chat',
  model: 'coder',
  key: 'me',
  ip: '127.0.0.1',
  client: 'key me',
};
const onGpu = { ...caller, instance: 'gpu-1' };

function perSecond(count: number, more: Partial<RateLimit> = {}): RateLimit {
  return { rate: { count, per: 1000 }, ...more };
}

const RULES: readonly LimitRule[] = [
  { scope: 'all', name: '', settings: perSecond(1) },
  { scope: 'service', name: 'chat', settings: perSecond(2, { per: 'client' }) },
  { scope: 'service', name: 'embeddings', settings: perSecond(3) },
  { scope: 'model', name: 'coder', settings: perSecond(4, { per: 'instance' }) },
  { scope: 'instance', name: 'gpu-1', settings: perSecond(5, { per: 'ip' }) },
  { scope: 'instance', name: 'gpu-2', settings: perSecond(6) },
  { scope: 'key', name: 'me', settings: perSecond(7) },
  { scope: 'key', name: 'ci', settings: perSecond(8) },
];

const counts = (limits: ReturnType<Limits['ofCall']>) =>
  limits.map(({ rule }) => rule.settings.rate.count);

describe('the limits of a config', () => {
  it('are found by what a call is about', () => {
    const limits = new Limits(RULES);
    expect(counts(limits.ofCall(caller))).toEqual([1, 2, 7]);
    const other = { ...caller, service: 'embeddings', model: 'e5', key: undefined };
    expect(counts(limits.ofCall(other))).toEqual([1, 3]);
    expect(counts(limits.ofCall({ ...caller, key: 'ci' }))).toEqual([1, 2, 8]);
  });

  it('wait for the instance where they stand at one or count by it', () => {
    const limits = new Limits(RULES);
    expect(counts(limits.ofInstance(onGpu))).toEqual([4, 5]);
    expect(counts(limits.ofInstance({ ...onGpu, model: 'e5', instance: 'gpu-2' }))).toEqual([6]);
    expect(counts(limits.ofInstance({ ...onGpu, model: 'e5', instance: 'gpu-3' }))).toEqual([]);
  });

  it('are none, for free, when none is configured', () => {
    const limits = new Limits([]);
    expect(limits.ofCall(caller)).toBe(limits.ofInstance(onGpu));
    expect(limits.ofCall(caller)).toEqual([]);
  });

  it('say whether tokens have to be estimated', () => {
    expect(new Limits(RULES).countTokens).toBe(false);
    const tokens = { scope: 'all', name: '', settings: perSecond(1, { cost: 'tokens' }) } as const;
    expect(new Limits([...RULES, tokens]).countTokens).toBe(true);
  });

  it('say what they are in words', () => {
    const texts = new Limits(RULES).ofCall(caller).map(({ text }) => text);
    expect(texts).toEqual([
      '1 request per second for all calls',
      '2 requests per second for service chat, per client',
      '7 requests per second for API key me',
    ]);
  });
});

describe('when the config changes, a limit', () => {
  const rule = (settings: RateLimit): LimitRule => ({ scope: 'service', name: 'chat', settings });

  function usedUp(settings: RateLimit): Limits {
    const limits = new Limits([rule(settings)]);
    expect(admitAll(limits.ofCall(caller), caller, { tokens: 0, now: 0 }).admitted).toBe(true);
    expect(admits(limits)).toBe(false);
    return limits;
  }

  function admits(limits: Limits): boolean {
    return admitAll(limits.ofCall(caller), caller, { tokens: 0, now: 0 }).admitted;
  }

  it('keeps its counts if it means the same as before', () => {
    const before = usedUp({ rate: { count: 1, per: 1000 } });
    const same = rule({
      cost: 'requests',
      per: 'global',
      algorithm: 'token-bucket',
      capacity: undefined,
      rate: { per: 1000, count: 1 },
    });
    const after = new Limits([{ scope: 'all', name: '', settings: perSecond(9) }, same], before);
    expect(admits(after)).toBe(false);
    expect(counts(after.ofCall(caller))).toEqual([9, 1]);
  });

  it.each([
    ['rate', { rate: { count: 2, per: 1000 } }],
    ['unit', { rate: { count: 1, per: 60_000 } }],
    ['algorithm', { algorithm: 'fixed-window' }],
    ['capacity', { capacity: 2 }],
    ['per', { per: 'client' }],
    ['cost', { cost: 'tokens' }],
  ] as const)('begins anew if its %s is another', (_name, change) => {
    const before = usedUp(perSecond(1));
    expect(admits(new Limits([rule(perSecond(1, change))], before))).toBe(true);
  });

  it('begins anew at another place', () => {
    const before = usedUp(perSecond(1));
    const moved = { scope: 'model', name: 'coder', settings: perSecond(1) } as const;
    expect(admits(new Limits([moved], before))).toBe(true);
  });

  it('is gone when it is taken out', () => {
    expect(admits(new Limits([], usedUp(perSecond(1))))).toBe(true);
  });
});

describe('the rules of a config', () => {
  const plain = schema.parse({
    services: { embeddings: {} },
    instances: { 'gpu-1': { adapter: 'vllm', baseUrl: 'http://127.0.0.1:8000' } },
    models: { coder: { targets: ['gpu-1/qwen'] } },
    server: { apiKeys: [{ name: 'me', key: 'secret' }] },
  });

  it('are none where none is set', () => {
    expect(limitRules(plain)).toEqual([]);
  });

  it('come from every block, with its place', () => {
    const config: Config = {
      ...plain,
      rateLimit: perSecond(1),
      services: { embeddings: { rateLimit: perSecond(2) } },
      instances: { 'gpu-1': { ...plain.instances['gpu-1']!, rateLimit: perSecond(3) } },
      models: { coder: { ...plain.models['coder']!, rateLimit: perSecond(4) } },
      server: {
        ...plain.server,
        apiKeys: [{ ...plain.server.apiKeys[0]!, rateLimit: perSecond(5) }],
      },
    };
    expect(limitRules(config)).toEqual([
      { scope: 'all', name: '', settings: perSecond(1) },
      { scope: 'service', name: 'embeddings', settings: perSecond(2) },
      { scope: 'model', name: 'coder', settings: perSecond(4) },
      { scope: 'instance', name: 'gpu-1', settings: perSecond(3) },
      { scope: 'key', name: 'me', settings: perSecond(5) },
    ]);
  });

  it('give the default limit to each service that has none of its own', () => {
    const config: Config = {
      ...plain,
      defaults: { rateLimit: perSecond(1) },
      services: { embeddings: { rateLimit: perSecond(2) } },
    };
    const byName = new Map(limitRules(config).map(({ name, settings }) => [name, settings]));
    expect(byName.size).toBe(7);
    expect(byName.get('chat')).toEqual(perSecond(1));
    expect(byName.get('embeddings')).toEqual(perSecond(2));
  });
});
