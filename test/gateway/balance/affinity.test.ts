import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { affinityOf, type AffinityCall } from '../../../src/gateway/balance/affinity.ts';

function call(part: Partial<AffinityCall> = {}): AffinityCall {
  return { ip: '192.0.2.1', headers: {}, fields: {}, ...part };
}
const prefixOf = (fields: Record<string, unknown>) => affinityOf('prefix', call({ fields }));
const user = (content: unknown) => ({ role: 'user', content });
const system = (content: string) => ({ role: 'system', content });

describe('affinity', () => {
  it('by header takes its value, whatever the case of its name', () => {
    const headers = { 'x-session': 's1', 'x-many': ['a', 'b'] };
    expect(affinityOf('header:X-Session', call({ headers }))).toBe('s1');
    expect(affinityOf('header:x-many', call({ headers }))).toBe('a, b');
  });

  it('by api-key and by user takes those', () => {
    const all = call({ apiKey: 'sk-1', fields: { user: 'alice' } });
    expect(affinityOf('api-key', all)).toBe('sk-1');
    expect(affinityOf('user', all)).toBe('alice');
  });

  it.each(['header:x-session', 'api-key', 'user', 'prefix'])(
    'by %s falls back to the client address when the call has none',
    (key) => {
      expect(affinityOf(key, call())).toBe('192.0.2.1');
      expect(affinityOf(key, call({ fields: { user: 7, messages: [], prompt: '' } }))).toBe(
        '192.0.2.1',
      );
    },
  );

  describe('by prefix', () => {
    const opening = { model: 'm', messages: [system('You code.'), user('Hi')] };

    it('stays the same over the turns of a chat', () => {
      const later = [...opening.messages, { role: 'assistant', content: 'Hello' }, user('More')];
      expect(prefixOf({ ...opening, messages: later, temperature: 1 })).toBe(prefixOf(opening));
    });

    it.each([
      ['model', { ...opening, model: 'other' }],
      ['system prompt', { ...opening, messages: [system('You write.'), user('Hi')] }],
      ['first user message', { ...opening, messages: [system('You code.'), user('Ho')] }],
      ['border between messages', { ...opening, messages: [system('You code.Hi'), user('')] }],
    ])('differs by the %s', (_, other) => {
      expect(prefixOf(other)).not.toBe(prefixOf(opening));
    });

    it('tells content parts apart', () => {
      const image = (url: string) => ({
        model: 'm',
        messages: [user([{ type: 'image_url', image_url: { url } }])],
      });
      expect(prefixOf(image('data:a'))).not.toBe(prefixOf(image('data:b')));
    });

    it('takes all messages when none is of the user', () => {
      expect(prefixOf({ model: 'm', messages: [system('a')] })).not.toBe(
        prefixOf({ model: 'm', messages: [system('a'), system('b')] }),
      );
    });

    it('takes the first 1,024 characters of a prompt', () => {
      const start = 'x'.repeat(1024);
      expect(prefixOf({ model: 'm', prompt: `${start}a` })).toBe(
        prefixOf({ model: 'm', prompt: `${start}b` }),
      );
      expect(prefixOf({ model: 'm', prompt: 'a' })).not.toBe(prefixOf({ model: 'm', prompt: 'b' }));
    });

    it('takes the first of several prompts, text or tokens', () => {
      expect(prefixOf({ model: 'm', prompt: ['a', 'b'] })).toBe(
        prefixOf({ model: 'm', prompt: 'a' }),
      );
      expect(prefixOf({ model: 'm', prompt: [1, 2] })).toBe(
        prefixOf({ model: 'm', prompt: [[1, 2], [3]] }),
      );
      expect(prefixOf({ model: 'm', prompt: [1, 2] })).not.toBe(
        prefixOf({ model: 'm', prompt: [12] }),
      );
    });

    it('reads a huge message only at its ends and by its length', () => {
      const long = (middle: string, end = '') => ({
        model: 'm',
        messages: [user('x'.repeat(9000) + middle + 'x'.repeat(9000) + end)],
      });
      expect(prefixOf(long('aa'))).toBe(prefixOf(long('bb')));
      expect(prefixOf(long('aa'))).not.toBe(prefixOf(long('a')));
      expect(prefixOf(long('aa', 'b'))).not.toBe(prefixOf(long('aa', 'c')));
    });

    it('takes whatever a client sends', () => {
      fc.assert(
        fc.property(fc.jsonValue(), fc.jsonValue(), (messages, prompt) => {
          expect(typeof prefixOf({ messages, prompt })).toBe('string');
        }),
      );
      const deep = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)) as unknown;
      expect(typeof prefixOf({ messages: [deep] })).toBe('string');
      expect(typeof prefixOf({ prompt: deep })).toBe('string');
    });
  });
});
