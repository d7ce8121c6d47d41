import type { Answerer, AnswerHeaders, Outlet } from './outlet.ts';
import { decoded } from './encoding.ts';
import { answerFailure, badAnswer } from './failure.ts';

/** Error answers are short; what is longer is cut. */
const ERROR_LIMIT = 1024 * 1024;
/** And they come at once: after this many milliseconds without a byte, the status alone is told. */
const ERROR_IDLE = 10_000;

/** An error status: read whole, so that another instance can be tried. */
export class ErrorAnswer implements Answerer {
  readonly events = 0;
  readonly #outlet: Outlet;
  readonly #status: number;
  readonly #headers: AnswerHeaders;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor(outlet: Outlet, status: number, headers: AnswerHeaders) {
    this.#outlet = outlet;
    this.#status = status;
    this.#headers = headers;
    outlet.begin(ERROR_IDLE);
  }

  data(chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#length <= ERROR_LIMIT) this.#chunks.push(chunk);
  }

  end(): void {
    const encoding = this.#headers['content-encoding']?.toString();
    const text = decoded(Buffer.concat(this.#chunks), encoding).toString('utf8');
    this.#outlet.fail(
      answerFailure(this.#outlet.request.instance, {
        status: this.#status,
        headers: this.#headers,
        text,
      }),
    );
  }

  /** The status is told already; only its explanation is cut short. */
  broken(): void {
    this.end();
  }

  usage(): undefined {
    return undefined;
  }
}

/** A success status that can't be an answer. */
export class RefusedAnswer implements Answerer {
  readonly events = 0;
  readonly #outlet: Outlet;
  readonly #message: string;

  constructor(outlet: Outlet, message: string) {
    this.#outlet = outlet;
    this.#message = message;
  }

  data(): void {
    this.end();
  }

  end(): void {
    this.#outlet.fail(badAnswer(this.#message));
  }

  broken(): void {
    this.end();
  }

  usage(): undefined {
    return undefined;
  }
}
