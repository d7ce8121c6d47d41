import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ResponseStore, type StoredResponse } from '../../src/http/response-store.ts';

function stored(id: string, more: Partial<StoredResponse> = {}): StoredResponse {
  const output = [{ type: 'message', id: `out-${id}` }];
  return {
    id,
    key: undefined,
    input: [{ id: `in-${id}` }],
    before: [],
    response: { id, output },
    ...more,
  };
}

describe('the memory for responses', () => {
  it('never has more of them, or more bytes, than it may, and keeps those used last', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ id: fc.nat({ max: 12 }), size: fc.nat({ max: 400 }) }), {
          maxLength: 60,
        }),
        (calls) => {
          const store = new ResponseStore({ responses: 5, bytes: 2000 });
          for (const { id, size } of calls) {
            store.put(stored(`r${id}`, { response: { id: `r${id}`, text: 'x'.repeat(size) } }));
            const all = Array.from({ length: 13 }, (_, index) => `r${index}`);
            const kept = all.flatMap((name) => store.find(name, undefined) ?? []);
            expect(kept.length).toBeLessThanOrEqual(5);
            expect(JSON.stringify(kept).length).toBeLessThanOrEqual(2000);
          }
        },
      ),
    );
    const store = new ResponseStore({ responses: 2, bytes: 1e6 });
    for (const id of ['a', 'b']) store.put(stored(id));
    store.find('a', undefined);
    store.put(stored('c'));
    expect(store.find('a', undefined)).toBeDefined();
    expect(store.find('b', undefined)).toBeUndefined();
  });

  it('keeps nothing that is larger than all of it', () => {
    const store = new ResponseStore({ responses: 2, bytes: 1000 });
    store.put(stored('small'));
    store.put(stored('large', { before: [{ text: 'x'.repeat(1000) }] }));
    expect(store.find('large', undefined)).toBeUndefined();
    expect(store.find('small', undefined)).toBeDefined();
  });

  it('shows each to its key alone', () => {
    const store = new ResponseStore();
    store.put(stored('a', { key: 'one' }));
    store.keptBy('n', 'gpu', 'one');
    store.run('r', { key: 'one', input: [], response: {}, cancel() {} });
    for (const key of ['two', undefined]) {
      expect(store.find('a', key)).toBeUndefined();
      expect(store.item('out-a', key)).toBeUndefined();
      expect(store.delete('a', key)).toBe(false);
      for (const id of ['a', 'n', 'r']) expect(store.keeper(id, key)).toBe('nobody');
      expect(store.running('r', key)).toBeUndefined();
    }
    expect(store.item('in-a', 'one')).toEqual({ id: 'in-a' });
    expect(store.keeper('n', 'one')).toMatchObject({ instance: 'gpu' });
    expect(store.keeper('of an earlier run', 'one')).toBe('unknown');
    expect(store.delete('a', 'one')).toBe(true);
    expect(store.find('a', 'one')).toBeUndefined();
  });

  it('knows a running one until it is over', () => {
    const store = new ResponseStore();
    const over = store.run('r', { key: undefined, input: [], response: {}, cancel() {} });
    expect(store.running('r', undefined)).toBeDefined();
    over();
    expect(store.running('r', undefined)).toBeUndefined();
  });
});
