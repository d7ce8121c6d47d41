import { asObject, asObjects, asText, type JsonObject } from '../../adapters/json.ts';
import type {
  AnswerEvent,
  Block,
  Logprobs,
  StopReason,
  TokenUsage,
  WholeAnswer,
} from '../answer.ts';
import type { AnswerContext, EventWriter } from '../dialect.ts';
import { ERROR_SHAPES } from '../error-shapes.ts';
import { freeTextOf, freeTextReader, type FreeTextReader } from '../free-text.ts';

const REASONS = {
  end: 'stop',
  length: 'length',
  'stop-sequence': 'stop',
  calls: 'tool_calls',
  filtered: 'content_filter',
  context: 'length',
  pause: 'stop',
} as const satisfies Record<StopReason, string>;

/** Writes an answer as a stream of chat completions. */
export function eventWriter(context: AnswerContext): EventWriter {
  const custom = customTools(context.fields);
  const wantsUsage = asObject(context.fields['stream_options'])?.['include_usage'] === true;
  const id = context.mint('chatcmpl-');
  let { model } = context;
  let calls = 0;
  /** Takes the text out of a call of a tool of free text. */
  let free: FreeTextReader | undefined;
  let usage: TokenUsage | undefined;
  let stop: StopReason = 'end';

  const chunk = (rest: JsonObject): string => `data: ${JSON.stringify({ ...head(), ...rest })}\n\n`;
  const head = () => ({ ...envelope(id, context), object: 'chat.completion.chunk', model });
  const delta = (value: JsonObject, reason: string | null = null, logprobs?: Logprobs): string =>
    chunk({
      choices: [{ index: 0, delta: value, logprobs: logprobsOf(logprobs), finish_reason: reason }],
      ...(wantsUsage ? { usage: null } : {}),
    });
  const fragment = (value: JsonObject) => delta({ tool_calls: [{ index: calls - 1, ...value }] });
  const input = (text: string) => (text === '' ? '' : fragment({ custom: { input: text } }));
  const close = (): string => {
    const rest = free?.rest() ?? '';
    free = undefined;
    return input(rest);
  };

  const write = (event: AnswerEvent): string => {
    switch (event.type) {
      case 'start':
        model = event.model ?? model;
        return delta({ role: 'assistant', content: '', refusal: null });
      case 'text':
        return close() + delta({ content: event.text }, null, event.logprobs);
      case 'refusal':
        return close() + delta({ refusal: event.text });
      case 'reasoning':
        return close() + delta({ reasoning_content: event.text });
      case 'call': {
        const before = close();
        calls += 1;
        free = custom.has(event.name) ? freeTextReader() : undefined;
        const named = free
          ? { type: 'custom', custom: { name: event.name, input: '' } }
          : { type: 'function', function: { name: event.name, arguments: '' } };
        return before + fragment({ id: event.id, ...named });
      }
      case 'arguments':
        return free
          ? input(free.push(event.text))
          : fragment({ function: { arguments: event.text } });
      case 'usage':
        usage = event.usage;
        return '';
      case 'stop':
        stop = event.reason;
        return '';
      case 'end': {
        const counted = wantsUsage ? chunk({ choices: [], usage: usageOf(usage) }) : '';
        return `${close()}${delta({}, REASONS[stop])}${counted}data: [DONE]\n\n`;
      }
      // What only its own backend can read has no place here.
      case 'signature':
      case 'opaque':
        return '';
    }
  };
  return { write, fail: (error) => ERROR_SHAPES.openai.event(error) };
}

/** Writes a chat completion that is not a stream. */
export function writeAnswer(answer: WholeAnswer, context: AnswerContext): JsonObject {
  const custom = customTools(context.fields);
  const texts = (type: Block['type']): string =>
    answer.blocks
      .map((block) => (block.type === type && 'text' in block ? block.text : ''))
      .join('');
  const calls = answer.blocks.flatMap((block) =>
    block.type === 'call' ? [callOf(block, custom.has(block.name))] : [],
  );
  const logprobs = answer.blocks.flatMap((block) =>
    block.type === 'text' ? (block.logprobs ?? []) : [],
  );
  const [content, refusal, reasoning] = [texts('text'), texts('refusal'), texts('reasoning')];
  return {
    ...envelope(context.mint('chatcmpl-'), context),
    object: 'chat.completion',
    model: answer.model ?? context.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: content === '' && (calls.length > 0 || refusal !== '') ? null : content,
          refusal: refusal || null,
          ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
          ...(calls.length > 0 ? { tool_calls: calls } : {}),
        },
        logprobs: logprobsOf(logprobs.length > 0 ? logprobs : undefined),
        finish_reason: REASONS[answer.stop],
      },
    ],
    ...(answer.usage ? { usage: usageOf(answer.usage) } : {}),
  };
}

function logprobsOf(content: Logprobs | undefined): JsonObject | null {
  return content ? { content, refusal: null } : null;
}

function envelope(id: string, { now }: AnswerContext) {
  return { id, created: Math.floor(now / 1000) };
}

function callOf(call: Extract<Block, { type: 'call' }>, custom: boolean): JsonObject {
  const { id, name, arguments: text } = call;
  return custom
    ? { id, type: 'custom', custom: { name, input: freeTextOf(text) } }
    : { id, type: 'function', function: { name, arguments: text } };
}

/** The names of the client's tools that take free text. */
function customTools(fields: JsonObject): ReadonlySet<string> {
  const names = (asObjects(fields['tools']) ?? []).map((tool) =>
    asText(asObject(tool['custom'])?.['name']),
  );
  return new Set(names.filter((name) => name !== undefined));
}

function usageOf(usage: TokenUsage | undefined): JsonObject | null {
  if (!usage) return null;
  const { input, output, cached, cacheWritten, reasoning } = usage;
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: {
      cached_tokens: cached ?? 0,
      ...(cacheWritten ? { cache_write_tokens: cacheWritten } : {}),
    },
    completion_tokens_details: { reasoning_tokens: reasoning ?? 0 },
  };
}
