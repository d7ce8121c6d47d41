import { asObject, asText, type JsonObject } from '../adapters/json.ts';
import type { ReasoningPart } from './prompt.ts';

/**
 * Gemini signs what led to a call, and refuses a conversation in which a call has lost that. Clients
 * of other APIs know opaque thoughts alone, and give those back.
 */
const MARK = 'google:';
/** What Google lets stand for the signature of a call that another model made. */
const UNSIGNED = 'skip_thought_signature_validator';

/** The opaque thought that stands before a call of Gemini's; `undefined` for those of others. */
export function thoughtOf(call: JsonObject): string | undefined {
  const google = asObject(asObject(call['extra_content'])?.['google']);
  const signature = asText(google?.['thought_signature']);
  return signature && MARK + signature;
}

/** Whether a thought is none of Gemini's, and another may read it. */
export function isOthers({ opaque }: ReasoningPart): boolean {
  return opaque?.startsWith(MARK) !== true;
}

/** What a call takes with it. @param thought The opaque thought before it, if there is one. */
export function signed(thought: string | undefined): JsonObject {
  const signature = thought?.startsWith(MARK) ? thought.slice(MARK.length) : UNSIGNED;
  return { extra_content: { google: { thought_signature: signature } } };
}
