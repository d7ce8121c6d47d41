import { asObject, parseJson, type JsonObject } from '../../adapters/json.ts';
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

/** What a line of `/api/chat` or of `/api/generate` has in its midst. */
type Shape = (said: {
  readonly content?: string;
  readonly thinking?: string;
  readonly calls?: readonly JsonObject[];
}) => JsonObject;

const chatShape: Shape = ({ content = '', thinking, calls }) => ({
  message: {
    role: 'assistant',
    content,
    ...(thinking === undefined ? {} : { thinking }),
    ...(calls ? { tool_calls: calls } : {}),
  },
});

const generateShape: Shape = ({ content = '', thinking, calls }) => ({
  response: content,
  ...(thinking === undefined ? {} : { thinking }),
  ...(calls ? { tool_calls: calls } : {}),
});

const MILLISECOND = 1_000_000;

/** Writes an answer as the lines of a stream. */
function writerOf(shape: Shape): (context: AnswerContext) => EventWriter {
  return (context) => {
    let { model } = context;
    let first: number | undefined;
    let call: { readonly id: string; readonly name: string; text: string } | undefined;
    let calls = 0;
    let usage: TokenUsage | undefined;
    let stop: StopReason = 'end';
    const line = (rest: JsonObject): string =>
      `${JSON.stringify({ model, created_at: new Date(context.clock()).toISOString(), ...rest })}\n`;
    const say = (said: Parameters<Shape>[0], logprobs?: Logprobs): string =>
      line({ ...shape(said), done: false, ...(logprobs && { logprobs }) });
    /** A call is told as a whole, as its arguments are an object. */
    const close = (): string => {
      const made = call && callOf(call, calls);
      if (made) calls += 1;
      call = undefined;
      return made ? say({ calls: [made] }) : '';
    };
    const write = (event: AnswerEvent): string => {
      switch (event.type) {
        case 'start':
          model = event.model ?? model;
          first = context.clock();
          return '';
        case 'text':
          return close() + say({ content: event.text }, event.logprobs);
        case 'refusal':
          return close() + say({ content: event.text });
        case 'reasoning':
          return close() + say({ thinking: event.text });
        case 'call': {
          const before = close();
          call = { id: event.id, name: event.name, text: '' };
          return before;
        }
        case 'arguments':
          if (call) call.text += event.text;
          return '';
        case 'usage':
          ({ usage } = event);
          return '';
        case 'stop':
          stop = event.reason;
          return close();
        case 'end':
          return (
            close() + line({ ...shape({}), ...lastWords(stop, usage, timesOf(context, first)) })
          );
        case 'signature':
        case 'opaque':
          return '';
      }
    };
    return { write, fail: (error) => ERROR_SHAPES.ollama.event(error) };
  };
}

/** Writes an answer as one object. */
function wholeOf(shape: Shape): (answer: WholeAnswer, context: AnswerContext) => JsonObject {
  return ({ model, blocks, stop, usage }, context) => {
    const texts = (...types: Block['type'][]) =>
      blocks
        .map((block) => (types.includes(block.type) && 'text' in block ? block.text : ''))
        .join('');
    const calls = blocks
      .filter((block) => block.type === 'call')
      .map((block, index) => callOf({ ...block, text: block.arguments }, index))
      .filter((call) => call !== undefined);
    const thinking = texts('reasoning');
    const logprobs = blocks.flatMap((block) =>
      block.type === 'text' ? (block.logprobs ?? []) : [],
    );
    return {
      model: model ?? context.model,
      created_at: new Date(context.clock()).toISOString(),
      ...shape({
        content: texts('text', 'refusal'),
        ...(thinking === '' ? {} : { thinking }),
        ...(calls.length > 0 ? { calls } : {}),
      }),
      ...lastWords(stop, usage, timesOf(context, undefined)),
      ...(logprobs.length > 0 ? { logprobs } : {}),
    };
  };
}

export const chatWriter = writerOf(chatShape);
export const chatWhole = wholeOf(chatShape);
export const generateWriter = writerOf(generateShape);
export const generateWhole = wholeOf(generateShape);

function callOf(
  { id, name, text }: { readonly id: string; readonly name: string; readonly text: string },
  index: number,
): JsonObject | undefined {
  const input = asObject(parseJson(text));
  // Cut off at the limit, which the reason tells.
  return input && { id, function: { index, name, arguments: input } };
}

interface Times {
  /** Milliseconds until its first word, and after that. */
  readonly read: number;
  readonly written: number;
}

function timesOf({ now, clock }: AnswerContext, first: number | undefined): Times {
  const end = clock();
  const start = first ?? end;
  return { read: start - now, written: end - start };
}

function lastWords(
  stop: StopReason,
  usage: TokenUsage | undefined,
  { read, written }: Times,
): JsonObject {
  return {
    done: true,
    done_reason: stop === 'length' || stop === 'context' ? 'length' : 'stop',
    total_duration: Math.round((read + written) * MILLISECOND),
    load_duration: 0,
    prompt_eval_count: usage?.input ?? 0,
    prompt_eval_duration: Math.round(read * MILLISECOND),
    eval_count: usage?.output ?? 0,
    eval_duration: Math.round(written * MILLISECOND),
  };
}
