import type { ServerEvent } from './adapter.ts';
import { asNumber, asObject, asObjects, parseJson } from './json.ts';

/**
 * Gives tool calls in a chat stream the place (`index`) by which OpenAI's clients put their pieces
 * together, where a backend that sends each call whole leaves it out; and ends a choice that called
 * tools with `tool_calls`. Made anew for every stream: it counts them.
 */
export function numberedToolCalls(): (event: ServerEvent) => readonly ServerEvent[] {
  const counts = new Map<number, number>();
  return (event) => {
    const mayEnd = counts.size > 0 && event.data.includes('"stop"');
    if (!mayEnd && !event.data.includes('"tool_calls"')) return [event];
    const chunk = asObject(parseJson(event.data));
    const choices = asObjects(chunk?.['choices']);
    if (!choices) return [event];
    let changed = false;
    const numbered = choices.map((choice) => {
      const place = asNumber(choice['index']) ?? 0;
      const delta = asObject(choice['delta']);
      const calls = asObjects(delta?.['tool_calls']);
      let outward = choice;
      if (calls && calls.length > 0) {
        const indexed = calls.map((call) => {
          const next = counts.get(place) ?? 0;
          const index = asNumber(call['index']);
          counts.set(place, Math.max(next, (index ?? next) + 1));
          if (index !== undefined) return call;
          changed = true;
          return { index: next, ...call };
        });
        outward = { ...choice, delta: { ...delta, tool_calls: indexed } };
      }
      if (counts.has(place) && choice['finish_reason'] === 'stop') {
        changed = true;
        outward = { ...outward, finish_reason: 'tool_calls' };
      }
      return outward;
    });
    return changed
      ? [{ ...event, data: JSON.stringify({ ...chunk, choices: numbered }) }]
      : [event];
  };
}
