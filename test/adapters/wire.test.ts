import { describe, expect, it, onTestFinished } from 'vitest';
import type { Adapter, AdapterCall, Answer } from '../../src/adapters/adapter.ts';
import { readError, streamError } from '../../src/adapters/errors.ts';
import { ADAPTERS } from '../../src/adapters/index.ts';
import { backendAt } from '../support/backend-at.ts';
import { OPERATIONS, type Operation } from '../../src/service.ts';
import { startWireBackend } from '../support/wire-backend.ts';
import { bodyOf, wireSamples, type WireSample } from '../support/wire-samples.ts';
import { callOf, eventsOf } from './call.ts';
import { OWN } from './exchange.ts';

describe.each(OWN.map((name) => ADAPTERS[name]))('what $name sends', (adapter) => {
  const samples = wireSamples(adapter.name);
  const [posts, gets] = [
    samples.filter(({ request }) => request.method === 'POST'),
    samples.filter(({ request }) => request.method === 'GET'),
  ];
  const errors = posts.filter(({ response }) => response.status >= 400);
  const answered = posts.flatMap((sample) => {
    const operation = operationAt(adapter, sample.request.path);
    return operation && sample.response.status < 400
      ? [{ name: sample.name, sample, operation }]
      : [];
  });

  it.each(errors)('$name: an error in the words of OpenAI', (sample) => {
    const { status, headers } = sample.response;
    const error = readError(status, headers['content-type'], bodyOf(sample).toString('utf8'));
    expect(error).toEqual({
      message: expect.stringMatching(/^[^{<\s][^]*\S$/) as string,
      type: expect.stringMatching(/^\w+$/) as string,
      param: error.param === null ? null : expect.stringMatching(/^\w+$/),
      code: error.code === null ? null : expect.stringMatching(/^\w+$/),
    });
    const clientsMistake = sample.name === 'transcriptions-error-srt';
    expect(adapter.verdict?.(status, error.message) ?? status).toBe(clientsMistake ? 400 : status);
  });

  it.each(
    answered.filter((one) => one.sample.response.sse === undefined && isAskedFor(adapter, one)),
  )('$name: an answer in the shape of OpenAI', ({ sample, operation }) => {
    const spec = adapter.operations[operation]!;
    const call = callOf(operation, sample);
    const contentType = sample.response.headers['content-type'] ?? '';
    const transform = spec.response?.(call);
    const body = bodyOf(sample);
    const links = transform?.links?.(body, contentType) ?? [];
    const linked = links.map(() => Buffer.from('image'));
    const changed = transform?.body?.(body, contentType, linked);
    expectOutward(call, {
      body: (changed?.body ?? body).toString(),
      contentType: changed?.contentType ?? transform?.contentType?.(contentType) ?? contentType,
    });
    if (changed) {
      const again = transform!.body!(Buffer.from(changed.body), changed.contentType!);
      expect(again, 'what is right already is left alone').toBe(undefined);
    }
  });

  it.each(answered.filter(({ sample }) => sample.response.sse !== undefined))(
    '$name: events in the shape of OpenAI',
    ({ sample, operation }) => {
      const transform = adapter.operations[operation]!.response?.(callOf(operation, sample));
      const events = eventsOf(sample.response.sse!);
      const sent = events.flatMap((event) => transform?.event?.(event) ?? [event]);
      const failed = events.some((event) => streamError(event.data));
      // Ollama swallows its errors: its stream just ends.
      const swallowed = adapter.name === 'ollama';
      expect(failed).toBe(sample.name.includes('error') && !swallowed);
      if (failed || sample.response.ends) return;
      if (operation === 'transcriptions' || operation === 'translations') {
        const told = sent.map((event) => JSON.parse(event.data) as unknown);
        expect(told).toEqual([
          ...told.slice(0, -1).map(() => ({
            type: 'transcript.text.delta',
            delta: expect.any(String) as string,
          })),
          expect.objectContaining({
            type: 'transcript.text.done',
            text: expect.stringMatching(/^ ?Hello world\.$/) as string,
          }),
        ]);
      } else if (sample.name.includes('async-filter')) {
        const choices = sent
          .filter(({ data }) => data !== '[DONE]')
          .flatMap(({ data }) => (JSON.parse(data) as { choices: object[] }).choices);
        for (const choice of choices) expect(choice).toHaveProperty('delta');
      } else {
        expect(sent).toEqual(events);
      }
    },
  );

  it.each(gets)('$name: a probe that knows what to make of it', async (sample) => {
    const wire = await startWireBackend(adapter.name);
    onTestFinished(() => wire.close());
    // More than once: GPUStack is asked for one category at a time.
    for (let times = 0; times < 7; times += 1) wire.next(sample.name);
    const backend = backendAt(wire.url, { timeout: 2000 });
    const result = await adapter.probe(backend);
    if (sample.response.status < 400) {
      expect(result).toEqual(expect.objectContaining({ state: 'healthy' }));
      expect(result.models).toBeInstanceOf(Array);
    } else {
      expect(result.state).not.toBe('healthy');
      expect(result.detail).toMatch(/\w/);
    }
  });
});

interface Exchange {
  readonly sample: WireSample;
  readonly operation: Operation;
}

function operationAt(adapter: Adapter, route: string): Operation | undefined {
  // Azure's deployments have paths of their own.
  const path = route.replace(/^\/openai\/deployments\/[^/]+([^?]+).*$/, '/openai/v1$1');
  return (Object.keys(OPERATIONS) as Operation[]).find(
    (operation) => adapter.operations[operation]?.path === path,
  );
}

/** Whether the backend, asked as the adapter asks it, would give that answer: in that format. */
function isAskedFor(adapter: Adapter, { sample, operation }: Exchange): boolean {
  const call = callOf(operation, sample);
  const asked = adapter.operations[operation]!.request?.(call)?.set?.['response_format'];
  return (
    asked === undefined || asked === (call.fields['response_format'] ?? 'json') || asked === 'mp3'
  );
}

function expectOutward(call: AdapterCall, { body, contentType }: Answer & { body: string }): void {
  const json = (): unknown => JSON.parse(body);
  const format = call.fields['response_format'] ?? 'json';
  switch (call.operation) {
    case 'chat':
    case 'completions':
      expect(json()).toHaveProperty('choices');
      return;
    case 'messages':
      expect(json()).toMatchObject({ type: 'message', content: [{ type: 'text', text: 'Hi!' }] });
      return;
    case 'countTokens':
    case 'inputTokens':
      expect(json()).toHaveProperty('input_tokens');
      return;
    case 'responses':
      expect(json()).toMatchObject({ object: 'response', status: 'completed' });
      return;
    case 'ollamaChat':
    case 'ollamaGenerate':
    case 'ollamaEmbed':
    case 'ollamaEmbeddings':
      expect(
        body
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
      ).not.toEqual([]);
      return;
    case 'embeddings': {
      const base64 = call.fields['encoding_format'] === 'base64';
      const { data } = json() as { data: { embedding: unknown }[] };
      expect(data.length).toBeGreaterThan(0);
      for (const { embedding } of data) {
        if (base64) expect(embedding).toBe('8IVJPBHHOr1TlqE9');
        else expect(embedding).toEqual([0.0123, -0.0456, 0.0789]);
      }
      return;
    }
    case 'rerank': {
      const document = { text: expect.any(String) as string };
      expect(json()).toEqual({
        id: expect.stringMatching(/./) as string,
        model: call.model,
        object: 'list',
        usage: expect.objectContaining({ total_tokens: expect.any(Number) as number }) as object,
        results: expect.any(Array) as unknown[],
      });
      const { results } = json() as { results: { index: number }[] };
      expect(results.length).toBe(call.fields['top_n'] ?? 2);
      for (const [index, result] of results.entries()) {
        expect(result).toEqual({
          index,
          relevance_score: expect.any(Number) as number,
          ...(call.fields['return_documents'] ? { document } : {}),
        });
      }
      return;
    }
    case 'speech':
      expect(contentType).toMatch(/^audio\//);
      return;
    case 'transcriptions':
    case 'translations':
      if (format === 'json') {
        const { usage: _, ...rest } = json() as { text: string; usage?: unknown };
        expect(rest).toEqual({ text: expect.stringMatching(/^ ?Hello world\.$/) as string });
      } else if (format === 'verbose_json') {
        expect(json()).toMatchObject({
          task: call.operation === 'translations' ? 'translate' : 'transcribe',
          language: expect.any(String) as string,
          duration: 2.4,
          segments: [{ id: 0, start: 0, end: 2.4, no_speech_prob: expect.any(Number) as number }],
        });
      } else {
        expect(contentType).toMatch(/^text\/plain/);
        expect(body).toMatch(/Hello world\./);
        expect(body).not.toMatch(/^\{/);
      }
      return;
    case 'imageGenerations':
    case 'imageEdits':
    case 'imageVariations': {
      const { data } = json() as { data: { url?: string; b64_json?: string }[] };
      expect(data.length).toBeGreaterThan(0);
      expect(body).not.toMatch(/null|embedding|index/);
      for (const image of data) {
        if (image.b64_json === undefined) expect(image.url).toMatch(/^(https:|data:image)/);
        else expect(image).not.toHaveProperty('url');
      }
    }
  }
}
