import { describe, expect, test } from 'vitest';
import { rankModels } from '../../src/connect/choose-model.ts';

const ids = (...models: Parameters<typeof rankModels>[0]): string[] =>
  rankModels(models).map(({ id }) => id);

describe('the model for an agent', () => {
  test.each([
    ['chats', ['nomic-embed-text', 'whisper-1', 'mock-stt', 'flux-dev', 'llama3'], ['llama3']],
    ['is made for code', ['llama3', 'qwen3-coder:30b'], ['qwen3-coder:30b', 'llama3']],
    ['is no dwarf', ['qwen3:1.7b', 'qwen3:32b'], ['qwen3:32b', 'qwen3:1.7b']],
    ['comes first where nothing tells', ['b', 'a'], ['b', 'a']],
  ])('%s', (_, given, ranked) => {
    expect(ids(...given.map((id) => ({ id })))).toEqual(ranked);
  });

  test('is what the user has a name for', () => {
    expect(ids({ id: 'qwen3-coder' }, { id: 'work', alias: true })).toEqual([
      'work',
      'qwen3-coder',
    ]);
  });

  test('has room for its instructions, and is in memory', () => {
    const [small, large] = [4096, 131_072];
    expect(ids({ id: 'a-coder', contextLength: small }, { id: 'b', contextLength: large })[0]).toBe(
      'b',
    );
    expect(ids({ id: 'a' }, { id: 'b', loaded: true })[0]).toBe('b');
  });

  test('does what it is said to do, whatever its name', () => {
    expect(ids({ id: 'image-talker', services: ['chat'] })).toEqual(['image-talker']);
    expect(ids({ id: 'm', services: ['embeddings'] })).toEqual([]);
    // All that its server can: nobody knows what the model does.
    expect(ids({ id: 'bge-m3', services: ['chat', 'embeddings', 'rerank'] })).toEqual([]);
  });
});
