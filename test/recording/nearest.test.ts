import { describe, expect, it } from 'vitest';
import { askedOf } from '../../src/recording/asked.ts';
import { compare, isNear, nearness } from '../../src/recording/nearest.ts';

type Fields = Readonly<Record<string, unknown>>;

function chat(model: string, ...turns: string[]) {
  const messages = turns.map((content, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content,
  }));
  return of('chat', { messages }, model);
}

function of(operation: 'chat' | 'embeddings' | 'messages', fields: Fields, model = 'm') {
  return askedOf({ operation, stream: false, model }, { fields });
}

const FRANCE = 'What is the capital of France?';

describe('the nearness of two requests', () => {
  it.each([
    ['another model, the same words', chat('n', FRANCE), chat('m', FRANCE), true],
    ['a word of several', chat('m', FRANCE.replace('France', 'Spain')), chat('m', FRANCE), true],
    ['a word, and another model', chat('n', `${FRANCE} Hm`), chat('m', FRANCE), false],
    ['other words', chat('m', 'Write a poem'), chat('m', FRANCE), false],
    [
      'another last turn of a long conversation',
      chat('m', FRANCE, 'Paris', 'And how many people live there?'),
      chat('m', FRANCE, 'Paris', 'Thanks'),
      false,
    ],
    [
      'a last turn that is nearly the same',
      chat('m', FRANCE, 'Paris', 'And how many people live there?'),
      chat('m', FRANCE, 'Paris', 'How many people live there now?'),
      true,
    ],
    ['an earlier turn', chat('m', FRANCE), chat('m', FRANCE, 'Paris', 'Thanks'), false],
  ])('with %s', (_what, asked, recorded, near) => {
    const comparison = compare(asked, recorded);
    expect(isNear(comparison)).toBe(near);
    expect(comparison.differences).not.toEqual([]);
  });

  it('is greatest for the same, whatever words say it', () => {
    const same = compare(chat('m', FRANCE), chat('m', FRANCE));
    expect(same).toMatchObject({ likeness: 1, differences: [] });
    for (const other of [chat('n', FRANCE), chat('m', `${FRANCE} Tell me.`)])
      expect(nearness(compare(other, chat('m', FRANCE)))).toBeLessThan(nearness(same));
  });

  it('tells differences where they begin', () => {
    const long = 'word '.repeat(50);
    expect(compare(chat('m', `${long}one end`), chat('m', `${long}two end`)).differences).toEqual([
      'user "…word word word one end", recorded "…word word word two end"',
    ]);
    expect(compare(chat('m', 'a', 'b', 'c'), chat('m', 'a', 'x')).differences).toEqual([
      '3 messages, recorded 2',
      'message 2 (assistant) "b", recorded "x"',
    ]);
    const settings = compare(
      of('chat', { messages: [], temperature: 1, stop: ['a'] }),
      of('chat', { messages: [], top_p: 0.5, stop: ['b'] }),
    );
    expect(settings.differences).toEqual([
      'temperature 1, recorded none',
      'stop differs',
      'top_p none, recorded 0.5',
    ]);
  });

  it('is of what is said in requests of every kind', () => {
    const one = of('embeddings', { input: ['The sea', 'The sun'] });
    const other = of('embeddings', { input: ['The sea', 'The moon'] });
    expect(compare(one, other).differences).toEqual([
      'message 2 (input) "The sun", recorded "The moon"',
    ]);
    const text = { role: 'user', content: [{ type: 'text', text: FRANCE }] };
    const parts = of('messages', { max_tokens: 1, messages: [text] });
    const plain = of('messages', { max_tokens: 1, messages: [{ role: 'user', content: FRANCE }] });
    expect(compare(parts, plain).likeness).toBe(1);
    // Nor does it stumble over what is no request at all.
    expect(
      compare(of('chat', { messages: 7 }), of('chat', { messages: [{}] })).likeness,
    ).toBeLessThan(2);
  });
});
