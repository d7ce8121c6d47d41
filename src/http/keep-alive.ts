import { errorsOf, speaksLines } from '../service.ts';
import type { Call } from './call.ts';
import { STREAM_HEADERS } from './event-answer.ts';
import { FRAMINGS } from './framing.ts';

/** What says that a stream is still to come, by how errors are told in it. */
const SIGNS = {
  openai: () => ': keep-alive\n\n',
  responses: () => ': keep-alive\n\n',
  // Some of its clients give up on a stream that has had no event for a while.
  anthropic: () => 'event: ping\ndata: {"type":"ping"}\n\n',
  // Lines have no comments; this is one in which nothing is said.
  ollama: emptyLine,
} as const satisfies Record<ReturnType<typeof errorsOf>, (call: Call) => string>;

/**
 * Sends a comment every so often to a client that waits for a stream's first event, so that nothing
 * on the way takes the silence for an end. Only the head is decided by that: instances can still
 * fail and be replaced behind it.
 * @param every Milliseconds; `undefined`: never.
 */
export function keepAlive(call: Call, every: number | undefined): { close(): void } {
  if (every === undefined || !call.stream) return { close() {} };
  const { response, operation } = call;
  const sign = SIGNS[errorsOf(operation)];
  const type = FRAMINGS[speaksLines(operation) ? 'lines' : 'events'].contentType;
  const timer = setInterval(() => {
    if (!response.headersSent) {
      response.writeHead(200, { ...STREAM_HEADERS, 'content-type': type, ...call.ownHeaders });
      call.keptAlive = true;
    }
    // From the first event on, the stream speaks for itself.
    if (call.keptAlive && !call.answering) {
      const text = sign(call);
      response.write(text);
      call.bytesOut += Buffer.byteLength(text);
    }
  }, every);
  return {
    close() {
      clearInterval(timer);
    },
  };
}

function emptyLine({ operation, model }: Call): string {
  const said =
    operation === 'ollamaGenerate'
      ? { response: '' }
      : { message: { role: 'assistant', content: '' } };
  const line = { model, created_at: new Date().toISOString(), ...said, done: false };
  return `${JSON.stringify(line)}\n`;
}
