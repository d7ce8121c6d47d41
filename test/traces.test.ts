import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConfigInput } from '../src/config/schema.ts';
import { applyTelemetry } from '../src/http/telemetry.ts';
import { MissingPackages, openTraces } from '../src/observe/traces.ts';
import { chatChunk, deadPort, fakeBackend, json, startEvents } from './support/fake-backend.ts';
import { oneInstance, startGateway, startOnFile, until } from './support/gateway.ts';
import { tempDir } from './support/temp-dir.ts';

const CHAT = '/v1/chat/completions';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

/** A span as OTLP has it in JSON. */
interface Told {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { key: string; value: Record<string, unknown> }[];
  readonly events: readonly { name: string; timeUnixNano: string }[];
  readonly status: { code: number; message?: string };
}

interface Batch {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly resource: Record<string, unknown>;
  readonly spans: readonly Told[];
}

/** A collector that takes OTLP over HTTP. */
async function collector() {
  const batches: Batch[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as {
        resourceSpans: {
          resource: { attributes: Told['attributes'] };
          scopeSpans: { spans: Told[] }[];
        }[];
      };
      for (const { resource, scopeSpans } of resourceSpans) {
        batches.push({
          path: request.url!,
          headers: request.headers,
          resource: valuesOf(resource.attributes),
          spans: scopeSpans.flatMap(({ spans }) => spans),
        });
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    batches,
    spans: () => batches.flatMap(({ spans }) => spans),
  };
}

function valuesOf(attributes: Told['attributes']): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [kind, plain] = Object.entries(value)[0]!;
      return [key, kind === 'intValue' ? Number(plain) : plain];
    }),
  );
}

async function traced(config: ConfigInput, traces: Record<string, unknown> = {}) {
  const { url, ...told } = await collector();
  const gateway = await startGateway({
    ...config,
    telemetry: { traces: { endpoint: url, ...traces } },
  });
  await applyTelemetry(gateway.gateway);
  return {
    ...gateway,
    ...told,
    /** Ends the traces, so that everything is delivered. */
    async delivered(calls: number) {
      await until(() => gateway.outcomes.length === calls);
      await gateway.gateway.observe.traces!.close();
      return told.spans();
    },
  };
}

