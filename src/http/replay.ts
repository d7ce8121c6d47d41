import { once } from 'node:events';
import type { OutgoingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { select } from '../gateway/candidates.ts';
import type { Instance } from '../instances/instance.ts';
import { MASK } from '../observe/secrets.ts';
import { guessTokens } from '../observe/usage.ts';
import { askedOf, type Asked } from '../recording/asked.ts';
import { bytesOf, chunkBytes } from '../recording/bytes.ts';
import { missingText } from '../recording/missing.ts';
import type { RecordedResponse } from '../recording/recording.ts';
import type { Match, Missing, Shelf, Shelved } from '../recording/shelf.ts';
import { ClientGone } from './body.ts';
import type { Call, ClientRequest } from './call.ts';
import { errorShapeOf, gatewayError } from './errors.ts';
import type { Failure } from './failure.ts';
import type { Gateway } from './gateway.ts';
import { noneLeft, shuttingDown } from './refusal.ts';

/** Answers from recordings, in the place of backends. */
export interface Replay {
  readonly shelf: Shelf;
  /** How many times as fast as it was recorded; `Infinity`: at once. */
  readonly speed: number;
}

/** The one instance that there is then. */
export const REPLAY = 'replay';
/** An address that is never called: the name can't be anybody's. */
export const REPLAY_URL = 'http://recordings.invalid';

/**
 * Answers a call as it was answered when it was recorded: the same bytes, at the same pace.
 * @throws HttpError `recording_not_found` (404); ClientGone.
 */
export async function replay(
  gateway: Gateway,
  { shelf, speed }: Replay,
  call: Call,
  client: ClientRequest,
): Promise<void> {
  const { form, fields, model, stream } = client;
  call.model = model;
  await shelf.refresh();
  if (call.gone) throw new ClientGone();
  const { operation } = call;
  const asked = askedOf({ operation, stream, model }, { fields, form: form?.parts });
  const match = shelf.match(asked);
  if (match.kind === 'missing') throw missing(asked, match);
  call.modelKnown = true;
  const instance = standIn(gateway, call);
  const { recording } = match.shelved;
  const pace = new Pace(call, speed);
  const began = performance.now();
  const slot = instance.slots.take();
  call.started = 1;
  call.steps.add(pace);
  try {
    await play(call, match, pace);
    conclude(call, recording);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    if (call.gone) throw new ClientGone();
    if (!call.response.headersSent) throw shuttingDown();
    sayLastWords(call, error.failure);
  } finally {
    call.steps.delete(pace);
    slot?.release();
    account(call, recording, began);
  }
}

/** What stands for all backends takes the same orders as they do. @throws HttpError */
function standIn({ fleet }: Gateway, { model = '', operation }: Call): Instance {
  const instance = fleet.get(REPLAY)!;
  const targets = [{ instance, model, entry: { id: model } }];
  const context = { operation, tried: new Set<string>(), now: performance.now() };
  const { rejections } = select(targets, context);
  if (rejections.length === 0) return instance;
  throw noneLeft({ model, operation }, rejections, fleet.directory);
}

/** The answer's head and pieces, each when it is due. */
async function play(call: Call, match: Match, pace: Pace): Promise<void> {
  const { response: recorded, duration, firstByte } = match.shelved.recording;
  const { response } = call;
  const chunks = recorded.events?.map((chunk) => ({ at: chunk.at, bytes: chunkBytes(chunk) })) ?? [
    { at: duration, bytes: bytesOf(recorded).bytes },
  ];
  await pace.until(chunks[0]?.at ?? firstByte ?? duration);
  response.writeHead(recorded.status, {
    ...headersOf(recorded),
    ...(!recorded.events && !recorded.torn && { 'content-length': chunks[0]!.bytes.length }),
    'x-jairouter-instance': REPLAY,
    'x-jairouter-attempts': 1,
    'x-jairouter-replay': verdict(match),
    'x-jairouter-replay-file': encodeURI(match.shelved.file),
    ...call.ownHeaders,
  });
  call.answering = true;
  for (const { at, bytes } of chunks) {
    await pace.until(at);
    call.firstByte ??= performance.now() - call.began;
    call.bytesOut += bytes.length;
    if (recorded.events) call.events += 1;
    if (!response.write(bytes)) await pace.drained();
  }
  if (!recorded.torn) {
    response.end();
    return;
  }
  // What was written is to arrive before the connection breaks.
  await new Promise((resolve) => setImmediate(resolve));
  response.destroy();
}

/** Waits for the times at which things happened, as long as the client and we are there. */
class Pace {
  readonly #call: Call;
  readonly #speed: number;
  readonly #stop = new AbortController();
  #failure: Failure | undefined;

  constructor(call: Call, speed: number) {
    this.#call = call;
    this.#speed = speed;
  }

  abort(): void {
    this.#stop.abort();
  }

  stop(failure: Failure): void {
    this.#failure = failure;
    this.#stop.abort();
  }

  /** @param at Milliseconds since the call came in, as recorded. @throws Stopped */
  async until(at: number): Promise<void> {
    const delay = at / this.#speed - (performance.now() - this.#call.began);
    const { signal } = this.#stop;
    if (delay > 0) await sleep(delay, undefined, { signal }).catch(() => {});
    if (signal.aborted) throw new Stopped(this.#failure);
  }

  /** The client can take more. @throws Stopped */
  async drained(): Promise<void> {
    const { signal } = this.#stop;
    if (!signal.aborted) await once(this.#call.response, 'drain', { signal }).catch(() => {});
    if (signal.aborted) throw new Stopped(this.#failure);
  }
}

/** The client went away, or we do. */
class Stopped extends Error {
  readonly failure: Failure | undefined;

  constructor(failure: Failure | undefined) {
    super('the call is over');
    this.name = 'Stopped';
    this.failure = failure;
  }
}

function missing(asked: Asked, { closest }: Missing): Error {
  return gatewayError('recording_not_found', missingText(asked, closest), { param: 'model' });
}

/** A stream that is cut short says so. */
function sayLastWords(call: Call, failure: Failure | undefined): void {
  call.ending = 'broken';
  call.error = failure?.body.message;
  call.errorKind = failure?.errorKind;
  if (!failure || !call.stream) {
    call.response.destroy();
    return;
  }
  const { status, body } = failure;
  call.response.end(errorShapeOf(call.operation).event(body, { status, requestId: call.id }));
}

/** Headers of that one connection, and of that one call. */
const PASSED = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'trailer',
  'content-length',
  'content-encoding',
  'date',
  'vary',
  'x-request-id',
  'request-id',
]);

function headersOf({ headers }: RecordedResponse): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name, value]) => !PASSED.has(name) && !name.startsWith('access-control-') && value !== MASK,
    ),
  );
}

