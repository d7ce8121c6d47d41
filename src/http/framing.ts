import type { ServerEvent } from '../adapters/adapter.ts';
import {
  EventCutter,
  glance,
  parseEvents,
  renderEvent,
  type Glance,
  type PlacedEvent,
} from './event-stream.ts';

/** Cuts a stream of bytes after whole events. */
interface Cutter {
  /** Bytes that wait for the end of their event. */
  readonly held: number;
  push(chunk: Buffer): Buffer | undefined;
  rest(): Buffer | undefined;
}

/** How events are told apart in a stream. */
export interface Framing {
  readonly contentType: string;
  /** What comes after an event. */
  readonly end: string;
  readonly cutter: () => Cutter;
  readonly glance: (events: Buffer) => Glance;
  readonly parse: (events: Buffer) => readonly PlacedEvent[];
  readonly render: (event: ServerEvent) => string;
}

const LF = 0x0a;

/** Lines of JSON (`application/x-ndjson`), as Ollama streams. */
class LineCutter implements Cutter {
  #held: Buffer[] = [];

  get held(): number {
    return this.#held.reduce((total, { length }) => total + length, 0);
  }

  push(chunk: Buffer): Buffer | undefined {
    const end = chunk.lastIndexOf(LF) + 1;
    if (end === 0) {
      this.#held.push(chunk);
      return undefined;
    }
    const whole = Buffer.concat([...this.#held, chunk.subarray(0, end)]);
    this.#held = end < chunk.length ? [chunk.subarray(end)] : [];
    return whole;
  }

  rest(): Buffer | undefined {
    return this.#held.length > 0 ? Buffer.concat(this.#held) : undefined;
  }
}

function parseLines(bytes: Buffer): readonly PlacedEvent[] {
  const events: PlacedEvent[] = [];
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(LF, start);
    const end = found < 0 ? bytes.length : found + 1;
    const data = bytes.toString('utf8', start, end).trim();
    if (data !== '') events.push({ data, start, end });
    start = end;
  }
  return events;
}

function glanceAtLines(bytes: Buffer): Glance {
  const text = bytes.toString('latin1');
  return {
    events: text.split('\n').filter((line) => line.trim() !== '').length,
    mayHoldError: text.includes('"error"'),
    mayHoldEnd: text.includes('"done"'),
    mentionsUsage: text.includes('eval_count"'),
  };
}

export const FRAMINGS = {
  events: {
    contentType: 'text/event-stream; charset=utf-8',
    end: '\n\n',
    cutter: () => new EventCutter(),
    glance,
    parse: parseEvents,
    render: renderEvent,
  },
  lines: {
    contentType: 'application/x-ndjson',
    end: '\n',
    cutter: () => new LineCutter(),
    glance: glanceAtLines,
    parse: parseLines,
    render: ({ data }) => `${data}\n`,
  },
} as const satisfies Record<string, Framing>;
