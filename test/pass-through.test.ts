import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import zlib, { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fakeBackend, json } from './support/fake-backend.ts';
import { oneInstance, startGateway } from './support/gateway.ts';

describe('a call that needs no translation', () => {
  it('reaches the backend byte for byte, unknown fields and odd spacing included', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway(oneInstance(backend.url));
    const body =
      '{ "model":"m",\n "messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,"}}]}], "x_unknown":{"a":[1,2.50]}, "tools":[], "response_format":{"type":"json_object"}, "n":1e0 }';
    await gateway.post('/v1/chat/completions', body);
    expect(backend.received[0]!.body.toString()).toBe(body);
    expect(backend.received[0]!.path).toBe('/v1/chat/completions');
  });

  it('changes the value of a renamed model and nothing else', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway(
      oneInstance(backend.url, { models: { coder: { targets: ['a/m'] } } }),
    );
    const answer = await gateway.post(
      '/v1/chat/completions',
      '{"b": 1,  "model" : "coder" ,"stream":false}',
    );
    expect(backend.received[0]!.body.toString()).toBe('{"b": 1,  "model" : "m" ,"stream":false}');
    expect(answer.headers.get('x-jairouter-model')).toBe('m');
    expect(answer.headers.get('x-jairouter-instance')).toBe('a');
    expect(answer.headers.get('x-jairouter-attempts')).toBe('1');
  });

  it('gives back the answer byte for byte, with its status and length', async () => {
    const text = '{"id":"1",  "choices":[ ],\n"model":"whatever","x":1.0}';
    const backend = await fakeBackend((_, response) => {
      response.writeHead(201, {
        'content-type': 'application/json',
        'content-length': text.length,
        'x-compute-time': '7',
      });
      response.end(text);
    });
    const gateway = await startGateway(oneInstance(backend.url));
    const answer = await gateway.post('/v1/chat/completions', { model: 'm' });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('content-length')).toBe(String(text.length));
    expect(answer.headers.get('x-compute-time')).toBe('7');
    expect(await answer.text()).toBe(text);
  });

  it("keeps the client's request id, and makes one where there is none", async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway(oneInstance(backend.url));
    const own = await gateway.post(
      '/v1/chat/completions',
      { model: 'm' },
      { headers: { 'x-request-id': 'abc-1' } },
    );
    expect(own.headers.get('x-request-id')).toBe('abc-1');
    expect(backend.received[0]!.headers['x-request-id']).toBe('abc-1');
    const made = await gateway.post('/v1/chat/completions', { model: 'm' });
    expect(made.headers.get('x-request-id')).toMatch(/^req_/);
  });

  it('passes end-to-end headers, and keeps what belongs to one side there', async () => {
    const backend = await fakeBackend((_, response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'set-cookie': 'a=b',
        'strict-transport-security': 'max-age=1',
        'x-jairouter-instance': 'forged',
        'x-kept': 'yes',
      });
      response.end('{}');
    });
    const gateway = await startGateway({
      instances: {
        a: {
          adapter: 'openai',
          baseUrl: backend.url,
          apiKey: 'sk-ours',
          headers: { 'X-Team': 'dev' },
        },
      },
    });
    const answer = await gateway.post(
      '/v1/chat/completions',
      { model: 'm' },
      {
        headers: {
          authorization: 'Bearer sk-client',
          'x-api-key': 'sk-client',
          cookie: 'c=d',
          'x-jairouter-anything': '1',
          'x-team': 'forged',
          'openai-beta': 'kept',
          'anthropic-beta': 'of another provider',
          'accept-encoding': 'gzip',
        },
      },
    );
    const { headers } = backend.received[0]!;
    expect(headers.authorization).toBe('Bearer sk-ours');
    expect(headers['x-team']).toBe('dev');
    expect(headers['openai-beta']).toBe('kept');
    expect(headers['accept-encoding']).toBe('identity');
    expect(headers.host).toBe(`127.0.0.1:${backend.port}`);
    for (const name of [
      'x-api-key',
      'cookie',
      'x-jairouter-anything',
      'origin',
      'anthropic-beta',
    ]) {
      expect(headers[name]).toBeUndefined();
    }
    expect(answer.headers.get('x-jairouter-instance')).toBe('a');
    expect(answer.headers.get('x-kept')).toBe('yes');
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(answer.headers.get('strict-transport-security')).toBeNull();
  });

  it('sends one framing of the body, also when the client sent chunks', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway(oneInstance(backend.url));
    const status = await new Promise<number>((resolve, reject) => {
      const request = httpRequest(`${gateway.url}/v1/chat/completions`, { method: 'POST' });
      request.on('response', (response) => {
        response.resume();
        resolve(response.statusCode!);
      });
      request.on('error', reject);
      request.write('{"model":');
      setTimeout(() => request.end('"m"}'), 20);
    });
    expect(status).toBe(200);
    const { headers, body } = backend.received[0]!;
    expect(body.toString()).toBe('{"model":"m"}');
    expect(headers['transfer-encoding']).toBeUndefined();
    expect(headers['content-length']).toBe('13');
    expect(headers['content-type']).toBe('application/json');
  });

  it.each(['gzip', 'identity'])(
    'undoes an encoding (%s) that we did not ask for',
    async (encoding) => {
      const text = '{"choices":[]}';
      const backend = await fakeBackend((_, response) => {
        response.writeHead(200, {
          'content-type': 'application/json',
          'content-encoding': encoding,
        });
        response.end(encoding === 'gzip' ? gzipSync(text) : text);
      });
      const gateway = await startGateway(oneInstance(backend.url));
      const answer = await gateway.post('/v1/chat/completions', { model: 'm' });
      expect(await answer.text()).toBe(text);
    },
  );

  const ENCODERS = Object.entries({
    gzip: zlib.gzipSync,
    deflate: zlib.deflateSync,
    br: zlib.brotliCompressSync,
    // Of newer versions of Node alone.
    zstd: (zlib as { zstdCompressSync?: typeof zlib.gzipSync }).zstdCompressSync,
    odd: undefined,
  });

  it.each(ENCODERS)('reads a request that comes as %s, if it can', async (encoding, encode) => {
    const backend = await fakeBackend();
    const gateway = await startGateway(oneInstance(backend.url));
    const asked = Buffer.from('{"model":"m","messages":[]}');
    const headers = { 'content-encoding': encoding };
    const answer = await gateway.post('/v1/chat/completions', encode?.(asked) ?? asked, {
      headers,
    });
    expect(answer.status).toBe(encode ? 200 : 415);
    if (encode) expect(backend.received[0]!.body).toEqual(asked);
    else {
      expect(await answer.json()).toMatchObject({
        error: {
          code: 'unsupported_encoding',
          message: expect.stringMatching(/gzip, .*br/) as string,
        },
      });
    }
  });

  it('drops the name of an encoding that is not there', async () => {
    const backend = await fakeBackend((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end('{"choices":[]}');
    });
    const gateway = await startGateway(oneInstance(backend.url));
    const answer = await gateway.post('/v1/chat/completions', { model: 'm' });
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(await answer.json()).toEqual({ choices: [] });
  });

  it('works under a path prefix, and with /v1 at the end of baseUrl', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway(oneInstance(`${backend.url}/llm/v1/`));
    await gateway.post('/v1/chat/completions', { model: 'm' });
    expect(backend.received[0]!.path).toBe('/llm/v1/chat/completions');
  });
});

