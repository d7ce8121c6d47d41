import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { deadPort, fakeBackend, json } from './support/fake-backend.ts';
import { oneInstance, startGateway } from './support/gateway.ts';

const CHAT = '/v1/chat/completions';

async function errorOf(answer: Response) {
  expect(answer.headers.get('content-type')).toContain('application/json');
  const { error } = (await answer.json()) as {
    error: { message: string; type: string; param: string | null; code: string | null };
  };
  expect(Object.keys(error).sort()).toEqual(['code', 'message', 'param', 'type']);
  return { status: answer.status, ...error };
}

describe('a request that is wrong in itself', () => {
  it.each([
    ['no JSON', '{"model":', 'invalid_json'],
    ['an empty body', '', 'invalid_json'],
    ['JSON that is no object', '[1]', 'invalid_json'],
    ['no model and no default', '{}', 'missing_model'],
    ['a model that is no string', '{"model":1}', 'missing_model'],
  ])('with %s gets 400', async (_, body, code) => {
    const backend = await fakeBackend();
    const gateway = await startGateway(oneInstance(backend.url));
    const error = await errorOf(await gateway.post(CHAT, body));
    expect(error).toMatchObject({ status: 400, code, type: 'invalid_request_error' });
    expect(backend.received).toHaveLength(0);
  });

  it.each([
    ['multipart/form-data', 'x'],
    ['multipart/form-data; boundary=X', '--X\r\nbroken'],
    ['application/json', '{"model":"m"}'],
  ])('with a bad form (%s) gets 400 invalid_multipart', async (type, body) => {
    const backend = await fakeBackend();
    const gateway = await startGateway(oneInstance(backend.url));
    const answer = await gateway.post('/v1/audio/transcriptions', body, {
      headers: { 'content-type': type },
    });
    expect(await errorOf(answer)).toMatchObject({ status: 400, code: 'invalid_multipart' });
  });

  it.each([
    ['announced', { 'content-length': '2000' }],
    ['in chunks', {}],
  ])('that is too large, %s, gets 413', async (_, headers) => {
    const backend = await fakeBackend();
    const gateway = await startGateway(
      oneInstance(backend.url, { server: { maxBodySize: '1kb' } }),
    );
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(gateway.url + CHAT, { method: 'POST', headers });
      request.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject);
      request.write('x'.repeat(1000));
      setTimeout(() => request.end('x'.repeat(1000)), 30);
    });
    expect(status).toBe(413);
    expect(gateway.outcomes[0]!.error).toContain('server.maxBodySize');
  });

  it('to an unknown path gets 404 with what was meant', async () => {
    const gateway = await startGateway({});
    const short = await errorOf(await gateway.post('/chat/completions', {}));
    expect(short).toMatchObject({ status: 404, code: 'unknown_route' });
    expect(short.message).toContain('/v1/chat/completions');
    expect(await errorOf(await gateway.post('/v1/v1/embeddings', {}))).toMatchObject({
      message: expect.stringContaining('end in /v1') as string,
    });
  });

  it('with the wrong method gets 405', async () => {
    const gateway = await startGateway({});
    const answer = await fetch(gateway.url + CHAT);
    expect(answer.headers.get('allow')).toContain('POST');
    expect(await errorOf(answer)).toMatchObject({ status: 405, code: 'method_not_allowed' });
    const responses = await fetch(`${gateway.url}/v1/responses`);
    expect(await errorOf(responses)).toMatchObject({ status: 405 });
  });

  it('for a websocket is refused so that clients go on without one', async () => {
    const { url } = await startGateway({});
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      };
      httpRequest(`${url}/v1/responses`, { headers }, resolve).on('error', reject).end();
    });
    expect(answer.statusCode).toBe(426);
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toContain('websocket_unsupported');
  });

  it('with a malformed URL gets 400 in the same shape', async () => {
    const gateway = await startGateway({});
    expect(await errorOf(await fetch(`${gateway.url}/v1/models/%`))).toMatchObject({ status: 400 });
  });
});

