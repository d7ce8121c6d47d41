import type { Answer, ResponseTransform } from '../adapters/adapter.ts';
import { streamError } from '../adapters/errors.ts';
import { asObject, parseJson } from '../adapters/json.ts';
import { readUsage, type Usage } from '../observe/usage.ts';
import type { Answerer, AnswerHeaders, Outlet } from './outlet.ts';
import { decoded } from './encoding.ts';
import { badAnswer, eventFailure, type Failure } from './failure.ts';

/** A success that its adapter has to see whole, and may change. */
export class BufferedAnswer implements Answerer {
  readonly events = 0;
  readonly #outlet: Outlet;
  readonly #transform: ResponseTransform;
  readonly #headers: AnswerHeaders;
  readonly #contentType: string;
  readonly #encoding: string | undefined;
  readonly #chunks: Buffer[] = [];
  #body: Buffer | undefined;

  constructor(
    outlet: Outlet,
    transform: ResponseTransform,
    {
      headers,
      encoding,
    }: { readonly headers: AnswerHeaders; readonly encoding: string | undefined },
  ) {
    this.#outlet = outlet;
    this.#transform = transform;
    this.#headers = headers;
    this.#contentType = headers['content-type']?.toString().toLowerCase() ?? '';
    this.#encoding = encoding;
  }

  data(chunk: Buffer): void {
    this.#outlet.begin();
    this.#chunks.push(chunk);
  }

  end(): void {
    const body = decoded(Buffer.concat(this.#chunks), this.#encoding);
    const error = body.includes('"error"') ? streamError(body.toString('utf8')) : undefined;
    if (error) {
      this.#outlet.fail(eventFailure(this.#outlet.request.instance, error));
      return;
    }
    const { split } = this.#outlet.request;
    if (!split) this.#follow(body);
    else {
      const first = { body, headers: this.#headers };
      this.#outlet.gather(split.rest, (others) => {
        const whole = this.#read(() => split.join([first, ...others]));
        if (whole !== undefined) this.#follow(Buffer.from(whole));
      });
    }
  }

  #follow(body: Buffer): void {
    this.#body = body;
    const objection = this.#outlet.request.objection?.(body);
    if (objection) {
      this.#outlet.fail(objection);
      return;
    }
    const links = this.#read(() => this.#transform.links?.(body, this.#contentType) ?? []);
    if (!links) return;
    if (links.length === 0) this.#deliver(body, []);
    else this.#outlet.follow(links, (linked) => this.#deliver(body, linked));
  }

  #deliver(body: Buffer, linked: readonly Buffer[]): void {
    const read = this.#read((): Answer => {
      const own = this.#transform.body?.(body, this.#contentType, linked) ?? { body };
      const { stage, keeper } = this.#outlet.request;
      const answer = stage ? stage.body(Buffer.from(own.body)) : own;
      keeper?.end(stage ? stage.result : asObject(parseJson(own.body.toString())));
      return answer;
    });
    if (!read) return;
    const { body: payload, contentType } = read;
    this.#outlet.commit({
      keepLength: false,
      drop: ['content-encoding'],
      set: {
        'content-length': Buffer.byteLength(payload),
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
      },
    });
    this.#outlet.finish(payload);
  }

  /** An adapter throws at an answer that it can't make sense of. */
  #read<T>(reading: () => T): T | undefined {
    try {
      return reading();
    } catch (cause) {
      const { name } = this.#outlet.request.instance;
      const why = cause instanceof Error ? cause.message : String(cause);
      this.#outlet.fail(badAnswer(`"${name}" gave an answer that could not be read: ${why}.`));
      return undefined;
    }
  }

  broken(failure: Failure): void {
    this.#outlet.fail(failure);
  }

  usage(): Usage | undefined {
    return this.#outlet.request.stage?.usage ?? (this.#body && readUsage(this.#body));
  }
}
