import type { ServerEvent } from '../adapters/adapter.ts';
import { streamError } from '../adapters/errors.ts';
import { asObject, asText, parseJson } from '../adapters/json.ts';
import { AnswerFailed } from '../dialects/dialect.ts';
import type { AnswerStage } from '../dialects/translate.ts';
import { readUsage, type Usage } from '../observe/usage.ts';
import type { Answerer, Outlet } from './outlet.ts';
import type { Glance, PlacedEvent } from './event-stream.ts';
import { badAnswer, eventFailure, type Failure } from './failure.ts';
import { FRAMINGS, type Framing } from './framing.ts';
import { isTerminator } from './terminator.ts';

/** An event is held until it is whole; no image comes near this many bytes. */
const LONGEST_EVENT = 128 * 1024 * 1024;

/** What keeps proxies and browsers from holding a stream back. */
export const STREAM_HEADERS = {
  'content-type': FRAMINGS.events.contentType,
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
};

/**
 * A stream of events, sent on event by event as it arrives. Its head goes out with the first event,
 * so that an error in the first place can still be turned into a status or another attempt; an
 * error later on, and an end without the terminator, reach the client as an error event.
 */
export class EventAnswer implements Answerer {
  events = 0;
  readonly #outlet: Outlet;
  readonly #framing: Framing;
  readonly #cutter: ReturnType<Framing['cutter']>;
  readonly #translate: ((event: ServerEvent) => readonly ServerEvent[]) | undefined;
  readonly #stage: AnswerStage | undefined;
  #terminated = false;
  /** Comments that came before the first event. */
  #waiting: Buffer[] = [];
  /** What went out last, as it came. */
  #last: Buffer | undefined;
  #firstUsage: Buffer | undefined;
  #lastUsage: Buffer | undefined;

  constructor(outlet: Outlet, framing: Framing) {
    this.#outlet = outlet;
    this.#framing = framing;
    this.#cutter = framing.cutter();
    this.#translate = outlet.request.transform?.event;
    this.#stage = outlet.request.stage;
  }

  data(chunk: Buffer): void {
    const whole = this.#cutter.push(chunk);
    if (whole) this.#accept(whole);
    else if (this.#cutter.held > LONGEST_EVENT) {
      const { name } = this.#outlet.request.instance;
      this.broken(badAnswer(`The stream of "${name}" has an event of more than 128 MB.`));
    }
  }

