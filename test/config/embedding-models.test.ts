import { describe, expect, it } from 'vitest';
import { unlikeEmbeddings } from '../../src/config/embedding-models.ts';

describe('embedding models by their names', () => {
  it.each([
    ['BAAI/bge-m3', 'bge-m3:latest', 'text-embedding-bge-m3', 'bge-m3-GGUF', 'bge-m3-q8_0.gguf'],
    ['nomic-ai/nomic-embed-text-v1.5', 'nomic-embed-text', 'text-embedding-nomic-embed-text-v1.5'],
    ['Qwen/Qwen3-Embedding-0.6B', 'qwen3-embedding:0.6b', 'qwen3-embedding:0.6b-fp16'],
    ['text-embedding-3-small', 'text-embedding-3-small'],
    ['models/gemini-embedding-001', 'gemini-embedding-001'],
    ['qwen3:8b', 'llama3.2'],
    ['bge-m3', 'my-own-name'],
    ['bge-m3'],
    [],
  ])('may be one model: %j', (...names) => {
    expect(unlikeEmbeddings(names)).toBe(undefined);
  });

  it.each([
    ['text-embedding-3-small', 'text-embedding-3-large'],
    ['bge-m3', 'nomic-embed-text'],
    ['BAAI/bge-base-en-v1.5', 'BAAI/bge-large-en-v1.5'],
    ['qwen3-embedding:0.6b', 'qwen3-embedding:8b'],
    ['nomic-embed-text-v1', 'nomic-embed-text-v2-moe'],
  ])('are two: %s and %s', (...names) => {
    expect(unlikeEmbeddings(['qwen3:8b', ...names])).toEqual(names);
  });
});