describe('what is no request at all', () => {
  it.each([
    ['garbage', 'hello\r\n\r\n', 400],
    [
      'both framings of a body',
      'POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['endless headers', `GET /health HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('(%s) gets an error in the same shape', async (_, bytes, status) => {
    const gateway = await startGateway({});
    const socket = connect(gateway.port, '127.0.0.1');
    socket.end(bytes);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n'))) as { error: { type: string } };
    expect(body.error.type).toBe('invalid_request_error');
  });
});

describe('a model', () => {
  it('that nobody has gets 404 with the nearest names', async () => {
    const backend = await fakeBackend(undefined, { models: ['qwen3-coder:30b', 'llama3.2'] });
    const gateway = await startGateway(oneInstance(backend.url));
    const error = await errorOf(await gateway.post(CHAT, { model: 'qwen3-codr:30b' }));
    expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
    expect(error.message).toContain('"qwen3-coder:30b"');
  });

  it('whose instances lack the service gets 501 with the adapters that have it', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway({
      instances: {
        a: { adapter: 'openai', baseUrl: backend.url, services: ['chat'] },
        b: { adapter: 'openai', baseUrl: backend.url, services: ['speech'], models: ['s'] },
      },
    });
    const error = await errorOf(await gateway.post('/v1/audio/speech', { model: 'm' }));
    expect(error).toMatchObject({ status: 501, code: 'unsupported_service' });
    const nobody = await errorOf(await gateway.post('/v1/rerank', { model: 'm' }));
    expect(nobody).toMatchObject({ status: 501, code: 'unsupported_service' });
    expect(nobody.message).toContain('vllm');
  });

  it('whose instances are all off gets 503 with a reason for each', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway({
      instances: {
        a: { adapter: 'openai', baseUrl: backend.url, enabled: false, models: ['m'] },
        b: { adapter: 'openai', baseUrl: `http://127.0.0.1:${await deadPort()}`, models: ['m'] },
      },
    });
    const error = await errorOf(await gateway.post(CHAT, { model: 'm' }));
    expect(error).toMatchObject({ status: 503, code: 'no_instance_available' });
    expect(error.message).toMatch(/a is disabled.*; b is unhealthy \(connection refused\)/);
  });

  it('whose instance has gone away says so in one breath, at once and later', async () => {
    const backend = await fakeBackend(undefined, { models: ['m'] });
    const gateway = await startGateway(oneInstance(backend.url));
    await backend.close();
    const first = await errorOf(await gateway.post(CHAT, { model: 'm' }));
    expect(first.message).toMatch(
      /^Could not get an answer from "a".*: connection refused; is it running\?$/,
    );
    const [instance] = (await (await gateway.admin('GET /admin/instances')).json()) as object[];
    expect(instance).toMatchObject({ stateDetail: 'connection refused; is it running?' });
    const later = await errorOf(await gateway.post(CHAT, { model: 'm' }));
    expect(later.message).toContain('a is unhealthy (connection refused; is it running?)');
  });

  it('gets 503, not 404, while somebody was never reached who may have it', async () => {
    const gateway = await startGateway(oneInstance(`http://127.0.0.1:${await deadPort()}`));
    const error = await errorOf(await gateway.post(CHAT, { model: 'm' }));
    expect(error).toMatchObject({ status: 503, code: 'no_instance_available' });
    expect(error.message).toMatch(/connection refused.*looked at again in \d+ s/);
  });

  it('with characters that no header takes is served all the same', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url, models: ['*'] } },
    });
    const answer = await gateway.post(CHAT, '{"model":"w-\\ud800é"}');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-jairouter-model')).toBe('w-%EF%BF%BD%C3%A9');
  });

  it('that came to a backend a moment ago is found before the call is refused', async () => {
    const models = ['m'];
    const backend = await fakeBackend(undefined, { models });
    const gateway = await startGateway(oneInstance(backend.url));
    models.push('new');
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect((await gateway.post(CHAT, { model: 'new' })).status).toBe(200);
  });
});

