import { describe, expect, it } from 'vitest';
import {
  chatChunk,
  fakeBackend,
  json,
  startEvents,
  type Behaviour,
} from './support/fake-backend.ts';
import { startGateway } from './support/gateway.ts';

const ASK = { model: 'm', stream: true };
const DONE = 'data: [DONE]\n\n';

async function waited(...behaviours: Behaviour[]) {
  const instances: Record<string, { adapter: string; baseUrl: string; priority: number }> = {};
  for (const [priority, behave] of behaviours.entries()) {
    const { url } = await fakeBackend(behave);
    instances[`i${priority}`] = { adapter: 'openai', baseUrl: url, priority };
  }
  const gateway = await startGateway({ services: { chat: { keepAlive: '50ms' } }, instances });
  const answer = await gateway.post('/v1/chat/completions', ASK);
  return { gateway, answer, text: await answer.text() };
}

function after(delay: number, behave: Behaviour): Behaviour {
  return (received, response) => void setTimeout(() => void behave(received, response), delay);
}

const stream: Behaviour = (_, response) => {
  startEvents(response);
  response.end(chatChunk('1') + DONE);
};

describe('a client that waits for a stream', () => {
  it('gets comments until the first event, and none after it', async () => {
    const { answer, text } = await waited(after(180, stream));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    expect(text).toMatch(/^(: keep-alive\n\n){2,4}data: /);
    expect(text.endsWith(chatChunk('1') + DONE)).toBe(true);
  });

  it('gets none when the answer is there at once', async () => {
    expect((await waited(stream)).text).toBe(chatChunk('1') + DONE);
  });

  it('is still served by another instance when the first one fails', async () => {
    const { gateway, text } = await waited(
      after(120, (_, response) => json(response, 500, { error: { message: 'no' } })),
      stream,
    );
    expect(text.endsWith(chatChunk('1') + DONE)).toBe(true);
    expect(gateway.outcomes[0]!.attempts).toHaveLength(2);
  });

  it('is told of a failure in an event, as the status is gone', async () => {
    const { text } = await waited(
      after(120, (_, response) => json(response, 400, { error: { message: 'too long' } })),
    );
    expect(text).toMatch(/: keep-alive\n\ndata: {"error":{"message":"too long"/);
  });
});
