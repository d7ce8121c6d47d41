import { describe, expect, it } from 'vitest';
import { servicesOf } from '../../src/adapters/model-kinds.ts';

describe('a name', () => {
  it.each([
    ['gpt-5-mini', ['chat']],
    ['openai/gpt-oss-20b', ['chat']],
    ['chatgpt-4o-latest', ['chat']],
    ['o3-mini', ['chat']],
    ['gpt-4o-mini-transcribe', ['transcription']],
    ['openai/whisper-large-v3', ['transcription']],
    ['gpt-4o-mini-tts-2025-12-15', ['speech']],
    ['tts-1-hd', ['speech']],
    ['gpt-image-1', ['imageGeneration', 'imageEdit']],
    ['mock-image', ['imageGeneration', 'imageEdit']],
    ['dall-e-2', ['imageGeneration', 'imageEdit']],
    ['dall-e-3', ['imageGeneration']],
    ['text-embedding-3-large', ['embeddings']],
    ['BAAI/bge-reranker-v2-m3', ['rerank']],
    ['llama-3.3-70b', undefined],
    ['o', undefined],
    ['nomic-embed-text', ['embeddings']],
    ['Qwen/Qwen3-Embedding-8B', ['embeddings']],
    ['BAAI/bge-m3', ['embeddings']],
    ['imagen-4.0-generate-001', ['imageGeneration']],
  ])('like %s means %j', (id, services) => {
    expect(servicesOf({ id })).toEqual(services);
  });
});

describe('an entry of a list', () => {
  it.each([
    ['Together', { type: 'chat' }, ['chat']],
    ['Together', { type: 'moderation' }, []],
    ['Mistral', { capabilities: { completion_chat: true, function_calling: true } }, ['chat']],
    ['Mistral', { capabilities: { completion_chat: false } }, undefined],
    ['Azure', { capabilities: { embeddings: true, inference: true } }, ['embeddings']],
    ['OpenRouter', { architecture: { output_modalities: ['text', 'image'] } }, ['chat']],
    ['OpenRouter', { architecture: { output_modalities: ['embeddings'] } }, ['embeddings']],
    ['a server of its own kind', { type: 'model', capabilities: ['completion'] }, undefined],
  ])('of %s: %j means %j', (_, entry, services) => {
    expect(servicesOf({ id: 'a', ...entry })).toEqual(services);
  });

  it('says more than the name does', () => {
    expect(servicesOf({ id: 'whisper-tuned', type: 'audio' })).toEqual(['speech']);
  });
});
