import type { OutgoingHttpHeaders } from 'node:http';
import type { Usage } from '../observe/usage.ts';
import { serviceOf } from '../service.ts';
import { BufferedAnswer } from './buffered-answer.ts';
import { ErrorAnswer, RefusedAnswer } from './error-answer.ts';
import { EventAnswer } from './event-answer.ts';
import type { Failure } from './failure.ts';
import { PlainAnswer } from './plain-answer.ts';
import type { AttemptRequest } from './relay.ts';

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

/** Chooses the treatment by the answer's head. */
export function openAnswer(outlet: Outlet, status: number, headers: AnswerHeaders): Answerer {
  const { instance, transform, stream, operation } = outlet.request;
  const contentType = headers['content-type']?.toString().toLowerCase();
  if (status >= 400 && status < 600) return new ErrorAnswer(outlet, status, headers);
  if (status >= 600 || status === 304) {
    return new RefusedAnswer(outlet, `"${instance.name}" answered with the odd status ${status}.`);
  }
  if (status >= 300) {
    return new RefusedAnswer(
      outlet,
      `"${instance.name}" redirects to ${String(headers['location'])}: set instances.${instance.name}.baseUrl to where it really is.`,
    );
  }
  if (contentType?.startsWith('text/html')) {
    return new RefusedAnswer(
      outlet,
      `"${instance.name}" answered with a web page instead of a result: check instances.${instance.name}.baseUrl.`,
    );
  }
  const given = headers['content-encoding']?.toString().toLowerCase();
  const encoding = given === 'identity' ? undefined : given;
  // GPUStack sends an error in a stream's place without any content type.
  if (contentType?.startsWith('text/event-stream') || (stream && contentType === undefined)) {
    if (serviceOf(operation) !== 'speech' || contentType !== undefined)
      return new EventAnswer(outlet);
  }
  // We asked for none: the client can't be trusted to know an encoding, nor the header to be true.
  if (transform?.body || encoding !== undefined) {
    return new BufferedAnswer(outlet, transform ?? {}, {
      contentType: contentType ?? '',
      encoding,
    });
  }
  return new PlainAnswer(outlet, contentType);
}
