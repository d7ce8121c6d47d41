import type { Answer, ServerEvent } from '../adapters/adapter.ts';
import type { BackendError } from '../adapters/errors.ts';
import { asObject, parseJson, type JsonObject } from '../adapters/json.ts';
import { gather, type AnswerEvent, type TokenUsage } from './answer.ts';
import {
  AnswerFailed,
  type AnswerContext,
  type AskedDialect,
  type ServedDialect,
} from './dialect.ts';
import { settle } from './settle.ts';

/** The last stage of an answer on its way: from its backend's dialect into the client's. */
export interface AnswerStage {
  /** Of the stream that it writes. */
  readonly contentType: string;
  /** The answer has said its last word. */
  readonly ended: boolean;
  /** As far as the answer has told it. */
  readonly usage: TokenUsage | undefined;
  /**
   * What one event of the backend's stream is in the client's; often nothing.
   * @throws AnswerFailed
   */
  event(event: ServerEvent): string;
  /** A whole answer. @throws AnswerFailed */
  body(body: Buffer): Answer;
  /** The whole answer, in a dialect whose clients may come back for it; once it is over. */
  readonly result: JsonObject | undefined;
  /** Ends a stream with an error. */
  fail(error: BackendError & { readonly status: number }): string;
}

/**
 * Translates one answer.
 * @param between From the backend's dialect to the client's.
 */
export function answerStage(
  between: {
    readonly from: AskedDialect;
    readonly to: ServedDialect;
    readonly contentType: string;
  },
  context: AnswerContext & {
    readonly stream: boolean;
    /** Of the conversation so far. */
    readonly callIds?: Iterable<string>;
  },
): AnswerStage {
  const { from, to, contentType } = between;
  const read = from.eventReader();
  const settled = settle(context.mint, context.callIds);
  const writer = to.eventWriter(context);
  let ended = false;
  let usage: TokenUsage | undefined;
  let whole: JsonObject | undefined;
  const note = (event: AnswerEvent): void => {
    if (event.type === 'usage') ({ usage } = event);
  };
  const write = (events: readonly AnswerEvent[]): string => {
    let text = '';
    for (const event of events) {
      note(event);
      for (const one of settled(event)) {
        text += writer.write(one);
        if (one.type === 'end') ended = true;
      }
    }
    return text;
  };
  return {
    contentType,
    get ended() {
      return ended;
    },
    get usage() {
      return usage;
    },
    get result() {
      return whole ?? writer.result;
    },
    event: (event) => (ended ? '' : write(read(event))),
    body(body) {
      const answer = asObject(parseJson(body.toString('utf8')));
      if (!answer) throw new AnswerFailed('it is no JSON object');
      const events = from.readAnswer(answer);
      for (const event of events) note(event);
      // Whoever asked for a stream gets one, also from a backend that ignores the wish.
      if (context.stream) return { body: write(events), contentType };
      whole = to.writeAnswer(gather(events.flatMap((event) => settled(event))), context);
      return { body: JSON.stringify(whole), contentType: 'application/json' };
    },
    fail: (error) => writer.fail(error),
  };
}
