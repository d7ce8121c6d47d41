import type { Service } from '../service.ts';

/** A model that the mock serves. */
export interface MockModel {
  readonly id: string;
  readonly services: readonly Service[];
}

/** What the mock serves unless told otherwise: one model a kind of work. */
export const MOCK_MODELS: readonly MockModel[] = [
  { id: 'mock-chat', services: ['chat'] },
  { id: 'mock-embed', services: ['embeddings'] },
  { id: 'mock-rerank', services: ['rerank'] },
  { id: 'mock-tts', services: ['speech'] },
  { id: 'mock-stt', services: ['transcription'] },
  { id: 'mock-image', services: ['imageGeneration', 'imageEdit'] },
];

/** First match wins: `bge-reranker` is no embedder, `gpt-4o-transcribe` no chat model. */
const KINDS: readonly [RegExp, readonly Service[]][] = [
  [/rerank/i, ['rerank']],
  [/embed|\bbge\b|\be5\b|\bgte\b/i, ['embeddings']],
  [/whisper|stt|transcri|\basr\b|parakeet/i, ['transcription']],
  [/tts|speech|kokoro|voice/i, ['speech']],
  [/image|dall-?e|flux|diffusion|sdxl/i, ['imageGeneration', 'imageEdit']],
];

/** @returns The model of that name, its kind guessed from the name; a name that says nothing chats. */
export function mockModel(id: string): MockModel {
  const known = MOCK_MODELS.find((model) => model.id === id);
  if (known) return known;
  return { id, services: KINDS.find(([pattern]) => pattern.test(id))?.[1] ?? ['chat'] };
}
