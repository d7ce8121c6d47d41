import type { CaptureSettings } from '../config/settings.ts';
import { known } from './known.ts';
import { maskHeaders } from './secrets.ts';
import type { CapturedBody } from './status.ts';

type Head = Parameters<typeof maskHeaders>[0];

/** A copy of what went to and from a client, in bounded memory. */
export class Capture {
  readonly #maxBytes: number;
  readonly #request: Body;
  #answer: Body | undefined;

  /** @param head The request's headers. */
  constructor({ maxBytes }: CaptureSettings, head: Head) {
    this.#maxBytes = maxBytes;
    this.#request = new Body(head, maxBytes);
  }

  request(body: Buffer): void {
    this.#request.add(body);
  }

  answerHead(head: Head): void {
    this.#answer = new Body(head, this.#maxBytes);
  }

  answer(bytes: Buffer): void {
    this.#answer?.add(bytes);
  }

  /** @param hide Takes secrets out of a text. */
  shown(hide: (text: string) => string): { request: CapturedBody; answer?: CapturedBody } {
    return known({ request: this.#request.shown(hide), answer: this.#answer?.shown(hide) });
  }
}

class Body {
  readonly #headers: Readonly<Record<string, string>>;
  readonly #chunks: Buffer[] = [];
  #room: number;
  #bytes = 0;

  constructor(head: Head, maxBytes: number) {
    this.#headers = maskHeaders(head);
    this.#room = maxBytes;
  }

  add(bytes: Buffer): void {
    this.#bytes += bytes.length;
    if (this.#room === 0) return;
    // A copy: a slice would keep the whole of an upload in memory.
    const kept = Buffer.from(bytes.subarray(0, this.#room));
    this.#room -= kept.length;
    this.#chunks.push(kept);
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
