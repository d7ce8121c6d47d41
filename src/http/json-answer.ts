import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/**
 * Answers with JSON of our own; to a HEAD with its headers alone.
 * @returns Bytes of the body.
 */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: OutgoingHttpHeaders,
): number {
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json',
    'content-length': length,
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
  return length;
}
