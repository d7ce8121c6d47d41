import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { PartAnswer, ResponseTransform, Split } from '../adapters/adapter.ts';
import type { ErrorShape } from '../dialects/error-shapes.ts';
import type { AnswerStage } from '../dialects/translate.ts';
import type { Timeouts } from '../config/settings.ts';
import type { Instance } from '../instances/instance.ts';
import type { Usage } from '../observe/usage.ts';
import type { Operation } from '../service.ts';
import type { Failure } from './failure.ts';
import type { AnswerNotes } from './notes.ts';
import type { ResponseKeeper } from './response-keeper.ts';

/** One request to one instance, ready to be sent. */
export interface AttemptRequest {
  readonly instance: Instance;
  /** What the backend is asked for. */
  readonly operation: Operation;
  /** The backend's name of the model. */
  readonly model: string;
  readonly path: string;
  /** undici's flat list of names and values. */
  readonly headers: string[];
  readonly body: Buffer | Iterable<Buffer>;
  /** Bytes of the body. */
  readonly length: number;
  /** The body can be read only once, so it must not meet a connection that may have gone stale. */
  readonly once: boolean;
  /** Of a call that takes several requests: those after the first, and what makes one answer of all. */
  readonly split?: { readonly rest: readonly PartRequest[]; readonly join: Split['join'] };
  /** The client asked for a stream. */
  readonly stream: boolean;
  readonly timeouts: Timeouts;
  readonly transform: ResponseTransform | undefined;
  /** What is to be told beside the answer. */
  readonly notes?: AnswerNotes | undefined;
  /** What speaks against a whole answer, as it came from the backend. */
  readonly objection?: ((body: Buffer) => Failure | undefined) | undefined;
  /** Brings the answer into the client's dialect, when that is not the backend's. */
  readonly stage: AnswerStage | undefined;
  /** How the client is told errors. */
  readonly errors: ErrorShape;
  readonly requestId: string;
  /** Keeps the answer for a client that comes back for it. */
  readonly keeper: ResponseKeeper | undefined;
  /** The gateway's own headers on the answer. */
  readonly ownHeaders: OutgoingHttpHeaders;
  readonly response: ServerResponse;
}

/** Another request of the same call, to the same path. */
export interface PartRequest {
  readonly headers: string[];
  readonly body: Buffer | readonly Buffer[];
  /** Bytes of the body. */
  readonly length: number;
}

/** How the head that the client gets differs from the backend's. */
export interface HeadChanges {
  /** The body goes on unchanged, so that its length still holds. */
  readonly keepLength: boolean;
  readonly set?: OutgoingHttpHeaders;
  readonly drop?: readonly string[];
}

/** What an answer may do to the attempt that it belongs to. */
export interface Outlet {
  readonly request: AttemptRequest;
  readonly committed: boolean;
  /**
   * The first byte of the answer itself is there.
   * @param most Milliseconds between its bytes, where less than the idle limit will do.
   */
  begin(most?: number): void;
  /** Sends the head to the client; from here on there is no other attempt. */
  commit(changes: HeadChanges): void;
  /** Sends bytes on, and holds the backend back while the client is slow. */
  write(bytes: Buffer | string): void;
  /** Gets what the answer links to on the same backend; without it, the attempt fails. */
  follow(paths: readonly string[], then: (linked: readonly Buffer[]) => void): void;
  /** Gets the answers to the rest of a call's requests; without one of them, the attempt fails. */
  gather(rest: readonly PartRequest[], then: (answers: readonly PartAnswer[]) => void): void;
  /** The answer is whole. */
  finish(bytes?: Buffer | string): void;
  /** Gives up before anything went to the client. */
  fail(failure: Failure): void;
  /** Gives up midway, with a last event to say so where the protocol has one. */
  breakOff(failure: Failure, lastWords?: string): void;
}

/** One way to treat a backend's answer, from its head to its end. */
export interface Answerer {
  /** Events of a stream so far. */
  readonly events: number;
  data(chunk: Buffer): void;
  end(): void;
  /** It broke off or timed out after its head. */
  broken(failure: Failure): void;
  usage(): Usage | undefined;
}

/** A backend's answer headers, with lower-case names. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;
