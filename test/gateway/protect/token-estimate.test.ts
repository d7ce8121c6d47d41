import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateTokens } from '../../../src/gateway/protect/token-estimate.ts';

const chat = (content: unknown, more: object = {}) =>
  estimateTokens({ model: 'm', messages: [{ role: 'user', content }], ...more });

describe('an estimate of tokens', () => {
  it('is about one for four characters of English', () => {
    expect(chat('word '.repeat(800))).toBeGreaterThanOrEqual(1000);
    expect(chat('word '.repeat(800))).toBeLessThan(1010);
  });

  it('is about two for three characters of Chinese, Japanese and Korean', () => {
    for (const text of ['汉字', 'かな', '한글']) {
      const tokens = chat(text.repeat(1500));
      expect(tokens).toBeGreaterThanOrEqual(2000);
      expect(tokens).toBeLessThan(2010);
    }
  });

  it('weighs mixed text by its share of each', () => {
    const tokens = chat('漢字漢字漢word!'.repeat(300));
    expect(tokens).toBeGreaterThan(1200);
    expect(tokens).toBeLessThan(1550);
  });

  it('adds what the answer may take, in whichever field it is bounded, for each choice', () => {
    const prompt = chat('');
    expect(chat('', { max_tokens: 500 })).toBe(prompt + 500);
    expect(chat('', { max_completion_tokens: 500, n: 3 })).toBe(prompt + 1500);
    expect(chat('', { max_output_tokens: 500, max_tokens: null })).toBe(prompt + 500);
  });

  it('reads the text of every service', () => {
    const text = 'word '.repeat(80);
    for (const fields of [
      { prompt: text },
      { input: text },
      { input: [text] },
      { query: '', documents: [{ text }] },
      { instructions: text, input: [] },
      { system: text, messages: [] },
      { messages: [{ role: 'user', content: [{ type: 'text', text }] }] },
      { messages: [{ role: 'assistant', tool_calls: [{ function: { arguments: text } }] }] },
      { tools: [{ type: 'function', function: { description: text } }] },
    ]) {
      expect(estimateTokens(fields)).toBeGreaterThanOrEqual(100);
      expect(estimateTokens(fields)).toBeLessThan(115);
    }
  });

  it('counts token ids by their number', () => {
    expect(estimateTokens({ input: [1, 2, 3] })).toBe(3);
    expect(
      estimateTokens({
        prompt: [
          [1, 2, 3],
          [4, 5],
        ],
      }),
    ).toBe(5);
  });

  it('counts an image as an image, not by the length of its bytes', () => {
    const url = `data:image/png;base64,${'A'.repeat(1_000_000)}`;
    for (const part of [
      { type: 'image_url', image_url: { url } },
      { type: 'input_image', image_url: url },
      { type: 'image', source: { type: 'base64', data: 'A'.repeat(1_000_000) } },
      { image: url },
    ]) {
      expect(chat([part])).toBeGreaterThanOrEqual(765);
      expect(chat([part])).toBeLessThan(780);
    }
  });

  it('does not take a parameter called file for a file', () => {
    const file = { type: 'string', description: 'its path' };
    const parameters = { type: 'object', properties: { file } };
    expect(estimateTokens({ tools: [{ type: 'function', parameters }] })).toBeLessThan(30);
  });

  it('is a whole number above 0 for whatever a client sends', () => {
    const fields = fc.dictionary(
      fc.constantFrom('messages', 'prompt', 'input', 'tools', 'max_tokens', 'n', 'documents'),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fields, (sent) => {
        const tokens = estimateTokens(sent);
        expect(Number.isInteger(tokens)).toBe(true);
        expect(tokens).toBeGreaterThanOrEqual(1);
      }),
    );
    expect(estimateTokens({})).toBe(1);
    expect(estimateTokens({ max_tokens: -5, n: -1 })).toBe(1);
  });

  it('does a bounded work, for a long text, many short ones or a deep nest', () => {
    const long = { prompt: Buffer.alloc(50_000_000, 'word ').toString('latin1') };
    const many = { input: Array.from({ length: 1_000_000 }, () => 'word') };
    const deep = { messages: JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown };
    const began = performance.now();
    expect(estimateTokens(long)).toBeCloseTo(12_500_000, -6);
    expect(estimateTokens(many)).toBeGreaterThan(0);
    expect(estimateTokens(deep)).toBe(1);
    expect(performance.now() - began).toBeLessThan(100);
  });
});
