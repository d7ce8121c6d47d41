import { asObject, asObjects, asText, parseJson, type JsonObject } from '../../adapters/json.ts';
import type { ReasoningPart } from '../prompt.ts';

/** What `encrypted_content` of our own making begins with. */
const MARK = 'jr1.';

/**
 * Reasoning for a client that keeps the conversation itself and gives back what it can't read: the
 * text, and what proves to its backend that it is its own.
 */
export function sealed({ text, signature, opaque }: Omit<ReasoningPart, 'type'>): string {
  const json = JSON.stringify({ text, signature, opaque });
  return MARK + Buffer.from(json).toString('base64url');
}

/** Reads an item of reasoning; `undefined` when there is nothing in it that another could read. */
export function reasoningPart(item: JsonObject): ReasoningPart | undefined {
  const own = opened(asText(item['encrypted_content']));
  if (own) return own;
  const texts = (list: unknown) =>
    (asObjects(list) ?? []).flatMap((part) => asText(part['text']) ?? []).join('\n\n');
  const text = texts(item['content']) || texts(item['summary']);
  return text === '' ? undefined : { type: 'reasoning', text };
}

function opened(seal: string | undefined): ReasoningPart | undefined {
  if (!seal?.startsWith(MARK)) return undefined;
  const json = Buffer.from(seal.slice(MARK.length), 'base64url').toString('utf8');
  const content = asObject(parseJson(json));
  return (
    content && {
      type: 'reasoning',
      text: asText(content['text']) ?? '',
      signature: asText(content['signature']),
      opaque: asText(content['opaque']),
    }
  );
}
