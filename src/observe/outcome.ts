import type { Strategy } from '../config/options/service.ts';
import type { Operation } from '../service.ts';
import type { Trace } from './trace-context.ts';
import type { Usage } from './usage.ts';

/**
 * How a call or an attempt ended. `broken`: the client got a part of the answer and was told so;
 * `aborted`: the client went away, or another attempt of the same call was faster.
 */
export type Ending = 'ok' | 'error' | 'broken' | 'aborted';

/** What calls and attempts have in common, which is what statistics count. */
export interface Ended {
  readonly ending: Ending;
  /** The message, for people. */
  readonly error: string | undefined;
  /**
   * What went wrong in a word: our own error's code, or the backend's status. Only these, so that
   * whoever counts by it has a bounded number of kinds.
   */
  readonly errorKind: string | undefined;
  /** Milliseconds, whole. */
  readonly duration: number;
  /** Milliseconds from its beginning to the answer's first byte. */
  readonly firstByte: number | undefined;
  /** Events of a stream that came. */
  readonly events: number;
  /** Bytes of the request's body. */
  readonly bytesIn: number;
  /** Bytes of the answer's body. */
  readonly bytesOut: number;
  /** As the backend counted. */
  readonly usage: Usage | undefined;
  /** Output tokens, where the backend counted none. */
  readonly tokensGuessed: number;
}

/** Why an attempt went where it went, in facts; `whyText` makes words of them, when somebody reads. */
export interface Choice {
  /**
   * A strategy's name: it chose; `only`: nobody else could serve; `priority`: the only one of the
   * lowest tier; `loaded`: the only one that has the model in memory; `slot`: the first to have room
   * for a call that waited; `hedge`: another one was late.
   */
  readonly by: Strategy | 'only' | 'priority' | 'loaded' | 'slot' | 'hedge';
  /** Instances that it was chosen from. */
  readonly of: number;
  /** The instance that failed the call before, or was late. */
  readonly after: string | undefined;
  /** It is for a fallback model. */
  readonly fallback: boolean;
}

/** Where an attempt ended; `done` is the end of a whole answer. */
export type AttemptPhase = 'connecting' | 'waiting' | 'answering' | 'done';

/** One try of a call on one instance. */
export interface AttemptRecord extends Ended {
  readonly instance: string;
  /** The adapter's name. */
  readonly adapter: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Its id in the call's trace; absent without one. */
  readonly spanId: string | undefined;
  /** The backend's name of the model. */
  readonly model: string;
  readonly choice: Choice;
  /** Milliseconds from the call's arrival to its beginning. */
  readonly startedAfter: number;
  /** The backend's own status, if it gave one. */
  readonly status: number | undefined;
  readonly phase: AttemptPhase;
}

/** The one record of a call, made at its end; whatever is shown of calls is read from it. */
export interface Outcome extends Ended {
  readonly id: string;
  /** Absent when traces are off. */
  readonly trace: Trace | undefined;
  /** When the call came in, as milliseconds since the epoch. */
  readonly at: number;
  readonly path: string;
  readonly operation: Operation;
  /** The client's address. */
  readonly client: string;
  /** The name of the API key it used. */
  readonly key: string | undefined;
  /** What the client asked for; absent when its request did not get so far. */
  readonly model: string | undefined;
  /** Somebody has that model, or an alias or a pattern of the config stands for it. */
  readonly modelKnown: boolean;
  /** Where the last attempt went. */
  readonly instance: string | undefined;
  readonly upstreamModel: string | undefined;
  /** What the client got; absent when it left before that. */
  readonly status: number | undefined;
  /** The error's code as the client got it, which may be the backend's own. */
  readonly code: string | undefined;
  readonly stream: boolean;
  readonly attempts: readonly AttemptRecord[];
  /** Where the rate limit stands that refused it, such as `service chat`. */
  readonly limit: string | undefined;
  /** Milliseconds of `duration` in the queue, for a limit, or for a model or an instance to come up. */
  readonly waited: number;
}
