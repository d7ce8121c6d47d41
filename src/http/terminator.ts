import type { ServerEvent } from '../adapters/adapter.ts';
import { speaksLines, type Operation } from '../service.ts';

const MEDIA =
  /^(transcript\.text\.done|speech\.audio\.done|image_generation\.completed|image_edit\.completed)$/;
/** The `type` of the last event of an operation's stream, where that is not `[DONE]` alone. */
const ENDS: Readonly<Partial<Record<Operation, RegExp | undefined>>> = {
  chat: undefined,
  completions: undefined,
  messages: /^message_stop$/,
  responses: /^response\.(completed|incomplete|failed)$/,
};

/**
 * Whether an event says that its stream is whole. Chat and completion streams end with `[DONE]`
 * alone; others with an event of their own (OpenAI's and Anthropic's API references), to which some
 * backends add a `[DONE]`.
 */
export function isTerminator(operation: Operation, { event, data }: ServerEvent): boolean {
  if (data === '[DONE]') return true;
  // Within a string its quotes would be escaped.
  if (speaksLines(operation)) return /"done"\s*:\s*true/.test(data);
  const end = operation in ENDS ? ENDS[operation] : MEDIA;
  if (!end) return false;
  if (event !== undefined && end.test(event)) return true;
  const first = /^\{?\s*"type"\s*:\s*"([\w.]+)"/.exec(data.slice(0, 200))?.[1];
  return first === undefined ? end.test(typeOf(data)) : end.test(first);
}

/** The slow way, for an event whose `type` is not its first key. */
function typeOf(data: string): string {
  if (!/\.(done|completed|incomplete|failed)"|message_stop"/.test(data)) return '';
  try {
    return String((JSON.parse(data) as { type?: unknown }).type);
  } catch {
    // Not JSON, so no event of the API's.
    return '';
  }
}
