import type { OutgoingHttpHeaders } from 'node:http';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import type { ResponseTransform } from '../adapters/adapter.ts';
import { streamError } from '../adapters/errors.ts';
import { mentionsUsage, readUsage, type Usage } from '../observe/usage.ts';
import { serviceOf } from '../service.ts';
import { EventAnswer } from './event-answer.ts';
import { answerFailure, badAnswer, eventFailure, type Failure } from './failure.ts';
import type { AttemptRequest } from './relay.ts';

/** How the head that the client gets differs from the backend's. */
export interface HeadChanges {
  /** The body goes on unchanged, so that its length still holds. */
  readonly keepLength: boolean;
  readonly set?: OutgoingHttpHeaders;
  readonly drop?: readonly string[];
}

/** What an answer may do to the attempt that it belongs to. */
export interface Outlet {
  readonly request: AttemptRequest;
  readonly committed: boolean;
  /** The first byte of the answer itself is there. */
  begin(): void;
  /** Sends the head to the client; from here on there is no other attempt. */
  commit(changes: HeadChanges): void;
  /** Sends bytes on, and holds the backend back while the client is slow. */
  write(bytes: Buffer | string): void;
  /** Gets what the answer links to on the same backend; without it, the attempt fails. */
  follow(paths: readonly string[], then: (linked: readonly Buffer[]) => void): void;
  /** The answer is whole. */
  finish(bytes?: Buffer | string): void;
  /** Gives up before anything went to the client. */
  fail(failure: Failure): void;
  /** Gives up midway, with a last event to say so where the protocol has one. */
  breakOff(failure: Failure, lastWords?: string): void;
}

/** One way to treat a backend's answer, from its head to its end. */
export interface Answerer {
  /** Events of a stream so far. */
  readonly events: number;
  data(chunk: Buffer): void;
  end(): void;
  /** It broke off or timed out after its head. */
  broken(failure: Failure): void;
  usage(): Usage | undefined;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Error answers are short; what is longer is cut. */
const ERROR_LIMIT = 1024 * 1024;

/** Chooses the treatment by the answer's head. */
export function openAnswer(outlet: Outlet, status: number, headers: Headers): Answerer {
  const { instance, transform, stream, operation } = outlet.request;
  const contentType = headers['content-type']?.toString().toLowerCase();
  if (status >= 400) return new ErrorAnswer(outlet, status, headers);
  if (status >= 300) {
    return new RefusedAnswer(
      outlet,
      `"${instance.name}" redirects to ${String(headers['location'])}: set instances.${instance.name}.baseUrl to where it really is.`,
    );
  }
  if (contentType?.startsWith('text/html')) {
    return new RefusedAnswer(
      outlet,
      `"${instance.name}" answered with a web page instead of a result: check instances.${instance.name}.baseUrl.`,
    );
  }
  const encoding = headers['content-encoding']?.toString();
  // GPUStack sends an error in a stream's place without any content type.
  if (contentType?.startsWith('text/event-stream') || (stream && contentType === undefined)) {
    if (serviceOf(operation) !== 'speech' || contentType !== undefined)
      return new EventAnswer(outlet);
  }
  if (transform?.body) return new BufferedAnswer(outlet, transform, contentType ?? '', encoding);
  return new PlainAnswer(outlet, contentType, encoding);
}

/** A success whose bytes go on as they come. */
class PlainAnswer implements Answerer {
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
      if (this.#json && chunk.subarray(0, 200).includes('"error"')) {
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
        this.#outlet.fail(eventFailure(error));
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

/** A success that its adapter has to see whole, and may change. */
class BufferedAnswer implements Answerer {
  readonly events = 0;
  readonly #outlet: Outlet;
  readonly #transform: ResponseTransform;
  readonly #contentType: string;
  readonly #encoding: string | undefined;
  readonly #chunks: Buffer[] = [];
  #body: Buffer | undefined;

  constructor(
    outlet: Outlet,
    transform: ResponseTransform,
    contentType: string,
    encoding: string | undefined,
  ) {
    this.#outlet = outlet;
    this.#transform = transform;
    this.#contentType = contentType;
    this.#encoding = encoding;
  }

  data(chunk: Buffer): void {
    this.#outlet.begin();
    this.#chunks.push(chunk);
  }

  end(): void {
    const body = decoded(Buffer.concat(this.#chunks), this.#encoding);
    this.#body = body;
    const error = body.subarray(0, 200).includes('"error"')
      ? streamError(body.toString('utf8'))
      : undefined;
    if (error) {
      this.#outlet.fail(eventFailure(error));
      return;
    }
    const links = this.#read(() => this.#transform.links?.(body, this.#contentType) ?? []);
    if (!links) return;
    if (links.length === 0) this.#deliver(body, []);
    else this.#outlet.follow(links, (linked) => this.#deliver(body, linked));
  }

  #deliver(body: Buffer, linked: readonly Buffer[]): void {
    const read = this.#read(() => ({
      answer: this.#transform.body!(body, this.#contentType, linked),
    }));
    if (!read) return;
    const { body: payload, contentType } = read.answer ?? { body };
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
    return this.#body && readUsage(this.#body);
  }
}

/** An error status: read whole, so that another instance can be tried. */
class ErrorAnswer implements Answerer {
  readonly events = 0;
  readonly #outlet: Outlet;
  readonly #status: number;
  readonly #headers: Headers;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor(outlet: Outlet, status: number, headers: Headers) {
    this.#outlet = outlet;
    this.#status = status;
    this.#headers = headers;
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
class RefusedAnswer implements Answerer {
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

/** Bytes without their content encoding, which some backends apply unasked; as they are when it lies. */
function decoded(body: Buffer, encoding: string | undefined): Buffer {
  try {
    if (encoding === 'gzip' || encoding === 'x-gzip') return gunzipSync(body);
    if (encoding === 'br') return brotliDecompressSync(body);
    if (encoding === 'deflate') return inflateSync(body);
  } catch {
    // GPUStack forwards its engines' encoding header with bytes that it has decoded itself.
  }
  return body;
}