  end(): void {
    const rest = this.#cutter.rest();
    if (rest) {
      // Some backends leave out the empty line after their last event; an answer in plain JSON
      // has none at all.
      const whole = Buffer.concat([rest, Buffer.from(this.#framing.end)]);
      const events = this.#framing.parse(whole);
      if (events.some((event) => this.#isEnd(event) || errorOf(event))) {
        this.#accept(whole);
      } else if (!this.#outlet.committed) {
        const error = streamError(rest.toString('utf8'));
        if (error) {
          this.#outlet.fail(eventFailure(this.#outlet.request.instance, error));
          return;
        }
      }
    }
    if (this.#terminated) {
      this.#outlet.finish();
      return;
    }
    const { instance } = this.#outlet.request;
    const after = this.events === 0 ? 'before its first event' : `after ${this.events} events`;
    this.broken(
      badAnswer(
        `The stream of "${instance.name}" ended ${after}, without its terminator: the answer is not whole.`,
      ),
    );
  }

  broken(failure: Failure): void {
    if (!this.#outlet.committed) this.#outlet.fail(failure);
    // The client has everything, terminator included; only the connection ended badly.
    else if (this.#terminated) this.#outlet.finish();
    else this.#outlet.breakOff(failure, this.#lastWords(failure));
  }

  #lastWords({ body, status }: Failure): string {
    const { errors, requestId, keeper } = this.#outlet.request;
    if (this.#stage) {
      const words = this.#stage.fail({ ...body, status });
      keeper?.end(this.#stage.result);
      return words;
    }
    return errors.event(body, { status, requestId, sequence: nextSequence(this.#last) });
  }

  usage(): Usage | undefined {
    const { usage } = this.#stage ?? {};
    if (usage) return usage;
    const last = this.#lastUsage && readUsage(this.#lastUsage);
    if (!last || last.input > 0) return last;
    // Messages tell the input at their start, and some not again.
    const first = this.#firstUsage && readUsage(this.#firstUsage);
    return { input: first?.input ?? 0, output: last.output };
  }

  #accept(whole: Buffer): void {
    const look = this.#framing.glance(whole);
    if (look.mayHoldError) {
      const events = this.#framing.parse(whole);
      for (const event of events) {
        const error = errorOf(event);
        if (error) {
          this.#failAt(
            whole.subarray(0, event.start),
            eventFailure(this.#outlet.request.instance, error),
          );
          return;
        }
      }
    }
    this.#send(whole, look);
  }

  /** The error's own event is not sent on: it is told in the client's dialect. */
  #failAt(before: Buffer, failure: Failure): void {
    this.#send(before, this.#framing.glance(before));
    // Only what follows the terminator is nobody's loss.
    if (this.#terminated) this.#outlet.finish();
    else this.broken(failure);
  }

  #send(whole: Buffer, look: Glance): void {
    if (look.events === 0) {
      this.#sendComments(whole);
      return;
    }
    this.events += look.events;
    if (look.mentionsUsage) this.#noteUsage(whole);
    if (this.#stage) {
      this.#sendStaged(this.#framing.parse(whole), this.#stage);
      return;
    }
    if (this.#translate) {
      // The head waits for what is made of the events: it may tell of that.
      this.#outlet.begin();
      this.#sendTranslated(this.#framing.parse(whole), this.#translate);
      return;
    }
    const mayEnd = !this.#terminated && look.mayHoldEnd;
    this.#pass(whole, {
      noted: look.mayHoldEnd || this.events === look.events,
      ended: mayEnd && this.#framing.parse(whole).some((event) => this.#isEnd(event)),
    });
  }

  /**
   * Events as the client gets them, in the dialect that the backend was asked in.
   * @param noted Whoever keeps the answer has to see them.
   */
  #pass(
    whole: Buffer,
    { noted, ended }: { readonly noted: boolean; readonly ended: boolean },
  ): void {
    this.#commit();
    if (noted) this.#outlet.request.keeper?.events(whole);
    this.#last = whole;
    this.#terminated ||= ended;
    this.#outlet.write(whole);
    if (this.#terminated) this.#seeFailure(whole);
  }

  /** Of Responses, the last event may say that there is no answer; then the client knows already. */
  #seeFailure(whole: Buffer): void {
    if (!whole.includes('"response.failed"')) return;
    const failure = failureIn(this.#framing.parse(whole));
    if (failure) this.#outlet.breakOff(failure, '');
  }

  #noteUsage(whole: Buffer): void {
    if (this.#outlet.request.operation === 'messages') {
      this.#firstUsage ??= firstEvent(whole);
    }
    this.#lastUsage = whole;
  }

  #commit(): void {
    if (this.#outlet.committed) return;
    const type = this.#stage?.contentType ?? this.#framing.contentType;
    const set = { ...STREAM_HEADERS, 'content-type': type };
    this.#outlet.commit({ keepLength: false, set });
    if (this.#stage) this.#outlet.request.keeper?.begin();
    for (const comments of this.#waiting.splice(0)) this.#outlet.write(comments);
  }

  /** The events of one piece go out as one, in the client's dialect. */
  #sendStaged(events: readonly PlacedEvent[], stage: AnswerStage): void {
    let text = '';
    let failed: AnswerFailed | undefined;
    try {
      for (const event of events) {
        for (const own of this.#translate?.(event) ?? [event]) text += stage.event(own);
      }
    } catch (error) {
      if (!(error instanceof AnswerFailed)) throw error;
      failed = error;
    }
    if (text !== '') {
      this.#commit();
      this.#outlet.write(text);
    }
    this.#terminated = stage.ended;
    if (stage.ended) this.#outlet.request.keeper?.end(stage.result);
    if (failed) this.broken(badAnswer(failed.message));
  }

  #sendComments(bytes: Buffer): void {
    if (this.#stage && this.#stage.contentType !== STREAM_HEADERS['content-type']) return;
    if (this.#outlet.committed) this.#outlet.write(bytes);
    else this.#waiting.push(bytes);
  }

  #sendTranslated(
    events: readonly PlacedEvent[],
    translate: (event: ServerEvent) => readonly ServerEvent[],
  ): void {
    let text = '';
    let ended = false;
    for (const event of events) {
      for (const translated of translate(event)) {
        ended ||= this.#isEnd(translated);
        text += this.#framing.render(translated);
      }
    }
    if (text !== '') this.#pass(Buffer.from(text), { noted: true, ended });
  }

  #isEnd(event: ServerEvent): boolean {
    return isTerminator(this.#outlet.request.operation, event);
  }
}

function failureIn(events: readonly PlacedEvent[]): Failure | undefined {
  for (const { data } of events) {
    const event = asObject(parseJson(data));
    if (event?.['type'] !== 'response.failed') continue;
    const error = asObject(asObject(event['response'])?.['error']);
    return badAnswer(asText(error?.['message']) ?? 'The model failed, and nobody says why.');
  }
  return undefined;
}

/** The number that comes after those of a stream whose events are counted. */
function nextSequence(last: Buffer | undefined): number {
  const numbers = last
    ?.toString('latin1')
    .match(/"sequence_number"\s*:\s*\d+/g)
    ?.at(-1);
  return numbers === undefined ? 0 : Number(/\d+/.exec(numbers)![0]) + 1;
}

/** Events that come together may have the usage of the start and of the end. */
function firstEvent(whole: Buffer): Buffer {
  const end = whole.indexOf('\n\n');
  return end < 0 ? whole : whole.subarray(0, end);
}

/** An event that is called `error` is one, whatever the shape of its data. */
function errorOf({ event, data }: ServerEvent): ReturnType<typeof streamError> {
  const error = streamError(data);
  if (error || event !== 'error') return error;
  return streamError(`{"error":${isJson(data) ? data : JSON.stringify(data)}}`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
