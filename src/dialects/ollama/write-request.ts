import { asObject, parseJson, type JsonObject } from '../../adapters/json.ts';
import type { Addressee, Draft } from '../dialect.ts';
import type { AssistantPart, ContentPart, Prompt, ResultPart, Tool } from '../prompt.ts';
import { inlineText, isResult, joined, splitResult, textOf } from '../turns.ts';
import { fieldsOf } from './options.ts';

/** Writes a prompt as a request of Ollama's `/api/chat`. */
export function writeRequest(prompt: Prompt, { model }: Addressee): Draft {
  const { fields, dropped: unsaid } = fieldsOf(prompt);
  const dropped = new Set([...prompt.dropped, ...unsaid]);
  const { tools, toolChoice, logprobs } = prompt;
  // It has no way to forbid or demand a call; without tools there is none.
  const offered = toolChoice === 'none' ? [] : tools;
  if (toolChoice !== undefined && toolChoice !== 'auto' && toolChoice !== 'none') {
    dropped.add('tool_choice');
  }
  if (prompt.parallelCalls === false) dropped.add('parallel_tool_calls');
  if (prompt.user !== undefined) dropped.add('user');
  return {
    fields: {
      model,
      messages: messagesOf(prompt, dropped),
      ...(offered.length > 0 ? { tools: offered.map(toolOf) } : {}),
      ...fields,
      ...(logprobs && { logprobs: true }),
      ...(logprobs?.others && { top_logprobs: logprobs.others }),
      stream: prompt.stream,
    },
    dropped: [...dropped],
  };
}

function messagesOf(prompt: Prompt, dropped: Set<string>): readonly JsonObject[] {
  const names = new Map<string, string>();
  return joined(prompt.turns).flatMap((turn): readonly JsonObject[] => {
    if (turn.content.some((part) => 'cache' in part && part.cache)) dropped.add('cache_control');
    switch (turn.role) {
      case 'system':
        return [{ role: 'system', content: textOf(turn.content) }];
      case 'assistant':
        return [assistantMessage(turn.content, names)];
      case 'user':
        return userMessages(turn.content, names, dropped);
    }
  });
}

function assistantMessage(parts: readonly AssistantPart[], names: Map<string, string>): JsonObject {
  let content = '';
  let thinking = '';
  const calls: JsonObject[] = [];
  for (const part of parts) {
    if (part.type === 'text' || part.type === 'refusal') content += part.text;
    else if (part.type === 'reasoning') thinking += part.text;
    else {
      const { id, name, arguments: text } = part;
      names.set(id, name);
      calls.push({ id, function: { name, arguments: asObject(parseJson(text)) ?? {} } });
    }
  }
  return {
    role: 'assistant',
    content,
    ...(thinking === '' ? {} : { thinking }),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

function userMessages(
  parts: readonly (ContentPart | ResultPart)[],
  names: ReadonlyMap<string, string>,
  dropped: Set<string>,
): readonly JsonObject[] {
  const messages: JsonObject[] = [];
  const said: ContentPart[] = [];
  const results = parts.filter(isResult);
  for (const result of results) {
    const { text, media } = splitResult(result);
    const name = names.get(result.callId);
    messages.push({
      role: 'tool',
      content: text,
      ...(name === undefined ? {} : { tool_name: name }),
      tool_call_id: result.callId,
    });
    said.push(...media);
  }
  said.push(...parts.filter((part) => !isResult(part)));
  if (said.length === 0 && results.length > 0) return messages;
  const texts: string[] = [];
  const images: string[] = [];
  for (const part of said) {
    const text = part.type === 'file' ? inlineText(part) : part;
    if (text?.type === 'text') texts.push(text.text);
    else if (part.type === 'image' && 'data' in part.source) images.push(part.source.data);
    else dropped.add(part.type);
  }
  const content = texts.join('\n\n');
  messages.push({ role: 'user', content, ...(images.length > 0 ? { images } : {}) });
  return messages;
}

function toolOf({ name, description, parameters }: Tool): JsonObject {
  return {
    type: 'function',
    function: { name, ...(description === undefined ? {} : { description }), parameters },
  };
}
