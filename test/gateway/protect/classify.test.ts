import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readError, streamError } from '../../../src/adapters/errors.ts';
import {
  classify,
  mostTelling,
  QUOTA_REST,
  type FailureKind,
  type Meaning,
  type Trouble,
} from '../../../src/gateway/protect/classify.ts';
import { retryAfter } from '../../../src/gateway/protect/retry-after.ts';
import { refusal } from './refusals.ts';

const plain = { message: 'something went wrong', type: 'server_error', code: null };

function answer(status: number, part: Partial<Trouble> = {}): Trouble {
  return { kind: 'answer', status, body: plain, committed: false, ...part };
}
const saying = (message: string, part: Partial<Trouble['body']> = {}) => ({
  body: { ...plain, message, ...part },
});

/** What is made of a recorded answer, as the gateway reads it. */
function recorded(backend: string, name: string): Meaning {
  const { status, headers, text } = refusal(backend, name);
  return classify(
    answer(status, {
      body: readError(status, headers['content-type'], text),
      wait: retryAfter({ headers, text }, 0),
    }),
  );
}

describe('an attempt', () => {
  it('that is done is a success', () => {
    expect(classify({ kind: 'done' })).toEqual({
      name: 'done',
      breaker: 'success',
      retry: 'never',
    });
  });

  it('whose client left counts for nothing', () => {
    expect(classify({ kind: 'aborted' })).toEqual({
      name: 'aborted',
      breaker: 'none',
      retry: 'never',
    });
  });

  it('that its backend can’t be asked for goes to another, and is nobody’s failure', () => {
    expect(classify({ kind: 'untranslatable' })).toEqual({
      name: 'untranslatable',
      breaker: 'none',
      retry: 'elsewhere',
    });
  });

  it.each(['broken', 'timeout'] as const)(
    'that is %s is a failure, and goes to another',
    (kind) => {
      expect(classify(answer(502, { kind }))).toMatchObject({
        breaker: 'failure',
        retry: 'elsewhere',
      });
    },
  );

  it('that finds nobody there marks the instance at once', () => {
    expect(classify(answer(502, { kind: 'unreachable' }))).toEqual({
      name: 'unreachable',
      breaker: 'failure',
      retry: 'elsewhere',
      health: 'unreachable',
    });
  });

  it('is never repeated once the client has a part of its answer', () => {
    for (const kind of ['broken', 'timeout', 'answer'] as const) {
      expect(classify(answer(500, { kind, committed: true }))).toMatchObject({
        breaker: 'failure',
        retry: 'never',
      });
    }
  });
});

describe('a status', () => {
  const statuses = Array.from({ length: 200 }, (_, index) => 400 + index);
  const those = (wanted: (meaning: Meaning) => boolean) =>
    statuses.filter((status) => wanted(classify(answer(status))));

  it('is tried elsewhere when it is one of the eight that may pass', () => {
    expect(those(({ retry }) => retry !== 'never')).toEqual([
      408, 425, 429, 500, 502, 503, 504, 529,
    ]);
  });

  it('is tried again in the same place when it says that it will pass', () => {
    expect(those(({ retry }) => retry === 'again')).toEqual([408, 425, 429, 503, 529]);
  });

  it('is a failure when it is 5xx, but for what is about the request or about load', () => {
    expect(those(({ breaker }) => breaker === 'failure')).toEqual(
      statuses.filter((status) => status >= 500 && status !== 501 && status !== 529),
    );
  });

  it('cools the instance when it is 429 or 529, and rests its key when that must be paid for', () => {
    expect(those(({ cool }) => cool !== undefined)).toEqual([402, 429, 529]);
    expect(classify(answer(429))).toMatchObject({ breaker: 'none', cool: 'back-off' });
    expect(classify(answer(429, { wait: 700 }))).toMatchObject({ cool: 700 });
    expect(classify(answer(402, { wait: 700 }))).toMatchObject({ cool: QUOTA_REST });
  });

  it('marks the instance misconfigured when it refuses our credentials', () => {
    expect(those(({ misconfigured }) => misconfigured === true)).toEqual([401, 403]);
    expect(recorded('gemini', 'error-401')).toMatchObject({
      breaker: 'none',
      retry: 'never',
      misconfigured: true,
    });
  });

  it('of the server that asks for time gives it that, and is a failure still', () => {
    expect(classify(answer(503, { wait: 2000 }))).toMatchObject({ breaker: 'failure', cool: 2000 });
    expect(classify(answer(503)).cool).toBeUndefined();
  });

  it('of an error that came with the first event is read as any other', () => {
    const error = streamError('{"error":{"message":"slow down","code":429}}')!;
    expect(classify(answer(error.status, { body: error }))).toMatchObject({
      breaker: 'none',
      retry: 'again',
      cool: 'back-off',
    });
  });

  it('that makes no sense is a failure', () => {
    expect(classify(answer(999))).toMatchObject({ breaker: 'failure', retry: 'never' });
  });
});

