import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Instance } from '../instances/instance.ts';
import { HttpError } from './errors.ts';
import { answerFailure, connectionFailure } from './failure.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { attemptHeaders } from './outgoing.ts';

interface Forwarded {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'HEAD';
  /** Below the instance's `baseUrl`, with the query. */
  readonly path: string;
  /** The client's own is passed on as it comes. */
  readonly body?: Buffer | IncomingMessage | undefined;
  readonly requestId: string;
  readonly ownHeaders: OutgoingHttpHeaders;
}

/** Bytes of an error that are read. */
const ERROR_LIMIT = 1024 * 1024;

/**
 * Passes a request on to one instance that it is meant for, and its answer back as it comes. Nothing of
 * it counts for the balance: it is about what is on that instance, and no other could answer it.
 * @throws HttpError when the backend can't be reached, or refuses.
 */
export async function forward(
  instance: Instance,
  { method, path, body, requestId, ownHeaders }: Forwarded,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const leaving = new AbortController();
  response.on('close', () => leaving.abort());
  const {
    statusCode,
    headers,
    body: answer,
  } = await instance.connections.dispatcher
    .request({
      origin: instance.origin,
      path: instance.connections.basePath + path,
      method,
      headers: requestHeaders(request.headers, instance.connections.headers, {
        requestId,
        length: lengthOf(body),
      }),
      body: contentOf(body),
      signal: leaving.signal,
    })
    .catch((error: unknown) => {
      throw unreachable(instance, error);
    });
  if (statusCode >= 400) {
    const text = Buffer.from(await answer.arrayBuffer()).toString('utf8', 0, ERROR_LIMIT);
    const failure = answerFailure(instance, { status: statusCode, headers, text });
    throw new HttpError(failure);
  }
  response.writeHead(statusCode, {
    ...responseHeaders(headers, true),
    ...attemptHeaders(instance.name, '', 1),
    ...ownHeaders,
  });
  // Whoever leaves in the midst of it leaves; what breaks shows in the torn connection.
  await pipeline(answer, response).catch(() => response.destroy());
}

/** A request as it comes is wrapped: undici takes the socket from the ones that it gets, and we answer on it. */
function contentOf(body: Forwarded['body']): Buffer | Readable | null {
  if (body === undefined || Buffer.isBuffer(body)) return body ?? null;
  return Readable.from(body.iterator({ destroyOnReturn: false }));
}

/** @returns `undefined` for a body that comes in chunks. */
function lengthOf(body: Forwarded['body']): number | undefined {
  if (body === undefined) return 0;
  if (Buffer.isBuffer(body)) return body.length;
  const announced = body.headers['content-length'];
  return announced === undefined ? undefined : Number(announced);
}

function unreachable(source: Instance, cause: unknown): HttpError {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  return new HttpError(
    connectionFailure('unreachable', 'Could not get an answer', { source, error }),
  );
}
