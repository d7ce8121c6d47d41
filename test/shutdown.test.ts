import { describe, expect, it } from 'vitest';
import { chatChunk, fakeBackend, startEvents } from './support/fake-backend.ts';
import { oneInstance, startGateway, until } from './support/gateway.ts';

const ASK = { model: 'm', stream: true };

describe('a server that stops', () => {
  it('lets running calls end, and takes no new ones', async () => {
    const backend = await fakeBackend(async (_, response) => {
      startEvents(response);
      response.write(chatChunk('1'));
      await new Promise((resolve) => setTimeout(resolve, 300));
      response.end('data: [DONE]\n\n');
    });
    const gateway = await startGateway(oneInstance(backend.url));
    const answer = await gateway.post('/v1/chat/completions', ASK);
    const closed = gateway.close(5000);
    expect(await answer.text()).toContain('[DONE]');
    await closed;
    await expect(gateway.post('/v1/chat/completions', ASK)).rejects.toThrow();
  });

  it('tells a stream that it does not wait for any longer', async () => {
    const backend = await fakeBackend((_, response) => {
      startEvents(response);
      response.write(chatChunk('1'));
    });
    const gateway = await startGateway(oneInstance(backend.url));
    const answer = await gateway.post('/v1/chat/completions', ASK);
    await gateway.close(50);
    expect(await answer.text()).toContain('"code":"shutting_down"');
    await until(() => backend.aborted() === 1);
    expect(gateway.outcomes[0]).toMatchObject({ ending: 'broken' });
  });
});
