import type { Ending } from '../observe/outcome.ts';
import type { Usage } from '../observe/usage.ts';
import type { Operation } from '../service.ts';
import type { JsonLayout } from './json-layout.ts';

/** The version of the format that is written. */
export const FORMAT = 1;

/**
 * A call and its answer as they went to and from the client: the content of one file. Secrets are
 * masked. Spans are milliseconds since the call came in.
 */
export interface Recording {
  readonly version: typeof FORMAT;
  /** When the call came in, in ISO 8601. */
  readonly at: string;
  readonly id: string;
  readonly operation: Operation;
  readonly ending: Ending;
  /** What went wrong, for people. */
  readonly error?: string | undefined;
  readonly duration: number;
  /** To the answer's first byte. */
  readonly firstByte?: number | undefined;
  readonly usage?: Usage | undefined;
  readonly request: RecordedRequest;
  readonly route: RecordedRoute;
  /** Absent when the client left before there was one. */
  readonly response?: RecordedResponse | undefined;
}

export interface RecordedRequest extends RecordedBody {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** As the client asked for it. */
  readonly model?: string | undefined;
  readonly stream: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** Which way the call took. */
export interface RecordedRoute {
  readonly instance?: string | undefined;
  /** The backend's name of the model. */
  readonly model?: string | undefined;
  readonly attempts: readonly {
    readonly instance: string;
    readonly model: string;
    readonly status?: number | undefined;
    readonly ending: Ending;
    readonly duration: number;
    readonly error?: string | undefined;
  }[];
}

export interface RecordedResponse extends RecordedBody {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The connection was torn at the end of what there is. */
  readonly torn?: true | undefined;
}

/** A body in the most readable form that loses nothing: one of `json`, `form`, `text`, `events`, `base64`. */
export interface RecordedBody {
  /** More was sent than `capture.maxFileBytes`: what is here is its beginning. */
  readonly truncated?: true | undefined;
  /** Of the whole body, where it is truncated. */
  readonly bytes?: number | undefined;
  readonly json?: unknown;
  /** How the JSON was written, where that was not as `JSON.stringify` does; of answers alone. */
  readonly layout?: JsonLayout | undefined;
  readonly form?: readonly RecordedPart[] | undefined;
  readonly text?: string | undefined;
  readonly events?: readonly RecordedChunk[] | undefined;
  readonly base64?: string | undefined;
}

/** A part of a form. */
export interface RecordedPart extends TextOrBytes {
  readonly name: string;
  readonly filename?: string | undefined;
  readonly contentType?: string | undefined;
}

/** A piece of a stream as it went over the wire: one event, several, or a comment. */
export interface RecordedChunk extends TextOrBytes {
  readonly at: number;
}

interface TextOrBytes {
  readonly text?: string | undefined;
  /** In place of `text`, where it is none. */
  readonly base64?: string | undefined;
}
