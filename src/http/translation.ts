import { randomUUID } from 'node:crypto';
import { RequestRefused, type OperationSpec } from '../adapters/adapter.ts';
import type { JsonObject } from '../adapters/json.ts';
import { DIALECTS, type DialectName } from '../dialects/index.ts';
import { demands } from '../dialects/drops.ts';
import { answerStage, type AnswerStage } from '../dialects/translate.ts';
import type { Unsupported } from '../config/settings.ts';
import type { Target } from '../gateway/directory.ts';
import type { Instance } from '../instances/instance.ts';
import type { Operation } from '../service.ts';
import { STREAM_HEADERS } from './event-answer.ts';

export interface Translation {
  /** The request in the backend's dialect. */
  readonly fields: JsonObject;
  readonly stage: AnswerStage;
  /** What of the client's request could not be said. */
  readonly dropped: readonly string[];
}

/** What is to be translated. */
export interface Wanted {
  readonly asked: Operation;
  readonly by: Operation;
  readonly fields: JsonObject;
  readonly stream: boolean;
  /** What becomes of what the backend's dialect can't say. */
  readonly unsupported: Unsupported;
  /** What the answer is to be called. */
  readonly id: string | undefined;
}

/**
 * Puts a call into the dialect of a backend that does not speak the client's.
 * @throws RequestRefused when the request is none, or can't be said as it is and must be.
 */
export function translate(
  { asked, by, fields, stream, unsupported, id }: Wanted,
  { instance, model, entry }: Target<Instance>,
): Translation {
  const to = DIALECTS[by as DialectName];
  const from = DIALECTS[asked as DialectName];
  const spec: OperationSpec = instance.adapter.operations[asked]!;
  const draft = from.writeRequest(to.readRequest(fields), {
    model,
    extras: spec.extras ?? [],
    contextLength: entry?.contextLength,
  });
  const needed = unsupported === 'reject' ? demands(draft.dropped) : [];
  if (needed.length > 0) {
    throw new RequestRefused(
      `This backend can't be told ${needed.map((name) => `"${name}"`).join(', ')}, and unsupported: reject is set. Leave it out, or use an instance that speaks this API itself.`,
      needed[0],
    );
  }
  const between = { from, to, contentType: STREAM_HEADERS['content-type'] };
  const context = { fields, model, id, now: Date.now(), mint, stream };
  return { fields: draft.fields, stage: answerStage(between, context), dropped: draft.dropped };
}

function mint(prefix: string): string {
  return prefix + randomUUID().replaceAll('-', '');
}
