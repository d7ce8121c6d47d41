import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

/** Bytes without their content encoding, which some backends apply unasked; as they are when it lies. */
export function decoded(body: Buffer, encoding: string | undefined): Buffer {
  try {
    if (encoding === 'gzip' || encoding === 'x-gzip') return gunzipSync(body);
    if (encoding === 'br') return brotliDecompressSync(body);
    if (encoding === 'deflate') return inflateSync(body);
  } catch {
    // GPUStack forwards its engines' encoding header with bytes that it has decoded itself.
  }
  return body;
}
