import { randomUUID } from 'node:crypto';
import { RequestRefused, type AdapterCall, type OperationSpec } from '../adapters/adapter.ts';
import { asObject, parseJson, type JsonObject } from '../adapters/json.ts';
import type { OnRepair } from '../adapters/tool-calls.ts';
import { repairOf } from '../adapters/tool-repair.ts';
import type { Unsupported } from '../config/settings.ts';
import { demands } from '../dialects/drops.ts';
import type { ServedDialect } from '../dialects/dialect.ts';
import { ASKED, SERVED, type AskedName, type ServedName } from '../dialects/index.ts';
import { mended } from '../dialects/mended.ts';
import { EMBED_FIELDS, EMBED_ROUTES, embedAnswer, embedRequest } from '../dialects/ollama/embed.ts';
import type { Prompt } from '../dialects/prompt.ts';
import { restOf } from '../dialects/read.ts';
import { callIdsOf } from '../dialects/turns.ts';
import { answerStage, type AnswerStage } from '../dialects/translate.ts';
import type { Target } from '../gateway/directory.ts';
import type { Instance } from '../instances/instance.ts';
import { speaksLines, type Operation } from '../service.ts';
import { FRAMINGS } from './framing.ts';

export interface Translation {
  /** What the backend is asked for. */
  readonly operation: Operation;
  /** The request in the backend's dialect. */
  readonly fields: JsonObject;
  readonly stage: AnswerStage;
  /** What of the client's request could not be said. */
  readonly dropped: readonly string[];
}

/** What is to be translated. */
export interface Wanted {
  /** What the client asks for, and what the backend can be asked instead. */
  readonly by: Operation;
  readonly instead: Operation;
  readonly fields: JsonObject;
  readonly stream: boolean;
  /** What becomes of what the backend's dialect can't say. */
  readonly unsupported: Unsupported;
  /** What the answer is to be called. */
  readonly id: string | undefined;
  /** Told of tool calls that are put right; absent: none is. */
  readonly onRepair: OnRepair | undefined;
}

/**
 * Puts a call into the dialect of a backend that does not speak the client's.
 * @throws RequestRefused when the request is none, or can't be said as it is and must be.
 */
export function translate(wanted: Wanted, target: Target<Instance>): Translation {
  const { by } = wanted;
  return by in EMBED_ROUTES
    ? translateEmbed(wanted, EMBED_ROUTES[by as keyof typeof EMBED_ROUTES], target)
    : translateSpeech(wanted, target);
}

function translateSpeech(
  { by, instead, fields, stream, unsupported, id, onRepair }: Wanted,
  { instance, model, entry }: Target<Instance>,
): Translation {
  const to: ServedDialect = SERVED[by as ServedName];
  const prompt = to.readRequest(fields);
  // A text to be filled in is no conversation, if the backend can do without one.
  const operation = prompt.raw && instance.asked('completions') ? 'completions' : instead;
  const from = ASKED[operation as AskedName];
  const spec: OperationSpec = instance.adapter.operations[operation]!;
  const draft = from.writeRequest(prompt, {
    model,
    extras: spec.extras ?? [],
    contextLength: entry?.contextLength,
  });
  const dropped = [...draft.dropped, ...(operation === 'completions' ? [] : rawOf(prompt))];
  const told = droppedBy(to.names, dropped, unsupported);
  const { contentType } = FRAMINGS[speaksLines(by) ? 'lines' : 'events'];
  const callIds = callIdsOf(prompt.turns);
  const context = { fields, model, id, now: Date.now(), clock: Date.now, mint, stream, callIds };
  // Chat completions are put right as they come from the backend.
  const mend =
    onRepair && operation !== 'chat' ? repairOf(asChat(prompt, model), onRepair) : undefined;
  const stage = answerStage(
    { from: mend ? mended(from, mend, context) : from, to, contentType },
    context,
  );
  return { operation, fields: draft.fields, stage, dropped: told };
}

/**
 * What could not be said, in the client's words.
 * @throws RequestRefused when it would change the answer, and must not.
 */
function droppedBy(
  names: ServedDialect['names'],
  dropped: readonly string[],
  unsupported: Unsupported,
): readonly string[] {
  const named = (name: string): string => names?.[name] ?? name;
  const needed = unsupported === 'reject' ? demands(dropped).map(named) : [];
  if (needed.length > 0) {
    throw new RequestRefused(
      `This backend can't be told ${needed.map((name) => `"${name}"`).join(', ')}, and unsupported: reject is set. Leave it out, or use an instance that speaks this API itself.`,
      needed[0],
    );
  }
  return [...new Set(dropped.map(named))];
}

/** A call as one of chat completions, for those who know no other. */
function asChat(prompt: Prompt, model: string): AdapterCall {
  const { fields } = ASKED.chat.writeRequest(prompt, { model, extras: [] });
  return { operation: 'chat', model, fields, stream: prompt.stream };
}

/** What a conversation has no words for in a text that is to be filled in. */
function rawOf({ raw }: Prompt): readonly string[] {
  if (!raw) return [];
  return raw.suffix === undefined ? ['raw'] : ['suffix'];
}

function translateEmbed(
  { instead, fields, unsupported }: Wanted,
  route: (typeof EMBED_ROUTES)[keyof typeof EMBED_ROUTES],
  { model }: Target<Instance>,
): Translation {
  const began = performance.now();
  const contentType = 'application/json';
  return {
    operation: instead,
    fields: { model, ...embedRequest(route, fields) },
    dropped: droppedBy(undefined, Object.keys(restOf(fields, EMBED_FIELDS)), unsupported),
    stage: {
      contentType,
      ended: false,
      usage: undefined,
      result: undefined,
      event: () => '',
      fail: () => '',
      body(body) {
        const answer = asObject(parseJson(body.toString('utf8')));
        const took = performance.now() - began;
        return { body: JSON.stringify(embedAnswer(route, answer, { model, took })), contentType };
      },
    },
  };
}

function mint(prefix: string): string {
  return prefix + randomUUID().replaceAll('-', '');
}
