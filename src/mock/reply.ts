import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where an answer is written. Each wait rejects when the client goes. */
export interface Reply {
  json(body: unknown): void;
  text(body: string): void;
  /** Bytes, one chunk after the other, at the client's speed. */
  bytes(contentType: string, chunks: readonly Buffer[]): Promise<void>;
  /** Opens an event stream; its head goes out at once. */
  events(): EventStream;
  /** Hangs up in the middle of the answer, a moment after what was sent of it. */
  breakOff(): Promise<void>;
}

export interface EventStream {
  /** Objects are sent as JSON, strings as they are. */
  send(data: unknown, event?: string): Promise<void>;
  end(): void;
}

export function replyOn(res: ServerResponse, signal: AbortSignal): Reply {
  async function write(chunk: string | Buffer): Promise<void> {
    signal.throwIfAborted();
    if (!res.write(chunk)) await once(res, 'drain', { signal });
  }
  return {
    json: (body) => send(res, 200, 'application/json', JSON.stringify(body)),
    text: (body) => send(res, 200, 'text/plain; charset=utf-8', body),
    async bytes(contentType, chunks) {
      res.writeHead(200, { 'content-type': contentType });
      for (const chunk of chunks) await write(chunk);
      res.end();
    },
    events() {
      res.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
      });
      res.flushHeaders();
      return {
        send(data, event) {
          const text = typeof data === 'string' ? data : JSON.stringify(data);
          return write(`${event ? `event: ${event}\n` : ''}data: ${text}\n\n`);
        },
        end: () => void res.end(),
      };
    },
    async breakOff() {
      // Clients forget what they have not read yet when a connection breaks.
      await sleep(30, undefined, { signal });
      res.destroy();
    },
  };
}

/** Writes a whole answer. */
export function send(res: ServerResponse, status: number, contentType: string, body: string): void {
  res.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
  });
  res.end(body);
}
