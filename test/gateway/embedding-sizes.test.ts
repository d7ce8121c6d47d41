import { describe, expect, it } from 'vitest';
import { EmbeddingSizes } from '../../src/gateway/embedding-sizes.ts';

describe('the sizes of embeddings', () => {
  it('are what the first instance gave, and others must give', () => {
    const sizes = new EmbeddingSizes();
    expect(sizes.see('m', 'a', 1024)).toBe(undefined);
    expect(sizes.see('m', 'b', 1024)).toBe(undefined);
    expect(sizes.see('m', 'c', 768)).toBe('gives vectors of 768 numbers, where a gives 1024');
    expect([...(sizes.refused('m') ?? [])].map(([name]) => name)).toEqual(['c']);
    expect(sizes.see('other', 'c', 768)).toBe(undefined);
    expect(sizes.refused('other')).toBe(undefined);
  });

  it('may change with the instance that was first', () => {
    const sizes = new EmbeddingSizes();
    sizes.see('m', 'a', 1024);
    sizes.see('m', 'b', 768);
    expect(sizes.see('m', 'a', 768)).toBe(undefined);
    expect(sizes.refused('m')).toBe(undefined);
    expect(sizes.see('m', 'b', 768)).toBe(undefined);
  });

  it('are forgotten with their instance', () => {
    const sizes = new EmbeddingSizes();
    sizes.see('m', 'a', 1024);
    sizes.see('m', 'b', 768);
    sizes.forget('a');
    expect(sizes.refused('m')).toBe(undefined);
    expect(sizes.see('m', 'b', 768)).toBe(undefined);
    sizes.see('m', 'a', 1024);
    sizes.forget('a');
    expect([...(sizes.refused('m') ?? [])]).toEqual([]);
  });

  it('are remembered of so many models, and no more', () => {
    const sizes = new EmbeddingSizes();
    for (let index = 0; index <= 2000; index += 1) sizes.see(`m${index}`, 'a', 3);
    expect(sizes.see('m0', 'b', 4)).toBe(undefined);
    expect(sizes.see('m2000', 'b', 4)).toMatch(/3/);
  });
});
