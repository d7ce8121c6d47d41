import { describe, expect, it } from 'vitest';
import { ASKED, SERVED } from '../../src/dialects/index.ts';
import { answerStage } from '../../src/dialects/translate.ts';
import { context } from './events.ts';

type Fields = Record<string, unknown>;

/** What a client of Messages is told when Gemini calls a tool. */
function told(calls: readonly Fields[]): Fields {
  const answer = {
    model: 'gemini-3-pro',
    choices: [{ index: 0, message: { content: null, tool_calls: calls }, finish_reason: 'stop' }],
  };
  const stage = answerStage(
    { from: ASKED.chat, to: SERVED.messages, contentType: '' },
    { ...context(), stream: false },
  );
  return JSON.parse(String(stage.body(Buffer.from(JSON.stringify(answer))).body)) as Fields;
}

/** The assistant's turn as a backend is told it when the client gives its content back. */
function given(to: 'chat' | 'messages', content: unknown, extras: readonly string[] = []): Fields {
  const results = (content as Fields[])
    .filter(({ type }) => type === 'tool_use')
    .map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'done' }));
  const prompt = SERVED.messages.readRequest({
    max_tokens: 10,
    messages: [
      { role: 'user', content: 'Go' },
      { role: 'assistant', content },
      { role: 'user', content: results },
    ],
  });
  const { fields } = ASKED[to].writeRequest(prompt, { model: 'm', extras });
  return (fields['messages'] as Fields[]).find(({ role }) => role === 'assistant')!;
}

const call = (id: string, more: Fields = {}) => ({
  id,
  type: 'function',
  function: { name: 'run', arguments: '{}' },
  ...more,
});
const signedBy = (signature: string) => ({
  extra_content: { google: { thought_signature: signature } },
});

describe('the signature of a call of Gemini', () => {
  it('comes back to it through a client that knows nothing of it', () => {
    const { content } = told([call('a', signedBy('sig+/=')), call('b')]);
    expect(content).toMatchObject([
      { type: 'redacted_thinking' },
      { type: 'tool_use', id: 'a' },
      { type: 'tool_use', id: 'b' },
    ]);
    expect(given('chat', content, ['thought_signature'])['tool_calls']).toEqual([
      call('a', signedBy('sig+/=')),
      call('b'),
    ]);
  });

  it('is made up for for calls that another model has made', () => {
    const { content } = told([call('a')]);
    expect(given('chat', content, ['thought_signature'])['tool_calls']).toEqual([
      call('a', signedBy('skip_thought_signature_validator')),
    ]);
  });

  it('is kept from all others', () => {
    const { content } = told([call('a', signedBy('sig'))]);
    expect(given('chat', content)['tool_calls']).toEqual([call('a')]);
    expect(given('messages', content)['content']).toMatchObject([{ type: 'tool_use', id: 'a' }]);
  });
});