/** Characters of a header's value. */
const MOST = 800;

function verdict(match: Match): string {
  if (match.kind === 'exact') return 'exact';
  const text = ['nearest', ...match.differences].join('; ');
  // Headers are for ASCII alone.
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MOST);
}

/** It ended as it had ended. */
function conclude(call: Call, { ending, usage, error, response }: Shelved['recording']): void {
  call.ending = response.torn ? 'broken' : ending;
  call.usage = usage;
  if (call.ending === 'ok') return;
  call.error = error;
  call.errorKind = String(response.status);
}

/** One attempt, on what stands for all backends. */
function account(call: Call, { response, route }: Shelved['recording'], began: number): void {
  call.upstreamModel = route.model ?? call.model;
  const ending = call.gone ? 'aborted' : call.ending;
  call.attempts.push({
    instance: REPLAY,
    adapter: REPLAY,
    origin: REPLAY_URL,
    spanId: undefined,
    model: call.upstreamModel ?? '',
    choice: { by: 'only', of: 1, after: undefined, fallback: false },
    startedAfter: began - call.began,
    duration: performance.now() - began,
    firstByte: call.firstByte === undefined ? undefined : call.firstByte - (began - call.began),
    status: response.status,
    phase: ending === 'ok' ? 'done' : 'answering',
    ending,
    error: call.error,
    errorKind: call.errorKind,
    events: call.events,
    bytesIn: call.bytesIn,
    bytesOut: call.bytesOut,
    usage: call.usage,
    tokensGuessed: guessTokens(call.operation, call.events, call.usage),
  });
}