describe('uploads', () => {
  const boundary = 'XX';
  const type = { 'content-type': `multipart/form-data; boundary=${boundary}` };

  function upload(file: Buffer, model: string): Buffer {
    const part = (name: string, extra: string) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${extra}\r\n\r\n`;
    return Buffer.concat([
      Buffer.from(part('image[]', '; filename="a.png"')),
      file,
      Buffer.from(
        `\r\n${part('image[]', '; filename="b.png"')}b\r\n${part('model', '')}${model}\r\n--${boundary}--\r\n`,
      ),
    ]);
  }

  it('are routed by their model field and sent on byte for byte', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway(oneInstance(backend.url));
    const body = upload(randomBytes(1000), 'm');
    await gateway.post('/v1/images/edits', body, { headers: type });
    expect(backend.received[0]!.body.equals(body)).toBe(true);
    expect(backend.received[0]!.headers['content-type']).toBe(type['content-type']);
  });

  it('keep order, repeated fields and file bytes when the model is renamed', async () => {
    const backend = await fakeBackend();
    const gateway = await startGateway(
      oneInstance(backend.url, { models: { painter: { targets: ['a/m'] } } }),
    );
    const file = randomBytes(1000);
    await gateway.post('/v1/images/edits', upload(file, 'painter'), { headers: type });
    expect(backend.received[0]!.body.equals(upload(file, 'm'))).toBe(true);
  });

  it('of 90 MB arrive whole and are in memory once', async () => {
    const hash = createHash('sha256');
    const backend = await fakeBackend(({ body }, response) => {
      hash.update(body);
      json(response, 200, { text: 'ok' });
    });
    const gateway = await startGateway(
      oneInstance(backend.url, { models: { ear: { targets: ['a/m'] } } }),
    );
    const file = randomBytes(90_000_000);
    const body = upload(file, 'ear');
    const answer = await gateway.post('/v1/images/edits', body, { headers: type });
    expect(answer.status).toBe(200);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(upload(file, 'm')).digest('hex'));
  });
});

describe('large answers', () => {
  it('stream with backpressure: a client that does not read stops the backend', async () => {
    const size = 60_000_000;
    const block = Buffer.alloc(1_000_000, 7);
    let written = 0;
    const backend = await fakeBackend(async (_, response) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' });
      while (written < size && !response.destroyed) {
        written += block.length;
        if (!response.write(block)) {
          await new Promise<void>((resolve) => {
            response.once('drain', resolve);
          });
        }
      }
      response.end();
    });
    const gateway = await startGateway(oneInstance(backend.url));
    let got = 0;
    await new Promise<void>((resolve, reject) => {
      const request = httpRequest(`${gateway.url}/v1/audio/speech`, { method: 'POST' });
      request.on('error', reject);
      request.on('response', (response) => {
        response.pause();
        setTimeout(() => {
          // The sockets' buffers take some megabytes; the rest has to wait at the backend.
          expect(written).toBeLessThan(size / 2);
          response.on('data', (chunk: Buffer) => (got += chunk.length));
          response.on('end', resolve);
          response.resume();
        }, 500);
      });
      request.end('{"model":"m"}');
    });
    expect(got).toBe(size);
  });
});
