import { streamError } from '../adapters/errors.ts';
import { asObject, parseJson } from '../adapters/json.ts';
import { gather, type AnswerEvent } from '../dialects/answer.ts';
import { AnswerFailed } from '../dialects/dialect.ts';
import { ASKED } from '../dialects/index.ts';
import { readAnswer } from '../dashboard/answer-text.ts';
import { FRAMINGS } from '../http/framing.ts';
import { canonical } from '../recording/asked.ts';
import { speaksLines, type Operation } from '../service.ts';

/** An answer as it went over the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** What an answer says, whatever its dialect. */
export interface SaidAnswer {
  /** The words; of bytes and vectors, how many there are. */
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly tokensIn: number | undefined;
  readonly tokensOut: number | undefined;
}

export interface ToolCall {
  readonly name: string;
  /** As JSON text, with its keys in order. */
  readonly arguments: string;
}

export function saidBy(operation: Operation, answer: WireAnswer): SaidAnswer {
  const { status, contentType, body } = answer;
  if (!/json|text|event-stream/.test(contentType)) {
    const text = `${body.length} bytes of ${contentType || 'something'}`;
    return { text, calls: [], tokensIn: undefined, tokensOut: undefined };
  }
  const { text, tokensIn, tokensOut } = readAnswer(body.toString('utf8'), contentType);
  const spoken = status < 400 ? spokenIn(operation, answer) : undefined;
  return { text, calls: [], tokensIn, tokensOut, ...spoken };
}

/** Text and calls apart, of an operation that speaks. */
function spokenIn(
  operation: Operation,
  { contentType, body }: WireAnswer,
): Pick<SaidAnswer, 'text' | 'calls'> | undefined {
  if (!(operation in ASKED)) return undefined;
  const dialect = ASKED[operation as keyof typeof ASKED];
  const events: AnswerEvent[] = [];
  try {
    if (/event-stream|ndjson/.test(contentType)) {
      const read = dialect.eventReader();
      const { parse } = FRAMINGS[speaksLines(operation) ? 'lines' : 'events'];
      for (const event of parse(body)) {
        const error = streamError(event.data);
        if (error) throw new AnswerFailed(error.message);
        events.push(...read(event));
      }
    } else {
      const json = asObject(parseJson(body.toString('utf8')));
      if (!json) return undefined;
      events.push(...dialect.readAnswer(json));
    }
  } catch (error) {
    if (!(error instanceof AnswerFailed)) throw error;
    events.push({ type: 'text', text: `(it failed: ${error.message})` });
  }
  const { blocks } = gather(events);
  return {
    text: blocks.map((block) => (block.type === 'call' ? '' : block.text)).join(''),
    calls: blocks.flatMap((block) =>
      block.type === 'call' ? [{ name: block.name, arguments: ordered(block.arguments) }] : [],
    ),
  };
}

/** The same arguments are the same, in whatever order. */
function ordered(text: string): string {
  const value = parseJson(text);
  return value === undefined ? text : canonical(value);
}
