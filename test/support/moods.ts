import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { chatChunk, json, startEvents } from './fake-backend.ts';

/** A call as a moody backend sees it. */
export interface MoodyCall {
  readonly response: ServerResponse;
  readonly stream: boolean;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export type Mood = (call: MoodyCall) => void | Promise<void>;

/** Chunks of a whole stream. */
export const WORDS = ['one ', 'two ', 'three ', 'four'];
/** A whole answer that is not streamed; long enough that its beginning goes out before its end. */
export const WHOLE = JSON.stringify({ ok: true, padding: 'x'.repeat(4000), last: 'end' });
const HALF = WHOLE.slice(0, 2000);
const DONE = 'data: [DONE]\n\n';
const OUT_OF_MEMORY = { error: { message: 'CUDA out of memory', type: 'server_error', code: 500 } };

/** Answers well, `pause` milliseconds between the pieces. */
async function answer({ response, stream }: MoodyCall, pause: number): Promise<void> {
  if (pause > 0) await sleep(pause);
  if (!stream) {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': WHOLE.length });
    response.write(HALF);
    if (pause > 0) await sleep(pause);
    response.end(WHOLE.slice(HALF.length));
    return;
  }
  startEvents(response);
  for (const word of WORDS) {
    response.write(chatChunk(word));
    if (pause > 0) await sleep(pause);
  }
  response.end(DONE);
}

/** The beginning of a good answer, on its way to the client before more is done. */
async function begin({ response, stream }: MoodyCall): Promise<void> {
  if (stream) {
    startEvents(response);
    response.write(chatChunk(WORDS[0]!));
  } else {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': WHOLE.length });
    response.write(HALF);
  }
  await sleep(5);
}

function raw({ response }: MoodyCall, text: string): void {
  response.socket?.write(text);
}

function reset({ response }: MoodyCall): void {
  response.socket?.resetAndDestroy();
}

/** Every way to answer that is known here, good ones and bad ones. */
export const MOODS = {
  good: (call) => answer(call, Math.floor(call.random() * 3)),
  slow: (call) => answer(call, 20),

  hangs: () => {},
  'hangs after its head': ({ response, stream }) => {
    response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' });
    response.flushHeaders();
  },
  'hangs midway': begin,

  'resets at once': reset,
  'resets within its head': async (call) => {
    raw(call, 'HTTP/1.1 200 OK\r\ncontent-ty');
    await sleep(2);
    reset(call);
  },
  'resets midway': async (call) => {
    await begin(call);
    reset(call);
  },

  'lies at once': ({ response, stream }) => {
    if (!stream) return json(response, 200, OUT_OF_MEMORY);
    startEvents(response);
    response.end(`data: ${JSON.stringify(OUT_OF_MEMORY)}\n\n${DONE}`);
  },
  'lies midway': async (call) => {
    await begin(call);
    if (call.stream) call.response.end(`data: ${JSON.stringify(OUT_OF_MEMORY)}\n\n${DONE}`);
    else call.response.destroy();
  },

  'ends before its first event': ({ response, stream }) => {
    if (stream) {
      startEvents(response);
      response.end();
    } else response.destroy();
  },
  'ends without its end': async (call) => {
    await begin(call);
    if (call.stream) call.response.end();
    // Fewer bytes than its content-length promises, and a proper end of the connection.
    else call.response.socket?.end();
  },

  'is no HTTP': (call) => {
    raw(call, 'SSH-2.0-OpenSSH_9.6\r\n');
    call.response.socket?.end();
  },
  'is a web page': ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<html><body>nginx</body></html>');
  },

  fails: ({ response, random }) => {
    const status = [500, 502, 503, 504][Math.floor(random() * 4)]!;
    json(response, status, { error: { message: 'it failed' } });
  },
  'is rate limited': ({ response }) => {
    response.setHeader('retry-after-ms', '150');
    json(response, 429, { error: { message: 'Too many requests', code: 'rate_limit_exceeded' } });
  },
  'is loading': ({ response }) => {
    const error = { code: 503, message: 'Loading model', type: 'unavailable_error' };
    json(response, 503, { error });
  },
} satisfies Readonly<Record<string, Mood>>;
export type MoodName = keyof typeof MOODS;
