import { asObject, asObjects, asText, type JsonObject } from '../../adapters/json.ts';
import type { Block, Logprobs } from '../answer.ts';
import type { AnswerContext } from '../dialect.ts';
import { sealed } from './reasoning.ts';
import { foundTools } from './read-request.ts';
import { callItem, toolbox, type KnownTool } from './tools.ts';

type ReasoningBlock = Extract<Block, { type: 'reasoning' }>;

/** What of a request decides on the look of an answer's items. */
export interface Wishes {
  /** What the names that the model calls stand for. */
  readonly known: ReadonlyMap<string, KnownTool>;
  /** Reasoning is told as a summary, which is where such clients look for it. */
  readonly summary: boolean;
  /** The client keeps the conversation, reasoning included. */
  readonly sealed: boolean;
}

export function wishesOf({ fields }: AnswerContext): Wishes {
  const include: unknown = fields['include'];
  const summary = asText(asObject(fields['reasoning'])?.['summary']);
  const found = (asObjects(fields['input']) ?? []).flatMap(foundTools);
  return {
    known: toolbox([...(asObjects(fields['tools']) ?? []), ...found]).known,
    summary: summary !== undefined && summary !== 'none',
    sealed: Array.isArray(include) && include.includes('reasoning.encrypted_content'),
  };
}

/** A tool that nobody declared is called by its name. */
export function toolNamed(name: string, { known }: Wishes): KnownTool {
  return known.get(name) ?? { kind: 'function', name };
}

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

export function messageItem(
  id: string,
  status: ItemStatus,
  content: readonly JsonObject[],
): JsonObject {
  return { id, type: 'message', status, role: 'assistant', content };
}

export function outputText(text: string, logprobs: Logprobs = []): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs };
}

export function refusal(text: string): JsonObject {
  return { type: 'refusal', refusal: text };
}

export function reasoningItem(id: string, block: ReasoningBlock, wishes: Wishes): JsonObject {
  const { text, signature, opaque } = block;
  const told = text !== '';
  return {
    id,
    type: 'reasoning',
    summary: told && wishes.summary ? [{ type: 'summary_text', text }] : [],
    ...(told && !wishes.summary ? { content: [{ type: 'reasoning_text', text }] } : {}),
    ...(wishes.sealed ? { encrypted_content: sealed({ text, signature, opaque }) } : {}),
  };
}

/** @param json The arguments so far. */
export function toolItem(
  id: string,
  status: ItemStatus,
  {
    tool,
    callId,
    json,
  }: { readonly tool: KnownTool; readonly callId: string; readonly json: string },
): JsonObject {
  return { id, status, ...callItem(tool, callId, json) };
}

/** What each kind's ids begin with. */
export const ITEM_IDS = {
  message: 'msg_',
  reasoning: 'rs_',
  function: 'fc_',
  custom: 'ctc_',
  local_shell: 'lsh_',
  shell: 'sh_',
  apply_patch: 'apc_',
  tool_search: 'tsc_',
} as const satisfies Record<'message' | 'reasoning' | KnownTool['kind'], string>;
