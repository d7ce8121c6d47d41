import { chat } from './chat/chat.ts';
import { completions } from './completions/completions.ts';
import type { AskedDialect, ServedDialect } from './dialect.ts';
import { messages } from './messages/messages.ts';
import { ollamaChat, ollamaGenerate } from './ollama/ollama.ts';
import { responses } from './responses/responses.ts';

/** How clients speak with a model, by the operation that they ask for. */
export const SERVED = {
  chat,
  messages,
  responses,
  ollamaChat,
  ollamaGenerate,
} as const satisfies Record<string, ServedDialect>;

/** How backends are spoken with, by the operation that they are asked for. */
export const ASKED = {
  chat,
  messages,
  responses,
  ollamaChat,
  completions,
} as const satisfies Record<string, AskedDialect>;

export type ServedName = keyof typeof SERVED;
export type AskedName = keyof typeof ASKED;
