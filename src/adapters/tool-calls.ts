import { randomUUID } from 'node:crypto';
import { asObject, asObjects, asText, parseJson, type JsonObject } from './json.ts';

/** What was put right in an answer, in the words of the header that tells it. */
export type Repair = 'text-calls' | 'arguments' | 'ids' | 'shape' | 'finish-reason';
export type OnRepair = (repair: Repair) => void;

/** LocalAI, and others of its age, answer with the one call that there was before `tools`. */
export function callsOf(message: JsonObject, told: OnRepair): readonly JsonObject[] {
  const calls = asObjects(message['tool_calls']) ?? [];
  const single = asObject(message['function_call']);
  if (calls.length > 0 || !single) return calls;
  told('shape');
  return [{ function: single }];
}

/** The call's own id, unless it has none or another call has the same. */
export function uniqueId(given: unknown, ids: Set<string>, told: OnRepair): string {
  let id = asText(given);
  if (id === undefined || ids.has(id)) {
    id = newCallId();
    told('ids');
  }
  ids.add(id);
  return id;
}

export function newCallId(): string {
  return `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`;
}

export function isObjectText(text: string): boolean {
  return asObject(parseJson(text)) !== undefined;
}
