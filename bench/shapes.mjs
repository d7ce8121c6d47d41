/** What the bench asks and what its upstream answers: both ends know every byte. */

export const MODEL = 'bench';

/** A chat call's answer of ordinary size. */
export const ANSWER = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1,
    model: MODEL,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'All work and no play. '.repeat(20) },
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 20, completion_tokens: 100, total_tokens: 120 },
  }),
);

/** @returns {Buffer[]} A stream's events: `count` of content, then the end. */
export function streamOf(count) {
  const event = (delta, reason) =>
    Buffer.from(
      `data: ${JSON.stringify({
        id: 'chatcmpl-bench',
        object: 'chat.completion.chunk',
        created: 1,
        model: MODEL,
        choices: [{ index: 0, delta, finish_reason: reason }],
      })}\n\n`,
    );
  const events = Array.from({ length: count }, (_, n) => event({ content: `token ${n} ` }, null));
  return [...events, event({}, 'stop'), Buffer.from('data: [DONE]\n\n')];
}

/**
 * A chat call's body.
 * @param {{ chunks?: number, every?: number, promptBytes?: number }} options
 *   With `chunks`, the answer is a stream of so many, one each `every` milliseconds (0: at once).
 *   The upstream is told by fields of the standard, since not every gateway lets others through.
 */
export function chatBody({ chunks, every = 0, promptBytes = 100 } = {}) {
  return Buffer.from(
    JSON.stringify({
      model: MODEL,
      ...(chunks === undefined ? {} : { stream: true, max_tokens: chunks, seed: every }),
      messages: [
        { role: 'system', content: 'You are the upstream of a bench.' },
        { role: 'user', content: 'Lorem ipsum "dolor" sit\n'.repeat(promptBytes / 24) },
      ],
      temperature: 0,
    }),
  );
}

const ASK = [{ role: 'user', content: 'You are the upstream of a bench.' }];

/** The same in the other APIs, each of which has to be translated: a stream, a chunk each 10 ms. */
export const DIALECTS = {
  chat: { path: '/v1/chat/completions', body: (chunks) => chatBody({ chunks, every: 10 }) },
  messages: {
    path: '/v1/messages',
    body: (chunks) => json({ stream: true, max_tokens: chunks, messages: ASK }),
  },
  responses: {
    path: '/v1/responses',
    body: (chunks) => json({ stream: true, store: false, max_output_tokens: chunks, input: ASK }),
  },
  ollama: {
    path: '/api/chat',
    body: (chunks) => json({ options: { num_predict: chunks }, messages: ASK }),
  },
};

function json(fields) {
  return Buffer.from(JSON.stringify({ model: MODEL, ...fields }));
}
