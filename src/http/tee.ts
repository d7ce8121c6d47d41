import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Who gets a copy of all that goes to a client. */
export interface Tap {
  answerHead(headers: OutgoingHttpHeaders): void;
  answer(bytes: Buffer): void;
  /** The answer is whole: without that, its connection was torn. */
  answerEnd(): void;
}

/**
 * Copies to a tap whatever is written to a response: relayed answers, our own errors, keep-alive
 * comments. It stands around the response, so that responses without a tap pay nothing.
 */
export function tee(response: ServerResponse, tap: Tap): void {
  const writeHead = response.writeHead.bind(response) as (...parts: unknown[]) => ServerResponse;
  const write = response.write.bind(response) as (...parts: unknown[]) => boolean;
  const end = response.end.bind(response) as (...parts: unknown[]) => ServerResponse;
  const copy = (bytes: unknown): void => {
    if (typeof bytes === 'string') tap.answer(Buffer.from(bytes));
    else if (Buffer.isBuffer(bytes)) tap.answer(bytes);
  };
  Object.assign(response, {
    writeHead(status: number, headers: OutgoingHttpHeaders = {}) {
      tap.answerHead(headers);
      return writeHead(status, headers);
    },
    write(bytes: unknown, ...rest: unknown[]) {
      copy(bytes);
      return write(bytes, ...rest);
    },
    end(bytes?: unknown, ...rest: unknown[]) {
      copy(bytes);
      tap.answerEnd();
      return end(bytes, ...rest);
    },
  });
}
