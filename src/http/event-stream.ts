import type { ServerEvent } from '../adapters/adapter.ts';

const LF = 0x0a;
const CR = 0x0d;

/**
 * Cuts a stream of bytes after whole events, so that an event is never half sent when it turns out
 * to be an error. What it gives back are views of what went in, as far as possible.
 */
export class EventCutter {
  #held: Buffer[] = [];

  /** Bytes that wait for the end of their event. */
  get held(): number {
    return this.#held.reduce((total, { length }) => total + length, 0);
  }

  /** @returns The bytes up to the end of the last event that is whole now; maybe none. */
  push(chunk: Buffer): Buffer | undefined {
    if (this.#held.length === 0) {
      const end = lastBoundary(chunk);
      if (end < chunk.length) this.#held.push(end === 0 ? chunk : chunk.subarray(end));
      if (end === chunk.length) return chunk;
      return end === 0 ? undefined : chunk.subarray(0, end);
    }
    // An empty line may lie across the joint; what was held has none in itself.
    const joint = tailOf(this.#held, LONGEST_BOUNDARY - 1);
    const end = lastBoundary(Buffer.concat([joint, chunk])) - joint.length;
    if (end <= 0) {
      this.#held.push(chunk);
      return undefined;
    }
    const whole = Buffer.concat([...this.#held, chunk.subarray(0, end)]);
    this.#held = end < chunk.length ? [chunk.subarray(end)] : [];
    return whole;
  }

  /** @returns What came after the last whole event. */
  rest(): Buffer | undefined {
    return this.#held.length > 0 ? Buffer.concat(this.#held) : undefined;
  }
}

/** `\r\n\r\n` */
const LONGEST_BOUNDARY = 4;

/** @returns The last `length` bytes of the pieces together, or all there are. */
function tailOf(pieces: readonly Buffer[], length: number): Buffer {
  let tail: Buffer = Buffer.alloc(0);
  for (let index = pieces.length - 1; index >= 0 && tail.length < length; index--) {
    tail = Buffer.concat([pieces[index]!.subarray(-(length - tail.length)), tail]);
  }
  return tail;
}

/** @returns The offset after the last empty line, in any of the three line ends; 0 without one. */
function lastBoundary(bytes: Buffer): number {
  const { length } = bytes;
  // Nearly every chunk ends with its event.
  if (length >= 2 && bytes[length - 1] === LF) {
    if (bytes[length - 2] === LF) return length;
    if (bytes[length - 2] === CR && bytes[length - 3] === LF) return length;
  }
  const lf = bytes.lastIndexOf('\n\n');
  const crlf = bytes.lastIndexOf('\n\r\n');
  const cr = bytes.lastIndexOf('\r\r');
  return Math.max(lf < 0 ? 0 : lf + 2, crlf < 0 ? 0 : crlf + 3, cr < 0 ? 0 : cr + 2);
}

/**
 * What a quick look at whole events tells; each answer that says no is certain. The look is at a
 * Latin-1 string of the bytes: one pass makes it, and searching it is cheaper than searching bytes.
 */
export interface Glance {
  /** `data:` fields: the events, but for the rare one of several lines. */
  readonly events: number;
  readonly mayHoldError: boolean;
  readonly mayHoldEnd: boolean;
  readonly mentionsUsage: boolean;
}

const ENDS = /\[DONE\]|\.done"|\.completed|\.incomplete"|\.failed"|message_stop/;

export function glance(events: Buffer): Glance {
  const text = events.toString('latin1');
  let count = 0;
  for (let at = text.indexOf('data:'); at >= 0; at = text.indexOf('data:', at + 5)) count += 1;
  return {
    events: count,
    mayHoldError:
      text.includes('"error"') || text.includes('error:') || /^event: ?error/m.test(text),
    mayHoldEnd: ENDS.test(text),
    mentionsUsage: text.includes('_tokens"'),
  };
}

/** One event and where it ends in the bytes it was read from. */
export interface PlacedEvent extends ServerEvent {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads whole events (WHATWG server-sent events: LF, CRLF or CR; comments; several `data:` lines).
 * An `error:` field, which older llama.cpp servers send, is read as an event named `error`.
 */
export function parseEvents(bytes: Buffer): PlacedEvent[] {
  const events: PlacedEvent[] = [];
  const lines = new LineEnds(bytes);
  let name: string | undefined;
  let data: string[] | undefined;
  let start = 0;
  let at = 0;
  while (at < bytes.length) {
    const lineEnd = lines.after(at);
    const line = bytes.toString('utf8', at, lineEnd);
    at = lineEnd + (bytes[lineEnd] === CR && bytes[lineEnd + 1] === LF ? 2 : 1);
    if (line === '') {
      if (data) {
        events.push({
          ...(name === undefined ? {} : { event: name }),
          data: data.join('\n'),
          start,
          end: Math.min(at, bytes.length),
        });
      }
      name = undefined;
      data = undefined;
      start = at;
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') (data ??= []).push(value);
    else if (field === 'event') name = value;
    else if (field === 'error') {
      name = 'error';
      (data ??= []).push(value);
    }
  }
  return events;
}

/** Finds line ends by native searches, as an event may be megabytes in one line. */
class LineEnds {
  readonly #bytes: Buffer;
  #lf = -1;
  #cr = -1;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  after(at: number): number {
    if (this.#lf < at) this.#lf = this.#find(LF, at);
    if (this.#cr < at) this.#cr = this.#find(CR, at);
    return Math.min(this.#lf, this.#cr);
  }

  #find(byte: number, at: number): number {
    const found = this.#bytes.indexOf(byte, at);
    return found < 0 ? this.#bytes.length : found;
  }
}

/** The event's bytes on the wire, with LF line ends. */
export function renderEvent({ event, data }: ServerEvent): string {
  const name = event === undefined ? '' : `event: ${event}\n`;
  return `${name}data: ${data.split('\n').join('\ndata: ')}\n\n`;
}
