import type { OutgoingHttpHeaders } from 'node:http';
import { streamError } from '../adapters/errors.ts';
import { mentionsUsage, readUsage, type Usage } from '../observe/usage.ts';
import type { Answerer, Outlet } from './outlet.ts';
import { eventFailure, type Failure } from './failure.ts';

/** Bytes of JSON after which an error would have shown itself. */
const TELLING = 512;

/** A success whose bytes go on as they come. */
export class PlainAnswer implements Answerer {
  readonly events = 0;
  readonly #outlet: Outlet;
  readonly #set: OutgoingHttpHeaders;
  readonly #json: boolean;
  /** The beginning of JSON, or the whole of it when it looks like an error, until it can be told. */
  #suspect: Buffer[] | undefined;
  #looks = 0;
  #tail: Buffer | undefined;

  constructor(outlet: Outlet, contentType: string | undefined) {
    this.#outlet = outlet;
    const better = outlet.request.transform?.contentType?.(contentType);
    this.#set = better === undefined ? {} : { 'content-type': better };
    this.#json = contentType?.includes('json') ?? true;
  }

  data(chunk: Buffer): void {
    if (this.#outlet.committed) {
      this.#pass(chunk);
      return;
    }
    this.#outlet.begin();
    if (!this.#json) {
      this.#commitAndPass([chunk]);
      return;
    }
    const chunks = (this.#suspect ??= []);
    chunks.push(chunk);
    this.#looks += chunk.length;
    if (this.#looks < TELLING || chunks.some((one) => one.includes('"error"'))) return;
    this.#commitAndPass(chunks);
  }

  #commitAndPass(chunks: readonly Buffer[]): void {
    this.#suspect = undefined;
    this.#outlet.commit({ keepLength: true, set: this.#set });
    for (const chunk of chunks) this.#pass(chunk);
  }

  #pass(chunk: Buffer): void {
    // Usage stands near the end, but an embedding or an image after it may fill many chunks.
    if (this.#json && mentionsUsage(chunk)) this.#tail = chunk;
    this.#outlet.write(chunk);
  }

  end(): void {
    if (this.#suspect) {
      const [first] = this.#suspect;
      const body = this.#suspect.length === 1 ? first! : Buffer.concat(this.#suspect);
      const error = body.includes('"error"') ? streamError(body.toString('utf8')) : undefined;
      if (error) {
        this.#outlet.fail(eventFailure(this.#outlet.request.instance, error));
        return;
      }
      this.#tail = body;
      this.#outlet.commit({ keepLength: true, set: this.#set });
      this.#outlet.finish(body);
      return;
    }
    if (!this.#outlet.committed) this.#outlet.commit({ keepLength: true, set: this.#set });
    this.#outlet.finish();
  }

  broken(failure: Failure): void {
    if (this.#outlet.committed) this.#outlet.breakOff(failure);
    else this.#outlet.fail(failure);
  }

  usage(): Usage | undefined {
    return this.#tail && readUsage(this.#tail);
  }
}
