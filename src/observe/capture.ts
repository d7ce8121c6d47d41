import type { CaptureSettings } from '../config/settings.ts';
import { known } from './known.ts';
import { maskHeaders } from './secrets.ts';
import type { CapturedBody } from './status.ts';

type Head = Parameters<typeof maskHeaders>[0];

/** A copy of what went to and from a client, in bounded memory. */
export class Capture {
  readonly settings: CaptureSettings;
  readonly #began: number;
  readonly #request: Body;
  #answer: Body | undefined;
  #ended = false;

  /**
   * @param head The request's headers.
   * @param began When the call came in, on the clock of `performance.now()`.
   */
  constructor(settings: CaptureSettings, head: Head, began: number) {
    this.settings = settings;
    this.#began = began;
    this.#request = new Body(head, roomIn(settings));
  }

  request(body: Buffer): void {
    this.#request.add(body, 0);
  }

  answerHead(head: Head): void {
    this.#answer = new Body(head, roomIn(this.settings));
  }

  answer(bytes: Buffer): void {
    this.#answer?.add(bytes, performance.now() - this.#began);
  }

  answerEnd(): void {
    this.#ended = true;
  }

  /** All that it has, with the times of the answer's pieces. */
  tape(): { request: Tape; answer: (Tape & { ended: boolean }) | undefined } {
    return {
      request: this.#request.tape(),
      answer: this.#answer && { ...this.#answer.tape(), ended: this.#ended },
    };
  }

  /** Lets go of what is beyond `maxBytes`. */
  trim(): void {
    this.#request.trim(this.settings.maxBytes);
    this.#answer?.trim(this.settings.maxBytes);
  }

  /** @param hide Takes secrets out of a text. */
  shown(hide: (text: string) => string): { request: CapturedBody; answer?: CapturedBody } {
    return known({ request: this.#request.shown(hide), answer: this.#answer?.shown(hide) });
  }
}

/** What there is of a body: `bytes` is the length of the whole. */
interface Tape {
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: readonly Buffer[];
  /** Milliseconds since the call came in. */
  readonly times: readonly number[];
  readonly bytes: number;
}

/** A call that becomes a file is kept until its end as far as it will be in there. */
function roomIn({ dir, maxBytes, maxFileBytes }: CaptureSettings): number {
  return dir === undefined ? maxBytes : Math.max(maxBytes, maxFileBytes);
}

class Body {
  readonly #headers: Readonly<Record<string, string>>;
  #chunks: Buffer[] = [];
  #times: number[] = [];
  #room: number;
  #bytes = 0;

  constructor(head: Head, room: number) {
    this.#headers = maskHeaders(head);
    this.#room = room;
  }

  add(bytes: Buffer, at: number): void {
    this.#bytes += bytes.length;
    if (this.#room === 0) return;
    // A copy: a slice would keep the whole of an upload in memory.
    const kept = Buffer.from(bytes.subarray(0, this.#room));
    this.#room -= kept.length;
    this.#chunks.push(kept);
    this.#times.push(at);
  }

  tape(): Tape {
    return {
      headers: this.#headers,
      chunks: this.#chunks,
      times: this.#times,
      bytes: this.#bytes,
    };
  }

  trim(most: number): void {
    const kept = Buffer.concat(this.#chunks, Math.min(most, lengthOf(this.#chunks)));
    this.#chunks = [kept];
    this.#times = [];
  }

  shown(hide: (text: string) => string): CapturedBody {
    const kept = Buffer.concat(this.#chunks);
    const { text, ...content } = contentOf(kept);
    return {
      headers: this.#headers,
      bytes: this.#bytes,
      truncated: kept.length < this.#bytes,
      ...(text === undefined ? content : { text: hide(text) }),
    };
  }
}

function lengthOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}

/** @returns The bytes of a body as text, or in base64 when they are none. */
export function contentOf(bytes: Buffer): Pick<CapturedBody, 'text' | 'base64'> {
  const text = textOf(bytes);
  return text === undefined ? { base64: bytes.toString('base64') } : { text };
}

/** Text, which may end within a character; `undefined` for anything else. */
function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}
