import { describe, expect, it } from 'vitest';
import { readAnswer } from '../../src/dashboard/answer-text.ts';
import { chatAnswer } from '../support/fake-feed.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const SSE = 'text/event-stream';

function events(...all: readonly unknown[]): string {
  return [...all.map((one) => `data: ${JSON.stringify(one)}`), 'data: [DONE]', ''].join('\n\n');
}

describe('the text of an answer', () => {
  it('is that of a chat, whole or streamed', () => {
    expect(readAnswer(chatAnswer('Hello'), JSON_TYPE)).toEqual({
      text: 'Hello',
      tokensIn: 12,
      tokensOut: 9,
      finish: 'stop',
    });
    const streamed = events(
      { choices: [{ delta: { role: 'assistant', content: 'Hel' } }] },
      { choices: [{ delta: { content: 'lo' }, finish_reason: null }] },
      { choices: [{ delta: {}, finish_reason: 'length' }] },
      { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } },
    );
    expect(readAnswer(streamed, SSE)).toEqual({
      text: 'Hello',
      tokensIn: 3,
      tokensOut: 2,
      finish: 'length',
    });
  });

  it('has thoughts and tool calls in it', () => {
    const message = {
      reasoning_content: 'think ',
      content: null,
      tool_calls: [{ function: { name: 'weather', arguments: '{"in":"Bern"}' } }],
    };
    const body = JSON.stringify({ choices: [{ message, finish_reason: 'tool_calls' }] });
    expect(readAnswer(body, JSON_TYPE).text).toBe('think weather{"in":"Bern"}');
  });

  it.each([
    ['completions', JSON_TYPE, JSON.stringify({ choices: [{ text: 'Hello' }] })],
    [
      'responses',
      JSON_TYPE,
      JSON.stringify({ output: [{ content: [{ type: 'output_text', text: 'Hello' }] }] }),
    ],
    [
      'responses, streamed',
      SSE,
      events(
        { type: 'response.output_text.delta', delta: 'Hel' },
        { type: 'response.output_text.delta', delta: 'lo' },
        { type: 'response.completed', response: { usage: { input_tokens: 1 } } },
      ),
    ],
    ['messages', JSON_TYPE, JSON.stringify({ content: [{ type: 'text', text: 'Hello' }] })],
    [
      'messages, streamed',
      SSE,
      events(
        { type: 'content_block_delta', delta: { type: 'text_delta', text: 'Hel' } },
        { type: 'content_block_delta', delta: { type: 'text_delta', text: 'lo' } },
      ),
    ],
    [
      'Ollama, streamed',
      'application/x-ndjson',
      '{"message":{"content":"Hel"}}\n{"message":{"content":"lo"},"done_reason":"stop"}\n',
    ],
    ['transcription', JSON_TYPE, JSON.stringify({ text: 'Hello' })],
    ['plain text', 'text/plain', 'Hello'],
  ])('is found in %s', (_, type, body) => {
    expect(readAnswer(body, type).text).toBe('Hello');
  });

  it('counts what has no words', () => {
    const vectors = { data: [{ embedding: [1, 2, 3] }, { embedding: [4, 5, 6] }] };
    expect(readAnswer(JSON.stringify(vectors), JSON_TYPE).text).toBe('2 × 3 numbers');
    const ranked = { results: [{ index: 1, relevance_score: 0.98765 }] };
    expect(readAnswer(JSON.stringify(ranked), JSON_TYPE).text).toBe('1: 0.9877\n');
    const pictures = { data: [{ b64_json: 'abcd' }] };
    expect(readAnswer(JSON.stringify(pictures), JSON_TYPE).text).toBe(
      '1 × picture of 4 characters',
    );
  });

  it('is the error, when there is one', () => {
    const body = JSON.stringify({ error: { message: 'no such model' } });
    expect(readAnswer(body, JSON_TYPE).text).toBe('error: no such model');
  });
});
