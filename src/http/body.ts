import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import zlib, { brotliDecompress, gunzip, inflate, type ZlibOptions } from 'node:zlib';
import { gatewayError } from './errors.ts';

type Decoder = (body: Buffer, options: ZlibOptions) => Promise<Buffer>;

/** Node has it since 22.15. */
const { zstdDecompress } = zlib as { zstdDecompress?: typeof gunzip };
const DECODERS: ReadonlyMap<string, Decoder> = new Map([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
  ...(zstdDecompress ? [['zstd', promisify(zstdDecompress)] as const] : []),
]);

/** The client went away while its request was still coming in. */
export class ClientGone extends Error {
  constructor() {
    super('the client went away');
    this.name = 'ClientGone';
  }
}

/**
 * Reads a whole request body, decoded.
 *
 * A body of announced length is written into its place as it arrives, so that a large upload is in
 * memory once.
 *
 * @param limit Bytes, before and after decoding.
 * @throws HttpError `request_too_large` (413) or `unsupported_encoding` (415); {@link ClientGone}.
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? Number.NaN);
  if (announced > limit) throw tooLarge(limit);
  const body = await collect(request, announced, limit);
  const encoding = request.headers['content-encoding'];
  return encoding === undefined ? body : decode(body, encoding, limit);
}

function collect(request: IncomingMessage, announced: number, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const store = new BodyStore(Number.isNaN(announced) ? undefined : announced, limit);
    request.on('data', (chunk: Buffer) => {
      if (store.add(chunk)) return;
      request.removeAllListeners('data');
      // Read on without keeping, so that the client gets to see the answer.
      request.resume();
      reject(tooLarge(limit));
    });
    request.on('end', () => resolve(store.bytes()));
    request.on('error', () => reject(new ClientGone()));
    request.on('close', () => {
      // An error object has its price, so none for a body that is whole.
      if (!request.complete) reject(new ClientGone());
    });
  });
}

/** Up to here a body without announced length is moved as it grows. */
const SMALL = 1024 * 1024;

/** Puts chunks into their place as they come, so that a body is in memory once. */
class BodyStore {
  readonly #limit: number;
  readonly #announced: number | undefined;
  #only: Buffer | undefined;
  #target: Buffer | undefined;
  #growing: ArrayBuffer | undefined;
  #length = 0;

  constructor(announced: number | undefined, limit: number) {
    this.#announced = announced;
    this.#limit = limit;
    if (announced !== undefined) this.#target = Buffer.allocUnsafeSlow(announced);
  }

  /** @returns False when the chunk is beyond the limit. */
  add(chunk: Buffer): boolean {
    if (this.#length === 0 && chunk.length === this.#announced) {
      this.#only = chunk;
      this.#length = chunk.length;
      return true;
    }
    const needed = this.#length + chunk.length;
    if (needed > this.#limit) return false;
    if (!this.#target || needed > this.#target.length) this.#makeRoom(needed);
    chunk.copy(this.#target!, this.#length);
    this.#length = needed;
    return true;
  }

  /** Gives the bytes away: the request and its listeners, and so this, stay until the answer is over. */
  bytes(): Buffer {
    const bytes = this.#only ?? this.#target?.subarray(0, this.#length) ?? Buffer.alloc(0);
    this.#only = this.#target = this.#growing = undefined;
    return bytes;
  }

  #makeRoom(needed: number): void {
    const size = Math.min(this.#limit, Math.max(needed * 2, 65_536));
    if (this.#growing) {
      this.#growing.resize(size);
      this.#target = Buffer.from(this.#growing, 0, size);
      return;
    }
    const before = this.#target;
    if (size <= SMALL) {
      this.#target = Buffer.allocUnsafeSlow(size);
    } else {
      // It grows where it is: the system reserves the addresses, and gives memory as it is written.
      this.#growing = new ArrayBuffer(size, { maxByteLength: this.#limit });
      this.#target = Buffer.from(this.#growing, 0, size);
    }
    before?.copy(this.#target, 0, 0, this.#length);
  }
}

async function decode(body: Buffer, encoding: string, limit: number): Promise<Buffer> {
  const name = encoding.trim().toLowerCase();
  if (name === 'identity' || name === '') return body;
  const decoder = DECODERS.get(name);
  if (!decoder) {
    const known = [...DECODERS.keys()].join(', ');
    throw gatewayError(
      'unsupported_encoding',
      `The request body is encoded as "${name}"; send it plain, or as one of ${known}.`,
    );
  }
  try {
    return await decoder(body, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit);
    throw gatewayError(
      'unsupported_encoding',
      `The request body is not valid ${name}, which its content-encoding says it is.`,
    );
  }
}

function tooLarge(limit: number): Error {
  return gatewayError(
    'request_too_large',
    `The request body is larger than ${limit} bytes, the limit set by server.maxBodySize. Send less, or raise it.`,
    // What is left of the body is not worth reading.
    { headers: { connection: 'close' } },
  );
}
