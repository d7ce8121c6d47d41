import { describe, expect, it } from 'vitest';
import { saidBy } from '../../src/commands/replay-answer.ts';
import type { Operation } from '../../src/service.ts';

const CALL = { name: 'weather', arguments: '{"city":"Rome","unit":"C"}' };

function events(...data: readonly (object | string)[]): string {
  return data
    .map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`)
    .join('');
}

function said(
  operation: Operation,
  body: object | string | Buffer,
  contentType = 'application/json',
) {
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return saidBy(operation, { status: 200, contentType, body: bytes });
}

describe('what an answer says', () => {
  const chunk = (delta: object): object => ({ choices: [{ index: 0, delta }] });
  const part = (index: number, rest: object): object => ({
    tool_calls: [{ index, ...rest }],
  });

  it.each<[string, Operation, object | string, string]>([
    [
      'chat',
      'chat',
      events(
        chunk({ content: 'Let me ' }),
        chunk({ content: 'see.' }),
        chunk(part(0, { id: 'a', function: { name: 'weather', arguments: '{"unit":"C",' } })),
        chunk(part(0, { function: { arguments: '"city":"Rome"}' } })),
        '[DONE]',
      ),
      'text/event-stream',
    ],
    [
      'messages',
      'messages',
      events(
        {
          type: 'message_start',
          message: { model: 'm', usage: { input_tokens: 1, output_tokens: 1 } },
        },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        {
          type: 'content_block_delta',
          index: 0,
          delta: { type: 'text_delta', text: 'Let me see.' },
        },
        { type: 'content_block_stop', index: 0 },
        {
          type: 'content_block_start',
          index: 1,
          content_block: { type: 'tool_use', id: 'a', name: 'weather', input: {} },
        },
        {
          type: 'content_block_delta',
          index: 1,
          delta: { type: 'input_json_delta', partial_json: '{"unit":"C","city":"Rome"}' },
        },
        { type: 'content_block_stop', index: 1 },
        { type: 'message_stop' },
      ),
      'text/event-stream',
    ],
    [
      'messages, whole',
      'messages',
      {
        type: 'message',
        model: 'm',
        content: [
          { type: 'text', text: 'Let me see.' },
          { type: 'tool_use', id: 'a', name: 'weather', input: { unit: 'C', city: 'Rome' } },
        ],
      },
      'application/json',
    ],
    [
      'Ollama’s chat',
      'ollamaChat',
      [
        { message: { role: 'assistant', content: 'Let me see.' }, done: false },
        {
          message: {
            role: 'assistant',
            content: '',
            tool_calls: [{ function: { name: 'weather', arguments: { unit: 'C', city: 'Rome' } } }],
          },
          done: true,
        },
      ]
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(''),
      'application/x-ndjson',
    ],
    [
      'responses, whole',
      'responses',
      {
        status: 'completed',
        output: [
          {
            type: 'message',
            role: 'assistant',
            content: [{ type: 'output_text', text: 'Let me see.' }],
          },
          {
            type: 'function_call',
            call_id: 'a',
            name: 'weather',
            arguments: '{"city": "Rome", "unit": "C"}',
          },
        ],
      },
      'application/json',
    ],
  ])('is text and calls apart, the same in all dialects: %s', (_name, operation, body, type) => {
    expect(said(operation, body, type)).toMatchObject({ text: 'Let me see.', calls: [CALL] });
  });

  it('is counted where it is no text', () => {
    const vectors = { data: [{ embedding: [1, 2, 3] }], usage: { prompt_tokens: 2 } };
    expect(said('embeddings', vectors)).toMatchObject({ text: '1 × 3 numbers', tokensIn: 2 });
    expect(said('speech', Buffer.alloc(9), 'audio/mpeg').text).toBe('9 bytes of audio/mpeg');
  });

  it('is what there is, where an answer is none', () => {
    expect(said('transcriptions', 'It rains.', 'text/plain').text).toBe('It rains.');
    const error = { status: 400, contentType: 'application/json' };
    const body = Buffer.from('{"error":{"message":"No."}}');
    expect(saidBy('chat', { ...error, body })).toMatchObject({ text: 'error: No.', calls: [] });
    const broken = events(chunk({ content: 'Let me ' }), { error: { message: 'Gone' } });
    expect(said('chat', broken, 'text/event-stream').text).toBe('Let me (it failed: Gone)');
  });
});
