import type { Answer, ServerEvent } from './adapter.ts';
import { eventStream } from './event-stream.ts';
import { asNumber, asObject, asObjects, asText, parseJson, type JsonObject } from './json.ts';

/** A whole transcript as the stream that the client asked for: one delta and the end. */
export function transcriptAsStream(text: string, usage: unknown): Answer {
  return eventStream([delta(text), done(text, asObject(usage))]);
}

/**
 * Turns the chat-like `transcription.chunk` stream of vLLM and SGLang into OpenAI's events; OpenAI's
 * own pass. Made anew for every stream: it remembers the text for the last event.
 */
export function transcriptEvents(): (event: ServerEvent) => readonly ServerEvent[] {
  let chunked = false;
  let finished = false;
  let text = '';
  let usage: JsonObject | undefined;
  return (event) => {
    if (event.data === '[DONE]') {
      // OpenAI's streams of transcripts end with `transcript.text.done` and have no [DONE].
      if (finished) return [];
      if (!chunked) return [event];
      finished = true;
      return [done(text, usage && toOpenAiUsage(usage))];
    }
    const payload = asObject(parseJson(event.data));
    if (payload?.['type'] === 'transcript.text.done') finished = true;
    if (payload?.['object'] !== 'transcription.chunk') return [event];
    chunked = true;
    usage = asObject(payload['usage']) ?? usage;
    const pieces = (asObjects(payload['choices']) ?? []).flatMap(
      (choice) => asText(asObject(choice['delta'])?.['content']) ?? [],
    );
    text += pieces.join('');
    return pieces.map(delta);
  };
}

function delta(text: string): ServerEvent {
  return { data: JSON.stringify({ type: 'transcript.text.delta', delta: text }) };
}

function done(text: string, usage: JsonObject | undefined): ServerEvent {
  return {
    data: JSON.stringify({ type: 'transcript.text.done', text, ...(usage ? { usage } : {}) }),
  };
}

/** Chat's names for the counts are not those of transcripts. */
function toOpenAiUsage(usage: JsonObject): JsonObject {
  const input = asNumber(usage['prompt_tokens']) ?? 0;
  const output = asNumber(usage['completion_tokens']) ?? 0;
  return {
    type: 'tokens',
    input_tokens: input,
    output_tokens: output,
    total_tokens: asNumber(usage['total_tokens']) ?? input + output,
  };
}
