import type { Call } from './call.ts';
import { STREAM_HEADERS } from './event-answer.ts';
import { errorsOf } from '../service.ts';

/** What says that a stream is still to come, by how errors are told in it. */
const SIGNS = {
  openai: ': keep-alive\n\n',
  responses: ': keep-alive\n\n',
  // Some of its clients give up on a stream that has had no event for a while.
  anthropic: 'event: ping\ndata: {"type":"ping"}\n\n',
} as const satisfies Record<ReturnType<typeof errorsOf>, string>;

/**
 * Sends a comment every so often to a client that waits for a stream's first event, so that nothing
 * on the way takes the silence for an end. Only the head is decided by that: instances can still
 * fail and be replaced behind it.
 * @param every Milliseconds; `undefined`: never.
 */
export function keepAlive(call: Call, every: number | undefined): { close(): void } {
  if (every === undefined || !call.stream) return { close() {} };
  const { response } = call;
  const sign = SIGNS[errorsOf(call.operation)];
  const timer = setInterval(() => {
    if (!response.headersSent) {
      response.writeHead(200, { ...STREAM_HEADERS, ...call.ownHeaders });
      call.keptAlive = true;
    }
    // From the first event on, the stream speaks for itself.
    if (call.keptAlive && !call.answering) {
      response.write(sign);
      call.bytesOut += sign.length;
    }
  }, every);
  return {
    close() {
      clearInterval(timer);
    },
  };
}
