import type { OperationSpec } from './adapter.ts';

/**
 * The APIs of others that many servers speak beside their own. Only newer versions do, and the
 * gateway translates for the rest: so each server is asked.
 */
export const messages = { path: '/v1/messages', shownBy: 'post' } satisfies OperationSpec;
export const countTokens = {
  path: '/v1/messages/count_tokens',
  shownBy: 'post',
} satisfies OperationSpec;
