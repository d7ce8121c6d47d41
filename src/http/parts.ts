import type { PartAnswer } from '../adapters/adapter.ts';
import { streamError } from '../adapters/errors.ts';
import type { Instance } from '../instances/instance.ts';
import { wasStale } from '../instances/pool.ts';
import { answerFailure, connectionFailure, eventFailure } from './failure.ts';
import type { Failure } from './failure.ts';
import type { PartRequest } from './outlet.ts';

/** Requests of one call that run at a time. */
const AT_ONCE = 4;

/** One of a call's requests went wrong, and so the call. */
export class PartFailed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.body.message);
    this.name = 'PartFailed';
    this.failure = failure;
  }
}

/**
 * Asks for the parts of a call that its first request left over.
 * @param options.onAnswer Called as each has been answered.
 * @returns Their answers in their order.
 * @throws PartFailed for the first that fails; the others are given up.
 */
export async function askParts(
  instance: Instance,
  path: string,
  requests: readonly PartRequest[],
  { signal, onAnswer }: { readonly signal: AbortSignal; readonly onAnswer: () => void },
): Promise<PartAnswer[]> {
  const answers: PartAnswer[] = [];
  const given = new AbortController();
  const either = AbortSignal.any([signal, given.signal]);
  const next = requests.entries();
  const work = async () => {
    for (const [index, request] of next) {
      answers[index] = await askPart(instance, path, request, either);
      onAnswer();
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } catch (error) {
    given.abort();
    throw error;
  }
  return answers;
}

async function askPart(
  instance: Instance,
  path: string,
  request: PartRequest,
  signal: AbortSignal,
): Promise<PartAnswer> {
  try {
    return await send(instance, path, request, signal);
  } catch (error) {
    // As for any request: a socket that was closed while idle never carried it.
    if (error instanceof Error && wasStale(error)) return send(instance, path, request, signal);
    if (error instanceof PartFailed || !(error instanceof Error)) throw error;
    throw new PartFailed(
      connectionFailure('broken', 'Could not get the whole answer', { source: instance, error }),
    );
  }
}

async function send(
  instance: Instance,
  path: string,
  { headers, body }: PartRequest,
  signal: AbortSignal,
): Promise<PartAnswer> {
  const answer = await instance.connections.dispatcher.request({
    origin: instance.origin,
    path,
    method: 'POST',
    headers,
    body: Buffer.isBuffer(body) ? body : Buffer.concat(body),
    signal,
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  if (answer.statusCode >= 300) {
    const { statusCode: status } = answer;
    const told = { status, headers: answer.headers, text: bytes.toString('utf8') };
    throw new PartFailed(answerFailure(instance, told));
  }
  const error = bytes.includes('"error"') ? streamError(bytes.toString('utf8')) : undefined;
  if (error) throw new PartFailed(eventFailure(instance, error));
  return { body: bytes, headers: answer.headers };
}