describe('a verdict of the backend', () => {
  it.each([400, 404, 409, 413, 422, 429])('%i keeps its status and message', async (status) => {
    const backend = await fakeBackend((_, response) =>
      json(response, status, {
        error: { message: 'because', type: 'some_type', param: 'messages', code: 'some_code' },
      }),
    );
    const gateway = await startGateway(oneInstance(backend.url));
    expect(await errorOf(await gateway.post(CHAT, { model: 'm' }))).toEqual({
      status,
      message: 'because',
      type: 'some_type',
      param: 'messages',
      code: 'some_code',
    });
  });

  it('keeps its Retry-After, and is put into the shape of OpenAI from any other', async () => {
    const backend = await fakeBackend((_, response) => {
      response.writeHead(429, { 'retry-after': '7', 'content-type': 'text/plain' });
      response.end('{"detail":"Rate limit reached for the model"}');
    });
    const gateway = await startGateway(oneInstance(backend.url));
    const answer = await gateway.post(CHAT, { model: 'm' });
    expect(answer.headers.get('retry-after')).toBe('7');
    expect(await errorOf(answer)).toMatchObject({
      status: 429,
      message: 'Rate limit reached for the model',
      code: 'rate_limit_exceeded',
    });
  });

  it('on our credentials says where they are set', async () => {
    const backend = await fakeBackend((_, response) =>
      json(response, 401, { error: 'Unauthorized' }),
    );
    const gateway = await startGateway(oneInstance(backend.url));
    const error = await errorOf(await gateway.post(CHAT, { model: 'm' }));
    expect(error).toMatchObject({ status: 401, code: 'invalid_api_key' });
    expect(error.message).toContain('instances.a.apiKey');
  });

  it('that comes as a 200 is an error all the same', async () => {
    const backend = await fakeBackend((_, response) =>
      json(response, 200, { error: 'Unexpected endpoint or method. (POST /v1/chat/completions)' }),
    );
    const gateway = await startGateway(oneInstance(backend.url));
    const error = await errorOf(await gateway.post(CHAT, { model: 'm' }));
    expect(error.status).toBe(502);
    expect(error.message).toContain('Unexpected endpoint');
  });

  it('is seen wherever in a 200 it stands', async () => {
    const backend = await fakeBackend((_, response) =>
      json(response, 200, { id: 'x'.repeat(300), error: { message: 'late', code: 503 } }),
    );
    const gateway = await startGateway(oneInstance(backend.url));
    const error = await errorOf(await gateway.post(CHAT, { model: 'm' }));
    expect(error).toMatchObject({ status: 503, message: 'late' });
  });

  it("that a backend gives the wrong status is the client's mistake all the same", async () => {
    const backend = await fakeBackend(({ body }, response) => {
      const detail = 'Unsupported response format: lrc';
      if (!body.includes('"stream":true')) {
        json(response, 500, { detail });
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`data: ${JSON.stringify({ error: detail })}\r\n\r\n`);
    });
    const gateway = await startGateway({
      instances: { a: { adapter: 'xinference', baseUrl: backend.url, models: ['m'] } },
    });
    for (const instance of gateway.gateway.fleet.instances()) instance.become('healthy', undefined);
    for (const stream of [false, true]) {
      const answer = await gateway.post(CHAT, { model: 'm', stream });
      expect(await errorOf(answer)).toMatchObject({ status: 400 });
    }
    const error = await errorOf(await gateway.post(CHAT, { model: 'm' }));
    expect(error.type).toBe('invalid_request_error');
  });

  it('never shows our key, which some backends repeat', async () => {
    const backend = await fakeBackend((_, response) =>
      json(response, 500, { error: { message: 'bad key sk-very-secret' } }),
    );
    const gateway = await startGateway({
      instances: { a: { adapter: 'openai', baseUrl: backend.url, apiKey: 'sk-very-secret' } },
    });
    const error = await errorOf(await gateway.post(CHAT, { model: 'm' }));
    expect(error.message).toBe('bad key ***');
    expect(gateway.outcomes[0]!.error).not.toContain('secret');
  });

  it('keeps its status when its explanation does not come', async () => {
    const backend = await fakeBackend((_, response) => {
      response.writeHead(400, { 'content-length': '100', 'content-type': 'application/json' });
      response.write('{"error":');
      setTimeout(() => response.destroy(), 100);
    });
    const gateway = await startGateway(oneInstance(backend.url));
    expect((await gateway.post(CHAT, { model: 'm' })).status).toBe(400);
  });

  it('is not seen in an answer that only speaks of errors', async () => {
    const body = '{"error":null,"choices":[{"message":{"content":"\\"error\\""}}]}';
    const backend = await fakeBackend((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(body);
    });
    const gateway = await startGateway(oneInstance(backend.url));
    const answer = await gateway.post(CHAT, { model: 'm' });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe(body);
  });

  it('is a hint at baseUrl when it is a redirect or a web page', async () => {
    let calls = 0;
    const backend = await fakeBackend((_, response) => {
      calls += 1;
      if (calls === 1) response.writeHead(301, { location: 'https://elsewhere/' }).end();
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    });
    const gateway = await startGateway(oneInstance(backend.url));
    for (const word of ['redirects to https://elsewhere/', 'web page']) {
      const error = await errorOf(await gateway.post(CHAT, { model: 'm' }));
      expect(error).toMatchObject({ status: 502 });
      expect(error.message).toContain(word);
      expect(error.message).toContain('baseUrl');
    }
  });
});

