import { asObject, parseJson } from '../adapters/json.ts';
import { callHeaders } from '../dashboard/curl.ts';
import { diffWords, type DiffPart } from '../dashboard/word-diff.ts';
import { MASK } from '../observe/secrets.ts';
import { bytesOf } from '../recording/bytes.ts';
import type { RecordedRequest, Recording } from '../recording/recording.ts';
import type { AdminClient, ClientCall } from './admin-client.ts';
import { saidBy, type SaidAnswer } from './replay-answer.ts';
import type { NamedRecording } from './replay-files.ts';

/** Who a call is to be sent to has no model for it; the message says so. */
export class NoModel extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoModel';
  }
}

/** An answer, as far as it is compared. Spans are milliseconds. */
export interface Side {
  /** Absent when the client left before there was one. */
  readonly status: number | undefined;
  readonly instance: string | undefined;
  readonly model: string | undefined;
  readonly said: SaidAnswer;
  readonly firstByte: number | undefined;
  readonly duration: number;
}

/** A recorded call that was made again. */
export interface Replayed {
  readonly file: string;
  readonly recording: Recording;
  readonly before: Side;
  /** Absent when it could not be made. */
  readonly now: Side | undefined;
  /** Why it could not be made, or the message of an error. */
  readonly problem: string | undefined;
  readonly same: { readonly status: boolean; readonly text: boolean; readonly calls: boolean };
}

/** @param choose What to ask for; `undefined`: what was asked for. @throws NoModel */
export async function replayCall(
  server: Pick<AdminClient, 'call'>,
  { file, recording }: NamedRecording,
  {
    choose,
    key,
  }: {
    readonly choose: (recording: Recording) => string | undefined;
    readonly key: string | undefined;
  },
): Promise<Replayed> {
  const before = sideBefore(recording);
  let model: string | undefined;
  try {
    model = choose(recording);
  } catch (error) {
    if (!(error instanceof NoModel)) throw error;
    return notMade({ file, recording, before }, error.message);
  }
  const call = callFor(recording.request, model, key);
  if (typeof call === 'string') return notMade({ file, recording, before }, call);
  const answer = await server.call(call).catch((error: Error) => error);
  if (answer instanceof Error) return notMade({ file, recording, before }, answer.message);
  const header = (name: string): string | undefined => answer.headers[name]?.toString();
  const contentType = header('content-type') ?? '';
  const said = saidBy(recording.operation, { ...answer, contentType });
  const { status, firstByte, duration } = answer;
  const now: Side = {
    status,
    instance: header('x-jairouter-instance'),
    model: header('x-jairouter-model'),
    said,
    firstByte,
    duration,
  };
  return {
    file,
    recording,
    before,
    now,
    problem: status >= 400 ? said.text.replace(/^error: /, '') : undefined,
    same: {
      // Where nobody knows what it would have been, any answer is as good.
      status: before.status === undefined ? status < 400 : before.status === status,
      text: before.said.text === said.text,
      calls: callsText(before) === callsText(now),
    },
  };
}

/** Whether both answers say something, or both are errors: else their texts have nothing in common. */
export function isComparable({ before, now }: Replayed): boolean {
  const failed = ({ status = 200 }: Side): boolean => status >= 400;
  return now !== undefined && failed(before) === failed(now);
}

/** Where the texts of both answers part, word by word. */
export function textDiff({ before, now }: Replayed): DiffPart[] {
  return diffWords(before.said.text, now?.said.text ?? '');
}

/** How much of both texts is in both, from 0 to 1. */
export function textLikeness(replayed: Replayed): number {
  let same = 0;
  let all = 0;
  for (const { kind, text } of textDiff(replayed)) {
    const length = text.replaceAll(/\s/g, '').length;
    if (kind === 'same') same += 2 * length;
    all += kind === 'same' ? 2 * length : length;
  }
  return all === 0 ? 1 : same / all;
}

/** Calls of tools, a line each. */
function callsText({ said }: Side): string {
  return said.calls.map((call) => `${call.name} ${call.arguments}`).join('\n');
}

function notMade(of: Pick<Replayed, 'file' | 'recording' | 'before'>, problem: string): Replayed {
  return { ...of, now: undefined, problem, same: { status: false, text: false, calls: false } };
}

function sideBefore({ operation, route, response, firstByte, duration }: Recording): Side {
  const { instance, model } = route;
  const contentType = response?.headers['content-type'] ?? '';
  const said = response
    ? saidBy(operation, { status: response.status, contentType, body: bytesOf(response).bytes })
    : { text: '', calls: [], tokensIn: undefined, tokensOut: undefined };
  return { status: response?.status, instance, model, said, firstByte, duration };
}

/** @returns Why it can't be made, where it can't. */
function callFor(
  request: RecordedRequest,
  model: string | undefined,
  key: string | undefined,
): ClientCall | string {
  if (request.truncated)
    return 'only a part of its request was recorded: raise capture.maxFileBytes, and record it again';
  const { json, form, text, base64 } = request;
  if ([json, form, text, base64].every((one) => one === undefined))
    return 'its request was refused before it was read, and so was not recorded';
  const body = model === undefined ? request : withModel(request, model);
  if (!body)
    return 'its request is neither JSON nor a form, and names no model that could be replaced';
  const { bytes, contentType } = bytesOf(body);
  return {
    path: request.path.split('?')[0]!,
    headers: {
      ...unmasked(callHeaders(request.headers)),
      ...(contentType !== undefined && { 'content-type': contentType }),
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    },
    body: bytes,
  };
}

function withModel(
  { json, text = '', form }: RecordedRequest,
  model: string,
): Pick<RecordedRequest, 'json' | 'form'> | undefined {
  const fields = asObject(json ?? parseJson(text));
  if (fields) return { json: { ...fields, model } };
  const others = form?.filter(({ name }) => name !== 'model');
  return others && { form: [{ name: 'model', text: model }, ...others] };
}

function unmasked(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => !value.includes(MASK)));
}
