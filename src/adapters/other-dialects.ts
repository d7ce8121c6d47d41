import type { OperationSpec } from './adapter.ts';

/**
 * The APIs of others that many servers speak beside their own. Only newer versions do, and the
 * gateway translates for the rest: so each server is asked.
 */
export const messages = { path: '/v1/messages', shownBy: 'post' } satisfies OperationSpec;
/** Most servers answer and forget; `keeps` is for those that do not. */
export const responses = { path: '/v1/responses', shownBy: 'post' } satisfies OperationSpec;
export const countTokens = {
  path: '/v1/messages/count_tokens',
  shownBy: 'post',
} satisfies OperationSpec;