describe('what backends say', () => {
  it.each([
    ['xinference', 'error-503-loading', 'model'],
    ['localai', 'error-503-loading', 'model'],
    ['gpustack', 'error-503-no-instance', 'model'],
  ] as const)('%s: %s is loading, not failing', (backend, name, loading) => {
    expect(recorded(backend, name)).toEqual({
      name: 'loading',
      breaker: 'none',
      retry: 'elsewhere',
      loading,
    });
  });

  it('llama.cpp loads the only model it has, and so all', () => {
    expect(recorded('llamacpp', 'error-503-loading')).toMatchObject({
      loading: 'instance',
      breaker: 'none',
    });
  });

  it.each([
    ['ollama', 'error-503-queue', 'overloaded', 'back-off'],
    ['tei', 'error-429', 'overloaded', 'back-off'],
    ['xinference', 'error-429', 'overloaded', 'back-off'],
    ['anthropic', 'error-529', 'overloaded', 'back-off'],
    ['gemini', 'error-503', 'overloaded', 'back-off'],
    ['sglang', 'error-503-queue', 'overloaded', 'back-off'],
    ['anthropic', 'error-429', 'rate limit', 12_000],
    ['azure', 'error-429', 'rate limit', 16_824],
    ['gemini', 'error-429', 'rate limit', 34_000],
    ['openai', 'error-429-quota', 'quota', QUOTA_REST],
  ])('%s: %s wants rest (%s)', (backend, name, row, cool) => {
    expect(recorded(backend, name)).toEqual({
      name: row,
      breaker: 'none',
      retry: row === 'quota' ? 'elsewhere' : 'again',
      cool,
    });
  });

  it.each([
    ['openai', 'error-400-context'],
    ['anthropic', 'error-413'],
    ['vllm', 'error-404-model'],
    ['xinference', 'error-422'],
    ['azure', 'error-400-content-filter'],
    ['infinity', 'error-400-model'],
  ])('%s: %s is the request’s fault', (backend, name) => {
    expect(recorded(backend, name)).toEqual({ name: 'request', breaker: 'none', retry: 'never' });
  });

  it.each([
    ['xinference', 'error-500'],
    ['localai', 'error-500'],
    ['gpustack', 'error-504-timeout'],
  ])('%s: %s is a failure', (backend, name) => {
    expect(recorded(backend, name)).toEqual({
      name: 'server error',
      breaker: 'failure',
      retry: 'elsewhere',
    });
  });

  it.each([
    [400, 'billing_hard_limit_reached'],
    [403, 'billing_error'],
    [402, 'billing_error'],
    [429, 'billing_not_active'],
    [429, 'insufficient_quota'],
  ])('%d %s: the money is spent, and asking again will not help', (status, code) => {
    const meaning = classify(answer(status, { ...saying('pay', { code }), wait: 1000 }));
    expect(meaning).toMatchObject({ name: 'quota', breaker: 'none', cool: QUOTA_REST });
    expect(meaning.misconfigured).toBeUndefined();
  });

  it('LM Studio answers 200 to a path that it does not have', () => {
    const error = streamError('{"error":"Unexpected endpoint or method. (POST /v1/rerank)"}')!;
    expect(classify(answer(error.status, { body: error }))).toMatchObject({
      name: 'unsupported',
      breaker: 'none',
      retry: 'elsewhere',
    });
  });

  it('a 500 that speaks of loading or load is a failure all the same', () => {
    for (const message of ['error loading model', 'the system is overloaded']) {
      expect(classify(answer(500, saying(message)))).toMatchObject({ breaker: 'failure' });
    }
  });
});

describe('whatever happens', () => {
  const trouble = fc.record({
    kind: fc.constantFrom<FailureKind>('unreachable', 'broken', 'timeout', 'answer'),
    status: fc.integer({ min: 400, max: 599 }),
    body: fc.record({
      message: fc.oneof(
        fc.string(),
        fc.constantFrom('overloaded', 'Loading model', 'queue is full'),
      ),
      type: fc.constantFrom('server_error', 'billing_error', 'unavailable_error'),
      code: fc.constantFrom(null, 'insufficient_quota', 'invalid_api_key', 'model_loading'),
    }),
    committed: fc.boolean(),
    wait: fc.option(fc.nat(), { nil: undefined }),
  });

  it('a 4xx opens no breaker, and what the client has begun to read is not repeated', () => {
    fc.assert(
      fc.property(trouble, (end) => {
        const { breaker, retry } = classify(end);
        if (end.kind === 'answer' && end.status < 500) expect(breaker).toBe('none');
        if (end.kind !== 'answer') expect(breaker).toBe('failure');
        if (end.committed) expect(retry).toBe('never');
        const passing = [408, 425, 429, 500, 502, 503, 504, 529].includes(end.status);
        if (end.kind === 'answer' && !passing) expect(retry).toBe('never');
        if (end.kind === 'answer' && passing && !end.committed) expect(retry).not.toBe('never');
      }),
    );
  });
});

describe('the most telling of several failures', () => {
  it('is what a backend answered, then what took too long, then what broke', () => {
    const failures = (['timeout', 'answer', 'broken', 'unreachable'] as const).map((kind) => ({
      kind,
    }));
    expect(mostTelling(failures)).toEqual({ kind: 'answer' });
    expect(mostTelling(failures.filter(({ kind }) => kind !== 'answer')).kind).toBe('timeout');
    expect(mostTelling(failures.slice(2)).kind).toBe('broken');
  });

  it('is the latest of equals', () => {
    const failures = [1, 2, 3].map((number) => ({ kind: 'answer' as const, number }));
    expect(mostTelling(failures).number).toBe(3);
  });
});