describe('traces', () => {
  it('tell a call and its attempts as one tree, in a trace of its own', async () => {
    const bad = await fakeBackend((_, response) =>
      json(response, 503, { error: { message: 'no' } }),
    );
    const good = await fakeBackend((_, response) =>
      json(response, 200, { usage: { prompt_tokens: 7, completion_tokens: 3 } }),
    );
    const gateway = await traced({
      instances: {
        bad: { adapter: 'openai', baseUrl: bad.url },
        good: { adapter: 'openai', baseUrl: good.url, priority: 1 },
      },
      models: { mine: { targets: ['bad/m', 'good/m'] } },
    });
    const before = Date.now();
    await (
      await gateway.post(CHAT, { model: 'mine' }, { headers: { 'x-request-id': 'r1' } })
    ).text();
    const spans = await gateway.delivered(1);
    expect(spans.map(({ name }) => name)).toEqual([`POST ${CHAT}`, 'chat m', 'chat m']);
    const [call, first, second] = spans as [Told, Told, Told];
    expect(call.kind).toBe(2);
    expect(call).not.toHaveProperty('parentSpanId');
    expect(valuesOf(call.attributes)).toMatchObject({
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'url.path': CHAT,
      'url.scheme': 'http',
      'client.address': '127.0.0.1',
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': 'mine',
      'gen_ai.usage.input_tokens': 7,
      'gen_ai.usage.output_tokens': 3,
      'jairouter.request_id': 'r1',
      'jairouter.instance': 'good',
      'jairouter.attempts': 2,
      'jairouter.outcome': 'ok',
    });
    for (const attempt of [first, second]) {
      expect(attempt.kind).toBe(3);
      expect(attempt.traceId).toBe(call.traceId);
      expect(attempt.parentSpanId).toBe(call.spanId);
      expect(Number(attempt.startTimeUnixNano)).toBeGreaterThanOrEqual(
        Number(call.startTimeUnixNano),
      );
      expect(Number(attempt.endTimeUnixNano)).toBeLessThanOrEqual(Number(call.endTimeUnixNano));
    }
    expect(valuesOf(first.attributes)).toMatchObject({
      'error.type': '503',
      'http.response.status_code': 503,
      'server.address': '127.0.0.1',
      'server.port': bad.port,
      'jairouter.why': 'lowest priority of 2',
    });
    expect(first.status).toMatchObject({ code: 2, message: 'no' });
    expect(valuesOf(second.attributes)).toMatchObject({
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'm',
      'gen_ai.usage.output_tokens': 3,
      'jairouter.instance': 'good',
      'jairouter.why': 'bad failed; only candidate left',
    });
    expect(second.status.code).toBe(0);
    expect(second.events.map(({ name }) => name)).toEqual(['first byte']);
    const start = Number(call.startTimeUnixNano) / 1e6;
    expect(Math.abs(start - before)).toBeLessThan(5000);
    // Each attempt has told its backend which span it is.
    const told = [bad, good].map(({ received }) => received[0]!.headers['traceparent']);
    expect(told).toEqual([
      `00-${call.traceId}-${first.spanId}-01`,
      `00-${call.traceId}-${second.spanId}-01`,
    ]);
    expect(gateway.gateway.observe.recent()[0]!.traceId).toBe(call.traceId);
    expect(gateway.batches[0]).toMatchObject({
      path: '/v1/traces',
      resource: { 'service.name': 'jairouter', 'telemetry.sdk.language': 'nodejs' },
    });
  });

  it("continue a client's trace, and pass on what others say of it", async () => {
    const backend = await fakeBackend();
    const gateway = await traced(oneInstance(backend.url));
    const headers = { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'vendor=1' };
    await (await gateway.post(CHAT, { model: 'm' }, { headers })).text();
    const [call, attempt] = await gateway.delivered(1);
    expect(call).toMatchObject({ traceId: TRACE, parentSpanId: PARENT });
    expect(backend.received[0]!.headers).toMatchObject({
      traceparent: `00-${TRACE}-${attempt!.spanId}-01`,
      tracestate: 'vendor=1',
    });
  });

  it('tell nothing of a call whose client does not sample, and pass that on', async () => {
    const backend = await fakeBackend();
    const gateway = await traced(oneInstance(backend.url));
    const headers = { traceparent: `00-${TRACE}-${PARENT}-00` };
    await (await gateway.post(CHAT, { model: 'm' }, { headers })).text();
    expect(await gateway.delivered(1)).toEqual([]);
    expect(backend.received[0]!.headers['traceparent']).toMatch(
      new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`),
    );
  });

  it('are told of no call with a ratio of 0, and begin anew where a client names nonsense', async () => {
    const backend = await fakeBackend();
    const gateway = await traced(oneInstance(backend.url), { sampleRatio: 0 });
    const headers = { traceparent: '00-nonsense', tracestate: 'vendor=1' };
    await (await gateway.post(CHAT, { model: 'm' }, { headers })).text();
    expect(await gateway.delivered(1)).toEqual([]);
    const { traceparent, tracestate } = backend.received[0]!.headers;
    expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(tracestate).toBeUndefined();
  });

  it('tell of a stream when its first byte came, and of a client that left', async () => {
    const backend = await fakeBackend((_, response) => {
      startEvents(response);
      response.write(chatChunk('one'));
    });
    const gateway = await traced(oneInstance(backend.url));
    const leaving = new AbortController();
    const answer = await gateway.post(
      CHAT,
      { model: 'm', stream: true },
      { signal: leaving.signal },
    );
    await answer.body!.getReader().read();
    leaving.abort();
    const [call, attempt] = await gateway.delivered(1);
    expect(valuesOf(call!.attributes)).toMatchObject({ 'jairouter.outcome': 'aborted' });
    expect(call!.status.code).toBe(0);
    expect(call!.events).toHaveLength(1);
    expect(valuesOf(attempt!.attributes)).toMatchObject({
      'jairouter.phase': 'answering',
      'gen_ai.request.stream': true,
      'gen_ai.response.time_to_first_chunk': expect.closeTo(
        (Number(attempt!.events[0]!.timeUnixNano) - Number(attempt!.startTimeUnixNano)) / 1e9,
        3,
      ),
    });
  });

  it('tell of refusals, which are no fault of the server', async () => {
    const backend = await fakeBackend();
    const gateway = await traced(oneInstance(backend.url));
    await (await gateway.post(CHAT, { model: 'nobody' })).text();
    await (await gateway.post('/v1/embeddings', '{')).text();
    const [unknown, invalid] = await gateway.delivered(2);
    expect(unknown).toMatchObject({ name: `POST ${CHAT}`, status: { code: 0 } });
    expect(valuesOf(unknown!.attributes)).toMatchObject({
      'error.type': 'model_not_found',
      'http.response.status_code': 404,
    });
    expect(valuesOf(invalid!.attributes)).toMatchObject({ 'gen_ai.operation.name': 'embeddings' });
  });

  it('go where the config says, under the name it gives', async () => {
    const backend = await fakeBackend();
    const { url, batches } = await collector();
    const { gateway, post } = await startGateway(
      oneInstance(backend.url, {
        telemetry: {
          traces: {
            endpoint: `${url}/custom/path`,
            headers: { 'x-token': 'abc' },
            serviceName: 'my-router',
          },
        },
      }),
    );
    await applyTelemetry(gateway);
    await (await post(CHAT, { model: 'm' })).text();
    await until(() => gateway.observe.recent().length === 1);
    await gateway.observe.traces!.close();
    expect(batches[0]).toMatchObject({
      path: '/custom/path',
      headers: { 'x-token': 'abc' },
      resource: { 'service.name': 'my-router' },
    });
  });

  it('that can not be delivered are told of once, and hold nothing up', async () => {
    const backend = await fakeBackend();
    const endpoint = `http://127.0.0.1:${await deadPort()}`;
    const { gateway, post, said } = await startGateway(
      oneInstance(backend.url, { telemetry: { traces: { endpoint } } }),
    );
    await applyTelemetry(gateway);
    expect((await post(CHAT, { model: 'm' })).status).toBe(200);
    await until(() => gateway.observe.recent().length === 1);
    const began = performance.now();
    await gateway.observe.traces!.close();
    expect(performance.now() - began).toBeLessThan(5000);
    const warnings = said.filter((line) => line.startsWith('traces could not be delivered'));
    expect(warnings.length).toBeLessThanOrEqual(1);
  });

  it('are off until the config wants them, and then pass on what the client sent', async () => {
    const backend = await fakeBackend();
    const { gateway, post } = await startGateway(oneInstance(backend.url));
    await applyTelemetry(gateway);
    expect(gateway.observe.traces).toBeUndefined();
    const headers = { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'vendor=1' };
    await (await post(CHAT, { model: 'm' }, { headers })).text();
    expect(backend.received[0]!.headers).toMatchObject(headers);
    expect(gateway.observe.recent()[0]).not.toHaveProperty('traceId');
  });

  it('follow the config file as it changes, and lose no call', async () => {
    const [backend, first, second] = [await fakeBackend(), await collector(), await collector()];
    const file = join(await tempDir(), 'jairouter.config.yaml');
    const save = (traces: string) =>
      writeFile(
        file,
        `instances: { a: { adapter: openai, baseUrl: "${backend.url}" } }\n${traces}`,
      );
    await save('');
    const { gateway, post } = await startOnFile(file, { state: dirname(file) });
    const { observe, live } = gateway;
    const told = { first: first.spans, second: second.spans };
    const ids = (of: keyof typeof told) =>
      told[of]()
        .filter(({ kind }) => kind === 2)
        .map(({ attributes }) => valuesOf(attributes)['jairouter.request_id']);
    const call = async (id: string) => {
      await (await post(CHAT, { model: 'm' }, { headers: { 'x-request-id': id } })).text();
      await until(() => observe.recent()[0]?.id === id);
    };
    await call('before');
    await save(`telemetry: { traces: { endpoint: "${first.url}" } }`);
    await until(() => observe.traces !== undefined, 10_000);
    const opened = observe.traces;
    await call('first');
    // Another change leaves them alone.
    await save(
      `capture: true\ntelemetry: { traces: { sampleRatio: 1, endpoint: "${first.url}" } }`,
    );
    await until(() => gateway.snapshot.config.capture !== undefined, 10_000);
    await live.reload('signal');
    expect(observe.traces).toBe(opened);
    await call('first-again');
    await save(`telemetry: { traces: { endpoint: "${second.url}" } }`);
    await until(() => observe.traces !== opened, 10_000);
    await call('second');
    // What is invalid leaves them alone too.
    await save('telemetry: { traces: { endpoint: nowhere } }');
    await until(() => live.status().error !== undefined, 10_000);
    await call('second-again');
    await save('');
    await until(() => observe.traces === undefined, 10_000);
    await call('after');
    // Each was delivered when its collector's time was over.
    await until(() => ids('second').length === 2, 10_000);
    expect(ids('first')).toEqual(['first', 'first-again']);
    expect(ids('second')).toEqual(['second', 'second-again']);
  });

  it('name what has to be installed for them', async () => {
    const settings = { endpoint: undefined, headers: {}, sampleRatio: 1, serviceName: undefined };
    const missing = Object.assign(new Error('nothing there'), { code: 'ERR_MODULE_NOT_FOUND' });
    const opening = openTraces(settings, {
      version: '1',
      scheme: () => 'http',
      onFailure: () => {},
      load: () => Promise.reject(missing),
    });
    await expect(opening).rejects.toThrow(MissingPackages);
    await expect(opening).rejects.toThrow(
      'npm install @opentelemetry/api @opentelemetry/sdk-trace-base @opentelemetry/resources @opentelemetry/exporter-trace-otlp-http',
    );
  });
});
