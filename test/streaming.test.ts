import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { chatChunk, fakeBackend, startEvents, type Behaviour } from './support/fake-backend.ts';
import { oneInstance, startGateway, until } from './support/gateway.ts';

const CHAT = '/v1/chat/completions';
const ASK = { model: 'm', stream: true };
const DONE = 'data: [DONE]\n\n';

async function streamed(behave: Behaviour) {
  const backend = await fakeBackend(behave);
  const gateway = await startGateway(oneInstance(backend.url));
  return { backend, gateway, answer: await gateway.post(CHAT, ASK) };
}

/** Sends these bytes, one write each, with a moment between them. */
function slowly(...pieces: (string | Buffer)[]): Behaviour {
  return async (_, response) => {
    startEvents(response);
    for (const piece of pieces) {
      response.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    response.end();
  };
}

describe('a stream', () => {
  it('goes on event by event as it arrives', async () => {
    let send!: ServerResponse;
    const backend = await fakeBackend((_, response) => {
      send = response;
      startEvents(response);
      response.write(chatChunk('1'));
    });
    const gateway = await startGateway(oneInstance(backend.url));
    const answer = await gateway.post(CHAT, ASK);
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toBe(chatChunk('1'));
    for (const text of ['2', '3', '4']) {
      send.write(chatChunk(text));
      expect((await reader.read()).value).toBe(chatChunk(text));
    }
    send.end(DONE);
    expect((await reader.read()).value).toBe(DONE);
    expect((await reader.read()).done).toBe(true);
    expect(gateway.outcomes[0]).toMatchObject({
      ending: 'ok',
      status: 200,
      events: 5,
      stream: true,
    });
  });

  it('comes out byte for byte, wherever its bytes were cut and whatever its line ends', async () => {
    const text = `: ping\r\n\r\ndata: {"choices":[{"delta":{"content":"é[DONE]\\"error\\""}}]}\r\n\r\n${chatChunk('漢字')}data: [DONE]\r\n\r\n`;
    const bytes = Buffer.from(text);
    const { answer } = await streamed(async (_, response) => {
      startEvents(response);
      for (const byte of bytes) {
        response.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    expect(await answer.text()).toBe(text);
  });

  it('has the headers that keep proxies and browsers from buffering it', async () => {
    const { answer } = await streamed(slowly(chatChunk('1'), DONE));
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    expect(answer.headers.get('x-accel-buffering')).toBe('no');
  });

  it('reads the usage in passing', async () => {
    const usage =
      'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}\n\n';
    const { gateway, answer } = await streamed(slowly(chatChunk('1'), usage, DONE));
    await answer.text();
    expect(gateway.outcomes[0]!.usage).toEqual({ input: 7, output: 3 });
  });

  it('is whole with a terminator that lacks its empty line', async () => {
    const { gateway, answer } = await streamed(slowly(chatChunk('1'), 'data: [DONE]'));
    expect(await answer.text()).toContain('[DONE]');
    expect(gateway.outcomes[0]!.ending).toBe('ok');
  });

  it('lets a slow client take its time: only a silent backend runs into the idle limit', async () => {
    const backend = await fakeBackend(slowly(chatChunk('1'), chatChunk('x'.repeat(100)), DONE));
    const gateway = await startGateway({
      ...oneInstance(backend.url),
      defaults: { timeouts: { idle: '200ms' } },
    });
    const answer = await gateway.post(CHAT, ASK);
    const reader = answer.body!.getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 400));
    let text = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      text += Buffer.from(value).toString();
    }
    expect(text).toContain('[DONE]');
  });
});

describe('a stream of images', () => {
  const done = (size: number) =>
    `data: {"b64_json":"${'A'.repeat(size)}","type":"image_generation.completed"}\n\n`;

  async function painted(...pieces: string[]) {
    const backend = await fakeBackend(slowly(...pieces));
    const gateway = await startGateway(oneInstance(backend.url));
    const answer = await gateway.post('/v1/images/generations', ASK);
    return { gateway, text: await answer.text() };
  }

  it('is whole with events of megabytes', async () => {
    const { gateway, text } = await painted(done(3_000_000));
    expect(text).toBe(done(3_000_000));
    expect(gateway.outcomes[0]!.ending).toBe('ok');
  });

  it('sends no part of an event that breaks off, but says so', async () => {
    const { text } = await painted(done(10), done(3_000_000).slice(0, 2_000_000));
    expect(text.startsWith(done(10))).toBe(true);
    expect(text.length).toBe(done(10).length);
  });
});

describe('an event of any size', () => {
  it('may be cut anywhere', async () => {
    const big = chatChunk('x'.repeat(200_000));
    const { gateway, answer } = await streamed(
      slowly(big.slice(0, -1), `${big.slice(-1)}data: [DO`, 'NE]\n\n'),
    );
    expect(await answer.text()).toBe(big + DONE);
    expect(gateway.outcomes[0]!.ending).toBe('ok');
  });
});

describe('a stream that breaks', () => {
  function lastEvent(text: string): { error?: { message: string; code: string; type: string } } {
    const events = text.trimEnd().split(/\n\n/);
    return JSON.parse(events.at(-1)!.replace(/^data: /, '')) as never;
  }

  it.each([
    ['ends without its terminator', slowly(chatChunk('1'))],
    [
      'is reset',
      async (_: unknown, response: ServerResponse) => {
        startEvents(response);
        response.write(chatChunk('1'));
        await new Promise((resolve) => setTimeout(resolve, 30));
        response.socket!.resetAndDestroy();
      },
    ],
    ['stops in the middle of an event', slowly(chatChunk('1'), 'data: {"choices":[{"del')],
  ] satisfies [string, Behaviour][])(
    'because it %s tells the client in an error event, never by silence',
    async (_, behave) => {
      const { gateway, answer } = await streamed(behave);
      const text = await answer.text();
      expect(text.startsWith(chatChunk('1'))).toBe(true);
      expect(text).not.toContain('{"del');
      expect(text).not.toContain('[DONE]');
      expect(lastEvent(text).error).toMatchObject({
        code: 'upstream_unreachable',
        type: 'server_error',
      });
      expect(gateway.outcomes[0]).toMatchObject({ ending: 'broken', events: 1 });
    },
  );

  it.each([
    [
      'OpenAI',
      'data: {"error":{"message":"boom","type":"server_error","param":null,"code":null}}\n\n',
    ],
    ['vLLM', `data: {"error":{"message":"boom","type":"Internal","code":500}}\n\n${DONE}`],
    ['Xinference', 'data: {"error":"boom"}\r\n\r\n'],
    ['flat SGLang', 'data: {"object":"error","message":"boom","code":500}\n\n'],
    ['named', 'event: error\ndata: {"error":{"message":"boom"}}\n\n'],
    ['named only by its event', 'event: error\ndata: {"message":"boom"}\n\n'],
    ['named, in plain text', 'event:error\ndata: boom\n\n'],
    ['old llama.cpp', 'error: {"code":500,"message":"boom"}\n\n'],
  ])('with an error event of %s ends with one in the shape of OpenAI', async (_, event) => {
    const { gateway, answer } = await streamed(slowly(chatChunk('1'), event));
    const text = await answer.text();
    expect(text).not.toContain('[DONE]');
    expect(lastEvent(text).error).toMatchObject({ message: 'boom' });
    expect(Object.keys(lastEvent(text).error!).sort()).toEqual([
      'code',
      'message',
      'param',
      'type',
    ]);
    expect(gateway.outcomes[0]).toMatchObject({ ending: 'broken', error: 'boom' });
  });

  it('before its first event becomes an error status', async () => {
    const { answer } = await streamed(slowly(': ping\n\n', 'data: {"error":"boom"}\n\n'));
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ error: { message: 'boom' } });
  });

  it('with nothing at all becomes an error status', async () => {
    const { answer } = await streamed(slowly());
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ error: { code: 'upstream_unreachable' } });
  });

  it('after its terminator is whole all the same', async () => {
    const { gateway, answer } = await streamed(async (_, response) => {
      startEvents(response);
      response.write(chatChunk('1') + DONE);
      await new Promise((resolve) => setTimeout(resolve, 30));
      response.socket!.resetAndDestroy();
    });
    expect(await answer.text()).toBe(chatChunk('1') + DONE);
    await until(() => gateway.outcomes.length === 1);
    expect(gateway.outcomes[0]!.ending).toBe('ok');
  });
});

describe('an answer that is no stream and breaks', () => {
  it('tears the connection, so that nobody takes a part for the whole', async () => {
    const backend = await fakeBackend(async (_, response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      response.write('first half');
      await new Promise((resolve) => setTimeout(resolve, 30));
      response.socket!.resetAndDestroy();
    });
    const gateway = await startGateway(oneInstance(backend.url));
    const answer = await gateway.post('/v1/audio/speech', { model: 'm' });
    await expect(answer.text()).rejects.toThrow();
    expect(gateway.outcomes[0]!.ending).toBe('broken');
  });
});
