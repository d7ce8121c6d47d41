import type { AttemptRecord, Outcome } from '../../src/observe/outcome.ts';

const ATTEMPT: AttemptRecord = {
  instance: 'gpu',
  adapter: 'vllm',
  origin: 'http://10.0.0.5:8000',
  spanId: undefined,
  model: 'Qwen/Qwen3',
  choice: { by: 'only', of: 1, after: undefined, fallback: false },
  startedAfter: 1,
  duration: 1199,
  firstByte: 199,
  status: 200,
  phase: 'done',
  ending: 'ok',
  error: undefined,
  errorKind: undefined,
  events: 60,
  bytesIn: 100,
  bytesOut: 1000,
  usage: { input: 10, output: 50 },
  tokensGuessed: 0,
};

const OUTCOME: Outcome = {
  id: 'req_1',
  trace: undefined,
  at: Date.UTC(2026, 7, 24, 9, 41, 7),
  path: '/v1/chat/completions',
  operation: 'chat',
  client: '127.0.0.1',
  key: undefined,
  model: 'coder',
  modelKnown: true,
  instance: 'gpu',
  upstreamModel: 'Qwen/Qwen3',
  ending: 'ok',
  status: 200,
  error: undefined,
  errorKind: undefined,
  code: undefined,
  stream: true,
  attempts: [],
  limit: undefined,
  duration: 1200.04,
  waited: 0,
  firstByte: 200,
  events: 60,
  bytesIn: 100,
  bytesOut: 1000,
  usage: { input: 10, output: 50 },
  tokensGuessed: 0,
};

/** A good streamed chat call at 09:41:07, but for what a test says. */
export function outcome(but: Partial<Outcome> = {}): Outcome {
  return { ...OUTCOME, ...but };
}

/** Its good attempt on `gpu`, but for what a test says. */
export function attempt(but: Partial<AttemptRecord> = {}): AttemptRecord {
  return { ...ATTEMPT, ...but };
}
