import type { Operation } from '../service.ts';
import type { Usage } from './usage.ts';

/** One try of a call on one instance; times in milliseconds. */
export interface AttemptRecord {
  readonly instance: string;
  /** The backend's name of the model. */
  readonly model: string;
  readonly duration: number;
  readonly firstByte: number | undefined;
  /** The backend's own status, if it gave one. */
  readonly status: number | undefined;
  /** Why it failed; absent when it did not. */
  readonly error: string | undefined;
}

/**
 * How a call ended. `broken`: the client got a part of the answer and was told so; `aborted`: the
 * client went away.
 */
export type Ending = 'ok' | 'error' | 'broken' | 'aborted';

/** The one record of a call, made at its end; whatever is shown of calls is read from it. */
export interface Outcome {
  readonly id: string;
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
  /** Where the last attempt went. */
  readonly instance: string | undefined;
  readonly upstreamModel: string | undefined;
  readonly ending: Ending;
  /** What the client got; absent when it left before that. */
  readonly status: number | undefined;
  readonly error: string | undefined;
  readonly stream: boolean;
  readonly attempts: readonly AttemptRecord[];
  /** From the request's arrival to the end of the answer, in milliseconds. */
  readonly duration: number;
  /** From the request's arrival to the answer's first byte, in milliseconds. */
  readonly firstByte: number | undefined;
  /** Events of a stream that came. */
  readonly events: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly usage: Usage | undefined;
}
