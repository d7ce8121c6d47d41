import type { OutgoingHttpHeaders } from 'node:http';
import { streamError } from '../adapters/errors.ts';
import { mentionsUsage, readUsage, type Usage } from '../observe/usage.ts';
import type { Answerer, Outlet } from './answer.ts';
import { eventFailure, type Failure } from './failure.ts';

/** A success whose bytes go on as they come. */
export class PlainAnswer implements Answerer {
  readonly events = 0;
  readonly #outlet: Outlet;
  readonly #set: OutgoingHttpHeaders;
  readonly #json: boolean;
  /** The whole of a 200 that begins like an error, until it can be told. */
  #suspect: Buffer[] | undefined;
  #tail: Buffer | undefined;

  constructor(outlet: Outlet, contentType: string | undefined, encoding: string | undefined) {
    this.#outlet = outlet;
    const better = outlet.request.transform?.contentType?.(contentType);
    this.#set = better === undefined ? {} : { 'content-type': better };
    this.#json = encoding === undefined && (contentType?.includes('json') ?? true);
  }

  data(chunk: Buffer): void {
    if (this.#suspect) {
      this.#suspect.push(chunk);
      return;
    }
    if (!this.#outlet.committed) {
      this.#outlet.begin();
      if (this.#json && chunk.includes('"error"')) {
        this.#suspect = [chunk];
        return;
      }
      this.#outlet.commit({ keepLength: true, set: this.#set });
    }
    // Usage stands near the end, but an embedding or an image after it may fill many chunks.
    if (this.#json && mentionsUsage(chunk)) this.#tail = chunk;
    this.#outlet.write(chunk);
  }

  end(): void {
    if (this.#suspect) {
      const body = Buffer.concat(this.#suspect);
      const error = streamError(body.toString('utf8'));
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
