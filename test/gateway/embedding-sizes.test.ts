import { describe, expect, it } from 'vitest';
import { EmbeddingSizes } from '../../src/gateway/embedding-sizes.ts';

describe('the sizes of embeddings', () => {
  const made = () => {
    const sizes = new EmbeddingSizes();
    return {
      see: (model: string, instance: string, numbers: number, now = 0) =>
        sizes.see(model, instance, { numbers, now }),
      refused: (model: string, instance: string, now = 0) =>
        sizes.refusal(model, instance, now) !== undefined,
      clear: () => sizes.clear(),
    };
  };

  it('are what the first instance gave, and others must give', () => {
    const { see, refused } = made();
    expect(see('m', 'a', 1024)).toBe(undefined);
    expect(see('m', 'b', 1024)).toBe(undefined);
    expect(see('m', 'c', 768)).toBe('gives vectors of 768 numbers, where a gives 1024');
    expect(['a', 'b', 'c'].map((name) => refused('m', name))).toEqual([false, false, true]);
    expect(see('other', 'c', 768)).toBe(undefined);
    expect(refused('other', 'c')).toBe(false);
  });

  it('may change with the instance that was first', () => {
    const { see, refused } = made();
    see('m', 'a', 1024);
    see('m', 'b', 768);
    expect(see('m', 'a', 768)).toBe(undefined);
    expect(refused('m', 'b')).toBe(false);
    expect(see('m', 'b', 768)).toBe(undefined);
  });

  it('are looked at again after a while', () => {
    const { see, refused } = made();
    see('m', 'a', 1024);
    see('m', 'b', 768, 1000);
    expect(refused('m', 'b', 600_999)).toBe(true);
    expect(refused('m', 'b', 601_001)).toBe(false);
    expect(see('m', 'b', 1024, 601_001)).toBe(undefined);
  });

  it('are nobody’s when names may stand for other models', () => {
    const { see, refused, clear } = made();
    see('m', 'a', 1024);
    see('m', 'b', 768);
    clear();
    expect(refused('m', 'b')).toBe(false);
    expect(see('m', 'b', 768)).toBe(undefined);
  });

  it('are remembered of so many models, and no more', () => {
    const { see } = made();
    for (let index = 0; index <= 2000; index += 1) see(`m${index}`, 'a', 3);
    expect(see('m0', 'b', 4)).toBe(undefined);
    expect(see('m2000', 'b', 4)).toMatch(/3/);
  });
});
