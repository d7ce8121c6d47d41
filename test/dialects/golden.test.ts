import { describe, expect, it } from 'vitest';
import { ASKED, SERVED, type AskedName, type ServedName } from '../../src/dialects/index.ts';
import { answerStage } from '../../src/dialects/translate.ts';
import { FRAMINGS } from '../../src/http/framing.ts';
import { bodyOf, wireSample } from '../support/wire-samples.ts';
import { context, eventsOf } from './events.ts';
import { CHAT, MESSAGES, OLLAMA, RESPONSES } from './exchange.ts';

/** What backends really send, and in which dialect. */
const RECORDED: readonly (readonly [backend: string, sample: string, AskedName])[] = [
  ['openai', 'chat', 'chat'],
  ['openai', 'chat-stream-tools', 'chat'],
  ['vllm', 'chat-stream-tools', 'chat'],
  ['llamacpp', 'chat-stream-reasoning', 'chat'],
  ['localai', 'chat-stream-tools', 'chat'],
  ['ollama', 'chat-stream-reasoning', 'chat'],
  ['sglang', 'chat-stream-reasoning', 'chat'],
  ['azure', 'chat-stream-async-filter', 'chat'],
  ['gemini', 'chat-stream', 'chat'],
  ['xinference', 'chat', 'chat'],
  ['anthropic', 'messages', 'messages'],
  ['anthropic', 'messages-stream', 'messages'],
  ['vllm', 'messages', 'messages'],
  ['openai', 'responses', 'responses'],
  ['openai', 'responses-stream', 'responses'],
  ['ollama', 'native-chat-stream', 'ollamaChat'],
];

describe('an answer that was recorded', () => {
  it.each(RECORDED)('of %s, %s, is told in each other dialect as it always was', async (...row) => {
    const [backend, name, from] = row;
    const told = (Object.keys(SERVED) as ServedName[])
      .filter((to) => to !== from)
      .map((to) => `=== ${to}\n${toldIn(to, row)}\n`);
    const file = `../fixtures/golden/${backend}-${name}.txt`;
    await expect(told.join('')).toMatchFileSnapshot(file);
  });
});

function toldIn(to: ServedName, [backend, name, from]: (typeof RECORDED)[number]): string {
  const sample = wireSample(backend, name);
  const body = bodyOf(sample);
  const type = sample.response.headers['content-type'] ?? '';
  const stream = !type.includes('application/json');
  const stage = answerStage(
    { from: ASKED[from], to: SERVED[to], contentType: '' },
    { ...context({ stream_options: { include_usage: true } }), stream },
  );
  if (!stream) return JSON.stringify(JSON.parse(String(stage.body(body).body)), undefined, 1);
  const framing = FRAMINGS[from === 'ollamaChat' ? 'lines' : 'events'];
  const out = eventsOf(body.toString(), [], framing).map((event) => stage.event(event));
  expect(stage.ended).toBe(true);
  return out.join('').trimEnd();
}

const STREAMS = {
  chat: [...CHAT, '[DONE]'],
  messages: MESSAGES,
  responses: RESPONSES,
  ollamaChat: OLLAMA,
} as const;
type Streamed = keyof typeof STREAMS;
const STREAMED = Object.keys(STREAMS) as Streamed[];
const PAIRS = STREAMED.flatMap((from) => STREAMED.map((to) => [from, to] as const)).filter(
  // Ollama does not tell what was cached; what it tells is recorded above.
  ([from, to]) => from !== to && from !== 'ollamaChat',
);

describe('an answer in the words of an SDK', () => {
  it.each(PAIRS)('from %s is one in those of %s', (from, to) => {
    const stage = answerStage(
      { from: ASKED[from], to: SERVED[to], contentType: '' },
      { ...context({ stream_options: { include_usage: true } }), stream: true },
    );
    const out = STREAMS[from]
      .map((event) =>
        stage.event({ data: typeof event === 'string' ? event : JSON.stringify(event) }),
      )
      .join('');
    const framing = FRAMINGS[to === 'ollamaChat' ? 'lines' : 'events'];
    const told = eventsOf(out, [], framing).map(({ data }) =>
      data === '[DONE]' ? data : (JSON.parse(data) as unknown),
    );
    expect(told).toEqual(STREAMS[to]);
  });
});
