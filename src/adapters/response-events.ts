import type { ResponseTransform, ServerEvent } from './adapter.ts';
import { asObject, asText, parseJson, type JsonObject } from './json.ts';

/** The place within its item that an event has, by its type. */
const PLACES: readonly (readonly [kind: RegExp, place: string])[] = [
  [/\.(content_part|output_text|refusal|reasoning_text)\./, 'content_index'],
  [/\.reasoning_summary_(part|text)\./, 'summary_index'],
];
const PART_ADDED = 'response.content_part.added';
const ITEM_ADDED = 'response.output_item.added';

interface Item {
  readonly index: number;
  /** That it has had so far. */
  parts: number;
}

/**
 * Completes a stream of Responses whose server does not count: clients put an answer together by the
 * numbers of its events, its items and their parts. One that counts passes as it is. Made anew for
 * every stream.
 */
export function numberedResponse(): ResponseTransform {
  let next = 0;
  let items = 0;
  const known = new Map<unknown, Item>();

  const numbered = (type: string, event: JsonObject): JsonObject => {
    const inner = asObject(event['item']);
    if (type === ITEM_ADDED) {
      known.set(inner?.['id'], { index: items, parts: 0 });
      items += 1;
    }
    const item = known.get(event['item_id'] ?? inner?.['id']);
    if (type === PART_ADDED && item) item.parts += 1;
    const place = item && PLACES.find(([kind]) => kind.test(type))?.[1];
    const sequence = next;
    next += 1;
    return {
      type,
      sequence_number: sequence,
      ...(item && { output_index: item.index }),
      ...(item && place && { [place]: Math.max(0, item.parts - 1) }),
      ...event,
    };
  };

  return {
    event(one: ServerEvent) {
      const event = asObject(parseJson(one.data));
      const type = asText(event?.['type']);
      if (!event || type === undefined || 'sequence_number' in event) return [one];
      const made: JsonObject[] = [];
      const id = event['item_id'];
      // A thought is not begun as a part, and can't be put together without that.
      if (type === 'response.reasoning_text.delta' && known.get(id)?.parts === 0) {
        const part = { type: 'reasoning_text', text: '' };
        made.push(numbered(PART_ADDED, { item_id: id, part }));
      }
      made.push(numbered(type, event));
      return made.map((each) => ({
        ...(one.event !== undefined && { event: String(each['type']) }),
        data: JSON.stringify(each),
      }));
    },
  };
}
