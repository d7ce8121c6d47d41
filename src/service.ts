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
  /** How its clients are told errors; absent: as OpenAI does. */
  readonly errors?: 'anthropic' | 'responses' | 'ollama';
  /** It streams unless it is told not to, a line of JSON an event. */
  readonly lines?: true;
}

/** What a client can ask for, one row an endpoint. A service has one or more operations. */
export const OPERATIONS = {
  chat: { service: 'chat', routes: ['/v1/chat/completions'], body: ['json'] },
  completions: { service: 'chat', routes: ['/v1/completions'], body: ['json'] },
  messages: {
    service: 'chat',
    routes: ['/v1/messages'],
    body: ['json'],
    errors: 'anthropic',
  },
  countTokens: {
    service: 'chat',
    routes: ['/v1/messages/count_tokens'],
    body: ['json'],
    errors: 'anthropic',
  },
  responses: {
    service: 'chat',
    routes: ['/v1/responses'],
    body: ['json'],
    errors: 'responses',
  },
  inputTokens: { service: 'chat', routes: ['/v1/responses/input_tokens'], body: ['json'] },
  embeddings: { service: 'embeddings', routes: ['/v1/embeddings'], body: ['json'] },
  ollamaChat: {
    service: 'chat',
    routes: ['/api/chat'],
    body: ['json'],
    errors: 'ollama',
    lines: true,
  },
  ollamaGenerate: {
    service: 'chat',
    routes: ['/api/generate'],
    body: ['json'],
    errors: 'ollama',
    lines: true,
  },
  ollamaEmbed: { service: 'embeddings', routes: ['/api/embed'], body: ['json'], errors: 'ollama' },
  ollamaEmbeddings: {
    service: 'embeddings',
    routes: ['/api/embeddings'],
    body: ['json'],
    errors: 'ollama',
  },
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

/**
 * What a backend may be asked instead of an operation that it does not have, the best first; calls
 * are translated then.
 */
const STAND_INS: Readonly<Partial<Record<Operation, readonly Operation[]>>> = {
  chat: ['messages', 'responses', 'ollamaChat'],
  messages: ['chat', 'responses', 'ollamaChat'],
  responses: ['chat', 'messages', 'ollamaChat'],
  ollamaChat: ['chat', 'messages', 'responses'],
  ollamaGenerate: ['chat', 'messages', 'responses'],
  ollamaEmbed: ['embeddings'],
  ollamaEmbeddings: ['embeddings'],
};

/**
 * @param has The operations of a backend.
 * @returns What it is asked for an operation: that itself, or what stands in; `undefined`: nothing.
 */
export function askedFor(
  operation: Operation,
  has: (operation: Operation) => boolean,
): Operation | undefined {
  return has(operation) ? operation : STAND_INS[operation]?.find(has);
}

/** @returns How those who ask for an operation are told errors. */
export function errorsOf(operation: Operation): NonNullable<OperationInfo['errors']> | 'openai' {
  const row: OperationInfo = OPERATIONS[operation];
  return row.errors ?? 'openai';
}

/** @returns Whether its streams are lines of JSON, and come unless they are not wanted. */
export function speaksLines(operation: Operation): boolean {
  const row: OperationInfo = OPERATIONS[operation];
  return row.lines === true;
}

/** @returns The service that an operation belongs to. */
export function serviceOf(operation: Operation): Service {
  return OPERATIONS[operation].service;
}
