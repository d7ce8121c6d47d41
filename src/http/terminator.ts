import type { ServerEvent } from '../adapters/adapter.ts';
import type { Operation } from '../service.ts';

const TYPED_END =
  /^\{?\s*"type"\s*:\s*"(transcript\.text\.done|speech\.audio\.done|image_generation\.completed|image_edit\.completed)"/;
const NAMED_END = /^(image_generation|image_edit)\.completed$/;

/**
 * Whether an event says that its stream is whole. Chat and completion streams end with `[DONE]`
 * alone; audio and image streams with an event of their own (OpenAI's API reference), to which some
 * backends add a `[DONE]`.
 */
export function isTerminator(operation: Operation, { event, data }: ServerEvent): boolean {
  if (data === '[DONE]') return true;
  if (operation === 'chat' || operation === 'completions') return false;
  return NAMED_END.test(event ?? '') || TYPED_END.test(data.slice(0, 200)) || typeOf(data);
}

/** The slow way, for an event whose `type` is not its first key. */
function typeOf(data: string): boolean {
  if (!/\.(done|completed)"/.test(data)) return false;
  try {
    const { type } = JSON.parse(data) as { type?: unknown };
    return TYPED_END.test(`{"type":${JSON.stringify(type)}`);
  } catch {
    // Not JSON, so no event of the API's.
    return false;
  }
}
