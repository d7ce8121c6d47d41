import { asObject, asObjects, asText, type JsonObject } from '../../adapters/json.ts';
import type { StopReason, TokenUsage } from '../answer.ts';
import type { AnswerContext } from '../dialect.ts';

export type Status = 'in_progress' | 'completed' | 'incomplete' | 'failed' | 'cancelled';

/** A response as far as it has come. */
export interface Progress {
  readonly id: string;
  readonly model: string;
  readonly status: Status;
  readonly output: readonly JsonObject[];
  readonly usage?: TokenUsage | undefined;
  readonly stop?: StopReason | undefined;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
}

/** The object that stands for a response; it repeats what it was asked. */
export function responseObject(
  progress: Progress,
  { fields, now }: Pick<AnswerContext, 'fields' | 'now'>,
): JsonObject {
  const { id, model, status, output, usage, stop, error = null } = progress;
  const reasoning = asObject(fields['reasoning']);
  const text = asObject(fields['text']);
  const said = (name: string, usual: unknown = null) => fields[name] ?? usual;
  return {
    id,
    object: 'response',
    created_at: Math.floor(now / 1000),
    status,
    background: false,
    error,
    incomplete_details: status === 'incomplete' ? { reason: reasonOf(stop) } : null,
    instructions: said('instructions'),
    max_output_tokens: said('max_output_tokens'),
    max_tool_calls: said('max_tool_calls'),
    model,
    output,
    parallel_tool_calls: said('parallel_tool_calls', true),
    previous_response_id: said('previous_response_id'),
    prompt_cache_key: said('prompt_cache_key'),
    reasoning: {
      effort: asText(reasoning?.['effort']) ?? null,
      summary: asText(reasoning?.['summary']) ?? null,
    },
    safety_identifier: said('safety_identifier'),
    service_tier: 'default',
    store: said('store', true),
    temperature: said('temperature', 1),
    text: { ...text, format: text?.['format'] ?? { type: 'text' } },
    tool_choice: said('tool_choice', 'auto'),
    tools: asObjects(fields['tools']) ?? [],
    top_logprobs: said('top_logprobs', 0),
    top_p: said('top_p', 1),
    truncation: said('truncation', 'disabled'),
    usage: usage ? usageOf(usage) : null,
    user: said('user'),
    metadata: said('metadata', {}),
  };
}

/** How a response ends that its model ended so. */
export function statusAfter(stop: StopReason, refused: boolean): Status {
  if (stop === 'length' || stop === 'context') return 'incomplete';
  // A refusal is an answer.
  return stop === 'filtered' && !refused ? 'incomplete' : 'completed';
}

function reasonOf(stop: StopReason | undefined): string {
  return stop === 'filtered' ? 'content_filter' : 'max_output_tokens';
}

function usageOf(usage: TokenUsage): JsonObject {
  const { input, output, cached = 0, cacheWritten, reasoning = 0 } = usage;
  return {
    input_tokens: input,
    input_tokens_details: {
      cached_tokens: cached,
      ...(cacheWritten ? { cache_write_tokens: cacheWritten } : {}),
    },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}
