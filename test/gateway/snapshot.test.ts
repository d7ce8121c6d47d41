import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { schema, type ConfigInput } from '../../src/config/schema.ts';
import { compile } from '../../src/gateway/snapshot.ts';
import { collectGarbage } from '../support/memory.ts';

const parse = (input: ConfigInput) => schema.parse(input);

describe('a snapshot that follows another', () => {
  it('keeps the turns of a service that is balanced as before', () => {
    const config = parse({ services: { chat: { loadBalance: 'round-robin' } } });
    const first = compile(config);
    const second = compile(parse({ services: { chat: { loadBalance: 'round-robin' } } }), first);
    expect(second.services.chat.balancerFor('m')).toBe(first.services.chat.balancerFor('m'));
    const third = compile(parse({ services: { chat: { loadBalance: 'random' } } }), second);
    expect(third.services.chat.balancerFor('m')).not.toBe(first.services.chat.balancerFor('m'));
    expect(third.services.rerank.balancerFor('m')).toBe(first.services.rerank.balancerFor('m'));
  });

  it('has time-outs for an instance that it does not know: those of the service', () => {
    const { services } = compile(
      parse({
        defaults: { timeouts: { idle: '1s' } },
        services: { chat: { timeouts: { idle: '2s' } } },
        instances: { a: { adapter: 'openai', timeouts: { idle: '3s' } } },
      }),
    );
    expect(services.chat.timeoutsOn('a').idle).toBe(3000);
    expect(services.chat.timeoutsOn('newer').idle).toBe(2000);
    expect(services.rerank.timeoutsOn('newer').idle).toBe(1000);
  });

  it('keeps none of those before it alive', async () => {
    let snapshot = compile(parse({}));
    const first = new WeakRef(snapshot);
    for (let round = 0; round < 3; round++) snapshot = compile(parse({}), snapshot);
    await sleep(1);
    collectGarbage();
    expect(snapshot.config).toBeDefined();
    expect(first.deref()).toBeUndefined();
  });
});
