import type { ServerEvent } from '../adapters/adapter.ts';
import type { BackendError } from '../adapters/errors.ts';
import type { JsonObject } from '../adapters/json.ts';
import type { AnswerEvent, WholeAnswer } from './answer.ts';
import type { Prompt } from './prompt.ts';

/** Whom a request is written for. */
export interface Addressee {
  /** The backend's name of the model. */
  readonly model: string;
  /** Request fields that this backend reads beside those which every one of its dialect does. */
  readonly extras: readonly string[];
  /** Tokens; absent: not known. */
  readonly contextLength?: number | undefined;
}

/** A request in a dialect, and what of the prompt it could not say. */
export interface Draft {
  readonly fields: JsonObject;
  readonly dropped: readonly string[];
}

/** What an answer needs beside its events. */
export interface AnswerContext {
  /** The client's request, in its own dialect. */
  readonly fields: JsonObject;
  /** The backend's name of the model, for answers that do not tell it. */
  readonly model: string;
  /** The answer's own id, where its client may come back for it. */
  readonly id?: string | undefined;
  /** When the backend was asked, in milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds since the epoch, as of now. */
  readonly clock: () => number;
  /** Makes an id that nobody has had. */
  readonly mint: (prefix: string) => string;
}

/** Writes an answer as a stream; made anew for each. */
export interface EventWriter {
  /** @returns The bytes of the stream that say it; often none. */
  write(event: AnswerEvent): string;
  /** Ends the stream with an error. */
  fail(error: BackendError & { readonly status: number }): string;
  /** The whole answer, in a dialect whose last word it is; once it has been said. */
  readonly result?: JsonObject | undefined;
}

/** A way in which clients speak with a model. */
export interface ServedDialect {
  /** @throws RequestRefused when it is no request of this dialect. */
  readonly readRequest: (fields: JsonObject) => Prompt;
  readonly eventWriter: (context: AnswerContext) => EventWriter;
  readonly writeAnswer: (answer: WholeAnswer, context: AnswerContext) => JsonObject;
  /** What it calls what a backend can't be told, where that is not as chat completions call it. */
  readonly names?: Readonly<Record<string, string>>;
}

/** A way in which backends are spoken with. */
export interface AskedDialect {
  readonly writeRequest: (prompt: Prompt, addressee: Addressee) => Draft;
  /**
   * Reads a stream; to be made anew for each.
   * @throws AnswerFailed when an event says that there will be no answer.
   */
  readonly eventReader: () => (event: ServerEvent) => readonly AnswerEvent[];
  /** Reads an answer that is not a stream. @throws AnswerFailed */
  readonly readAnswer: (answer: JsonObject) => readonly AnswerEvent[];
}

/**
 * A way to speak with a model, from either side. Each has translations only between it and the one
 * model of requests (`prompt.ts`) and answers (`answer.ts`), so that any two can be joined.
 */
export type Dialect = ServedDialect & AskedDialect;

/** The backend's answer is none; the message says why. */
export class AnswerFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AnswerFailed';
  }
}
