import { asObject, parseJson, type JsonObject } from '../../adapters/json.ts';
import type { AnswerEvent, Block, StopReason, TokenUsage, WholeAnswer } from '../answer.ts';
import type { AnswerContext, EventWriter } from '../dialect.ts';
import { ERROR_SHAPES } from '../error-shapes.ts';

const REASONS = {
  end: 'end_turn',
  length: 'max_tokens',
  'stop-sequence': 'stop_sequence',
  calls: 'tool_use',
  filtered: 'refusal',
  context: 'model_context_window_exceeded',
  pause: 'pause_turn',
} as const satisfies Record<StopReason, string>;

type BlockKind = 'text' | 'thinking' | 'tool_use';

/** Writes an answer as a stream of Anthropic's Messages: one block after the other. */
export function eventWriter(context: AnswerContext): EventWriter {
  const id = context.mint('msg_');
  let index = -1;
  let open: BlockKind | undefined;
  let usage: TokenUsage | undefined;
  let stop: Extract<AnswerEvent, { type: 'stop' }> | undefined;

  const close = (): string => {
    if (open === undefined) return '';
    open = undefined;
    return `event: content_block_stop\ndata: {"type":"content_block_stop","index":${index}}\n\n`;
  };
  const start = (kind: BlockKind | undefined, block: JsonObject): string => {
    const before = close();
    index += 1;
    open = kind;
    return `${before}event: content_block_start\ndata: {"type":"content_block_start","index":${index},"content_block":${JSON.stringify(block)}}\n\n`;
  };
  /** @param json The delta, after its opening brace. */
  const delta = (json: string): string =>
    `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":{${json}}\n\n`;
  const text = (value: string): string => {
    const before = open === 'text' ? '' : start('text', { type: 'text', text: '' });
    return `${before}${delta(`"type":"text_delta","text":${JSON.stringify(value)}}`)}`;
  };
  const think = (json: string): string => {
    const block = { type: 'thinking', thinking: '', signature: '' };
    const before = open === 'thinking' ? '' : start('thinking', block);
    return before + delta(json);
  };

  const write = (event: AnswerEvent): string => {
    switch (event.type) {
      case 'start':
        return named('message_start', {
          message: message(
            { id, model: event.model ?? context.model, content: [] },
            { reason: null, sequence: null, usage: usageOf(usage) },
          ),
        });
      case 'text':
      case 'refusal':
        return text(event.text);
      case 'reasoning':
        return think(`"type":"thinking_delta","thinking":${JSON.stringify(event.text)}}`);
      case 'signature': {
        const signed = think(
          `"type":"signature_delta","signature":${JSON.stringify(event.signature)}}`,
        );
        return signed + close();
      }
      case 'opaque':
        return start(undefined, { type: 'redacted_thinking', data: event.data }) + stopped(index);
      case 'call': {
        const block = { type: 'tool_use', id: event.id, name: event.name, input: {} };
        return start('tool_use', block);
      }
      case 'arguments':
        return delta(`"type":"input_json_delta","partial_json":${JSON.stringify(event.text)}}`);
      case 'usage':
        ({ usage } = event);
        return '';
      case 'stop':
        stop = event;
        return close();
      case 'end':
        return (
          close() +
          named('message_delta', {
            delta: {
              stop_reason: REASONS[stop?.reason ?? 'end'],
              stop_sequence: stop?.sequence ?? null,
            },
            usage: usageOf(usage),
          }) +
          named('message_stop', {})
        );
    }
  };
  return { write, fail: (error) => ERROR_SHAPES.anthropic.event(error, error) };
}

/** Writes an answer as Anthropic's Message. */
export function writeAnswer(answer: WholeAnswer, context: AnswerContext): JsonObject {
  const content = answer.blocks.flatMap(contentOf);
  return message(
    { id: context.mint('msg_'), model: answer.model ?? context.model, content },
    {
      reason: REASONS[answer.stop],
      sequence: answer.sequence ?? null,
      usage: usageOf(answer.usage),
    },
  );
}

function named(type: string, rest: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
}

function stopped(index: number): string {
  return named('content_block_stop', { index });
}

interface MessageHead {
  readonly id: string;
  readonly model: string;
  readonly content: readonly JsonObject[];
}

function message(
  { id, model, content }: MessageHead,
  end: {
    readonly reason: string | null;
    readonly sequence: string | null;
    readonly usage: JsonObject;
  },
): JsonObject {
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason: end.reason,
    stop_sequence: end.sequence,
    usage: end.usage,
  };
}

function contentOf(block: Block): readonly JsonObject[] {
  switch (block.type) {
    case 'text':
    case 'refusal':
      return block.text === '' ? [] : [{ type: 'text', text: block.text }];
    case 'reasoning': {
      const { text: thinking, signature = '', opaque } = block;
      return [
        opaque === undefined
          ? { type: 'thinking', thinking, signature }
          : { type: 'redacted_thinking', data: opaque },
      ];
    }
    case 'call': {
      const input = asObject(parseJson(block.arguments));
      // Cut off at the limit, which the stop reason tells.
      if (!input) return [];
      return [{ type: 'tool_use', id: block.id, name: block.name, input }];
    }
  }
}

/** Here the cached tokens are not part of the input. */
function usageOf(usage: TokenUsage | undefined): JsonObject {
  const { input = 0, output = 0, cached = 0, cacheWritten = 0, reasoning } = usage ?? {};
  return {
    input_tokens: Math.max(0, input - cached - cacheWritten),
    cache_creation_input_tokens: cacheWritten,
    cache_read_input_tokens: cached,
    output_tokens: output,
    ...(reasoning === undefined ? {} : { output_tokens_details: { thinking_tokens: reasoning } }),
  };
}
