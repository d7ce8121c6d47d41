import { chat } from './chat/chat.ts';
import type { Dialect } from './dialect.ts';
import { messages } from './messages/messages.ts';
import { responses } from './responses/responses.ts';

/** The ways to speak with a model, by the operation that is done in each. */
export const DIALECTS = { chat, messages, responses } as const satisfies Record<string, Dialect>;
export type DialectName = keyof typeof DIALECTS;