describe('a backend that gives no answer', () => {
  it('because nothing listens there gets 502 upstream_unreachable', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway(oneInstance(backend.url));
    await backend.close();
    const answer = await gateway.post(CHAT, { model: 'm' });
    expect(answer.headers.get('x-jairouter-instance')).toBe('a');
    expect(await errorOf(answer)).toMatchObject({
      status: 502,
      code: 'upstream_unreachable',
      message: expect.stringContaining('connection refused') as string,
    });
  });

  it('because it resets the connection gets 502', async () => {
    const backend = await fakeBackend((_, response) => void response.socket!.resetAndDestroy());
    const gateway = await startGateway(oneInstance(backend.url));
    const error = await errorOf(await gateway.post(CHAT, { model: 'm' }));
    expect(error).toMatchObject({ status: 502, code: 'upstream_unreachable' });
  });

  it('gets 502 when it talks something that is not HTTP', async () => {
    const backend = await fakeBackend(
      (_, response) => void response.socket!.end('garbage\r\n\r\n'),
    );
    const gateway = await startGateway(oneInstance(backend.url));
    expect((await gateway.post(CHAT, { model: 'm' })).status).toBe(502);
  });
});

describe('time-outs', () => {
  it.each([
    ['firstByte', {}],
    ['firstEvent', { stream: true }],
    // A stream's first event is never waited for longer than another answer's first byte.
    ['firstByte', { stream: true }],
    ['total', {}],
  ])('of %s end a silent call with 504', async (limit, fields) => {
    const backend = await fakeBackend(() => {});
    const gateway = await startGateway({
      ...oneInstance(backend.url),
      services: { chat: { timeouts: { [limit]: '100ms' } } },
    });
    const began = performance.now();
    const error = await errorOf(await gateway.post(CHAT, { model: 'm', ...fields }));
    expect(error).toMatchObject({ status: 504, code: 'upstream_timeout' });
    expect(error.message).toContain('100 ms');
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('of the first event are not put off by pings', async () => {
    const backend = await fakeBackend((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => response.write(': ping\n\n'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const gateway = await startGateway({
      ...oneInstance(backend.url),
      defaults: { timeouts: { firstEvent: '150ms' } },
    });
    expect((await gateway.post(CHAT, { model: 'm', stream: true })).status).toBe(504);
  });

  it('of idleness end a stream that falls silent with an error event', async () => {
    const backend = await fakeBackend((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[]}\n\n');
    });
    const gateway = await startGateway({
      instances: {
        a: { adapter: 'openai', baseUrl: backend.url, timeouts: { idle: '100ms' } },
      },
    });
    const text = await (await gateway.post(CHAT, { model: 'm', stream: true })).text();
    expect(text).toContain('upstream_timeout');
  });

  it('of the connection hold for one that never comes about', async () => {
    const { createServer } = await import('node:net');
    const silent = createServer((socket) => socket.on('error', () => {}));
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const { port } = silent.address() as { port: number };
    const gateway = await startGateway(
      {
        instances: {
          a: {
            adapter: 'openai',
            baseUrl: `https://127.0.0.1:${port}`,
            models: ['m'],
            timeouts: { connect: '100ms' },
          },
        },
      },
      { probed: false },
    );
    const error = await errorOf(await gateway.post(CHAT, { model: 'm' }));
    silent.close();
    expect(error).toMatchObject({ status: 504, code: 'upstream_timeout' });
    expect(error.message).toContain('no connection within 100 ms');
  });
});
