import type { AdapterCall, Answer, ResponseTransform } from './adapter.ts';
import { asObject, asObjects, asText, parseJson, type JsonObject } from './json.ts';
import { mendArguments } from './loose-json.ts';
import {
  callsOf,
  isObjectText,
  newCallId,
  uniqueId,
  type OnRepair,
  type Repair,
} from './tool-calls.ts';
import { ToolStreamRepair } from './tool-stream-repair.ts';
import { argumentsOf, readWritten, type WrittenCall, type WritingRules } from './written-calls.ts';

/**
 * Puts right what small models, and the servers that read their text, get wrong about tool calls.
 * What is right already is left alone, to the byte.
 *
 * @param told Called for what is put right; in a stream maybe after its first events.
 * @returns `undefined` for a call without tools, or with several answers at once.
 */
export function repairOf(call: AdapterCall, told: OnRepair): ResponseTransform | undefined {
  const rules = rulesOf(call);
  if (!rules) return undefined;
  const body = (whole: Buffer) => repairBody(whole, rules, told);
  if (!call.stream) return { body };
  const stream = new ToolStreamRepair(rules, told);
  return { event: (event) => stream.event(event) };
}

function rulesOf({ fields }: AdapterCall): WritingRules | undefined {
  const tools = asObjects(fields['tools']) ?? [];
  const names = tools.flatMap((tool) => asText(asObject(tool['function'])?.['name']) ?? []);
  const several = Number(fields['n'] ?? 1) > 1;
  if (names.length === 0 || fields['tool_choice'] === 'none' || several) return undefined;
  const format = asObject(fields['response_format'])?.['type'] ?? 'text';
  return { tools: new Set(names), wantsJson: format !== 'text' };
}

function repairBody(body: Buffer, rules: WritingRules, told: OnRepair): Answer | undefined {
  const answer = asObject(parseJson(body.toString('utf8')));
  const choices = asObjects(answer?.['choices']);
  if (!answer || !choices) return undefined;
  const repairs: Repair[] = [];
  const mended = choices.map((choice) => repairChoice(choice, rules, (what) => repairs.push(what)));
  if (repairs.length === 0) return undefined;
  for (const repair of repairs) told(repair);
  const text = JSON.stringify({ ...answer, choices: mended });
  return { body: text, contentType: 'application/json' };
}

function repairChoice(choice: JsonObject, rules: WritingRules, told: OnRepair): JsonObject {
  const message = asObject(choice['message']);
  // What ran out of tokens is half a call, and half a call is none.
  if (!message || choice['finish_reason'] === 'length') return choice;
  const calls = callsOf(message, told);
  if (calls.length === 0) return withWritten(choice, message, rules, told);
  const ids = new Set<string>();
  const mended = calls.map((call) => repairCall(call, ids, told));
  if (choice['finish_reason'] !== 'tool_calls') told('finish-reason');
  const { function_call: _, ...rest } = message;
  return {
    ...choice,
    message: { ...rest, tool_calls: mended },
    finish_reason: 'tool_calls',
  };
}

function withWritten(
  choice: JsonObject,
  message: JsonObject,
  rules: WritingRules,
  told: OnRepair,
): JsonObject {
  const text = asText(message['content']);
  const written = text === undefined ? undefined : readWritten(text, rules, true);
  if (!written) return choice;
  told('text-calls');
  const calls = written.calls.map((call) => ({ id: newCallId(), ...wrap(call) }));
  return {
    ...choice,
    message: { ...message, content: written.text || null, tool_calls: calls },
    finish_reason: 'tool_calls',
  };
}

function repairCall(call: JsonObject, ids: Set<string>, told: OnRepair): JsonObject {
  const inner = asObject(call['function']) ?? {};
  const given = inner['arguments'];
  let args = given;
  if (typeof given !== 'string') {
    args = argumentsOf(given) ?? given;
    told('shape');
  } else if (!isObjectText(given)) {
    args = mendArguments(given) ?? given;
    if (args !== given) told('arguments');
  }
  const id = uniqueId(call['id'], ids, told);
  return { ...call, id, type: 'function', function: { ...inner, arguments: args } };
}

function wrap({ name, arguments: args }: WrittenCall): JsonObject {
  return { type: 'function', function: { name, arguments: args } };
}
