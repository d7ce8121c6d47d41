/** The kinds of work a backend can do; the keys of `services:` in the config. */
export const SERVICES = [
  'chat',
  'embeddings',
  'rerank',
  'speech',
  'transcription',
  'imageGeneration',
  'imageEdit',
] as const;
export type Service = (typeof SERVICES)[number];

interface OperationInfo {
  readonly service: Service;
  /** The paths under which clients reach it, all `POST`. */
  readonly routes: readonly string[];
  /** What a client may send as its body. */
  readonly body: readonly ('json' | 'multipart')[];
}

/** What a client can ask for, one row an OpenAI endpoint. A service has one or more operations. */
export const OPERATIONS = {
  chat: { service: 'chat', routes: ['/v1/chat/completions'], body: ['json'] },
  completions: { service: 'chat', routes: ['/v1/completions'], body: ['json'] },
  embeddings: { service: 'embeddings', routes: ['/v1/embeddings'], body: ['json'] },
  rerank: { service: 'rerank', routes: ['/v1/rerank', '/v2/rerank', '/rerank'], body: ['json'] },
  speech: { service: 'speech', routes: ['/v1/audio/speech'], body: ['json', 'multipart'] },
  transcriptions: {
    service: 'transcription',
    routes: ['/v1/audio/transcriptions'],
    body: ['multipart'],
  },
  translations: {
    service: 'transcription',
    routes: ['/v1/audio/translations'],
    body: ['multipart'],
  },
  imageGenerations: {
    service: 'imageGeneration',
    routes: ['/v1/images/generations'],
    body: ['json'],
  },
  imageEdits: {
    service: 'imageEdit',
    routes: ['/v1/images/edits'],
    body: ['multipart', 'json'],
  },
  imageVariations: {
    service: 'imageEdit',
    routes: ['/v1/images/variations'],
    body: ['multipart'],
  },
} as const satisfies Record<string, OperationInfo>;
export type Operation = keyof typeof OPERATIONS;

/** @returns The service that an operation belongs to. */
export function serviceOf(operation: Operation): Service {
  return OPERATIONS[operation].service;
}
