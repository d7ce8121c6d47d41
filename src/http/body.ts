import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { gatewayError } from './errors.ts';

const DECODERS = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
} as const;

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
    let target = Number.isNaN(announced) ? undefined : Buffer.allocUnsafeSlow(announced);
    let only: Buffer | undefined;
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      if (length === 0 && chunk.length === announced) {
        only = chunk;
        length = chunk.length;
        return;
      }
      const needed = length + chunk.length;
      if (needed > limit) {
        request.removeAllListeners('data');
        // Read on without keeping, so that the client gets to see the answer.
        request.resume();
        reject(tooLarge(limit));
        return;
      }
      if (!target || needed > target.length) {
        const larger = Buffer.allocUnsafeSlow(Math.min(limit, Math.max(needed * 2, 65_536)));
        target?.copy(larger, 0, 0, length);
        target = larger;
      }
      chunk.copy(target, length);
      length = needed;
    });
    request.on('end', () => resolve(only ?? target?.subarray(0, length) ?? Buffer.alloc(0)));
    request.on('error', () => reject(new ClientGone()));
    request.on('close', () => {
      // An error object has its price, so none for a body that is whole.
      if (!request.complete) reject(new ClientGone());
    });
  });
}

async function decode(body: Buffer, encoding: string, limit: number): Promise<Buffer> {
  const name = encoding.trim().toLowerCase();
  if (name === 'identity' || name === '') return body;
  const decoder = DECODERS[(name === 'x-gzip' ? 'gzip' : name) as keyof typeof DECODERS];
  if (!decoder) {
    throw gatewayError(
      'unsupported_encoding',
      `The request body is encoded as "${name}"; send it plain, or as gzip, deflate or br.`,
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
