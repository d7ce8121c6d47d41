import type { InstanceState } from '../../src/gateway/directory.ts';
import type {
  BreakerStatus,
  CapturedBody,
  CapturedCall,
  InstanceDetail,
  InstanceStatus,
  ModelTraffic,
  News,
  Recent,
  RecentCall,
  RunningCall,
  Status,
  Totals,
} from '../../src/observe/status.ts';
import type { Actions, Feed, FeedEvent } from '../../src/dashboard/feed.ts';

/** A time of which every test speaks: 2026-11-26, 12:00:00 UTC. */
export const NOON = Date.UTC(2026, 10, 26, 12);

/** What was ordered through a fake feed, as `name(argument, …)`. */
export interface FakeFeed extends Feed {
  readonly orders: readonly string[];
  /** Tells the dashboard something. */
  tell(...events: FeedEvent[]): void;
  snapshot(status: Status): void;
  /** What an action answers, or throws, in place of its usual answer. */
  readonly answers: { [Name in keyof Actions]?: () => Awaited<ReturnType<Actions[Name]>> };
  readonly isOpen: () => boolean;
}

/** A feed that tells what a test makes it tell. */
export function fakeFeed(): FakeFeed {
  const orders: string[] = [];
  let listener: ((event: FeedEvent) => void) | undefined;
  const answers: FakeFeed['answers'] = {};
  const act =
    <Name extends keyof Actions>(name: Name, usual: () => Awaited<ReturnType<Actions[Name]>>) =>
    (...given: unknown[]): Promise<Awaited<ReturnType<Actions[Name]>>> => {
      orders.push(`${name}(${given.map((one) => JSON.stringify(one)).join(', ')})`);
      // A promise that is already rejected would be one that nobody waits for.
      return new Promise((resolve) => {
        resolve((answers[name] ?? usual)());
      });
    };
  const tell = (...events: FeedEvent[]): void => {
    for (const event of events) listener?.(event);
  };
  return {
    url: 'http://127.0.0.1:4747',
    orders,
    answers,
    tell,
    snapshot: (status) =>
      tell({ kind: 'connection', connection: { state: 'live' } }, { kind: 'snapshot', status }),
    isOpen: () => listener !== undefined,
    open(to) {
      listener = to;
    },
    close() {
      listener = undefined;
    },
    actions: {
      instance: act('instance', () => instanceDetail('gpu-1')),
      change: act('change', () => undefined),
      breaker: act('breaker', () => undefined),
      reload: act('reload', () => ({ version: 4, diff: ['~ instances.gpu-1.weight: 1 → 3'] })),
      history: act('history', () => []),
      rollback: act('rollback', () => ({ version: 4, diff: [] })),
      call: act('call', () => capturedCall()),
      targets: act('targets', () => [
        { instance: 'gpu-1', model: 'Qwen/Qwen3-Coder-30B', remark: 'is the least busy' },
        { instance: 'laptop', model: 'qwen3-coder:30b', remark: 'has more to do' },
      ]),
      replay: act('replay', () => ({
        status: 200,
        instance: 'laptop',
        model: 'qwen3-coder:30b',
        firstByte: 400,
        duration: 2000,
        answer: capturedText(chatAnswer('The sky looks blue since light scatters.')),
      })),
    },
  };
}

function totals(given: Partial<Totals> = {}): Totals {
  return {
    calls: 1240,
    ok: 1200,
    failed: 30,
    broken: 4,
    aborted: 6,
    errors: {},
    tokensIn: 812_000,
    tokensOut: 240_000,
    tokensGuessed: 0,
    bytesIn: 3_400_000,
    bytesOut: 1_200_000,
    ...given,
  };
}

export function recent(given: Partial<Recent> = {}): Recent {
  return {
    perSecond: Array.from({ length: 60 }, (_, second) => second % 8),
    errorShare: 0,
    duration: { p50: 1200, p95: 4000, p99: 6100 },
    firstByte: { p50: 212, p95: 480, p99: 900 },
    tokensPerSecond: 61.3,
    tokensGuessed: false,
    ...given,
  };
}

/** Of no traffic at all. */
export const SILENT: Recent = {
  perSecond: Array.from({ length: 60 }, () => 0),
  tokensPerSecond: 0,
  tokensGuessed: false,
};

export function breaker(given: Partial<BreakerStatus> = {}): BreakerStatus {
  return { state: 'closed', since: NOON - 600_000, ...given };
}

export function instance(name: string, given: Partial<InstanceStatus> = {}): InstanceStatus {
  return {
    name,
    adapter: 'vllm',
    baseUrl: 'http://10.0.0.5:8000',
    state: 'healthy',
    stateSince: NOON - 600_000,
    nextLookAt: NOON + 4000,
    breaker: breaker(),
    inFlight: 3,
    maxConcurrency: 16,
    queued: 0,
    weight: 1,
    priority: 0,
    services: ['chat', 'embeddings'],
    models: 2,
    loaded: ['Qwen/Qwen3-Coder-30B'],
    connections: 4,
    totals: totals(),
    recent: recent(),
    ...given,
  };
}

/** One instance in each state there is. */
export function instancesInAllStates(): InstanceStatus[] {
  const down = { recent: SILENT, inFlight: 0 };
  return [
    instance('gpu-1', { weight: 3 }),
    instance('laptop', { adapter: 'ollama', state: 'loading', stateDetail: 'loading qwen3:32b' }),
    instance('gpu-2', {
      ...down,
      state: 'unhealthy',
      stateDetail: 'connection refused',
      breaker: breaker({ state: 'open', triesAgainAt: NOON + 12_000, reason: '5 failures' }),
    }),
    instance('openai', { adapter: 'openai', state: 'misconfigured', stateDetail: '401' }),
    instance('old', { ...down, state: 'draining' }),
    instance('spare', { ...down, state: 'disabled' }),
    instance('new', { ...down, state: 'unknown' }),
  ];
}

export function running(id: string, given: Partial<RunningCall> = {}): RunningCall {
  return {
    id,
    at: NOON - 4200,
    operation: 'chat',
    client: '127.0.0.1',
    model: 'coder',
    instance: 'gpu-1',
    stream: true,
    phase: 'answering',
    attempts: 1,
    firstByte: 200,
    events: 240,
    bytesOut: 9000,
    ...given,
  };
}

export function call(seq: number, given: Partial<RecentCall> = {}): RecentCall {
  return {
    seq,
    id: `req_${seq}`,
    at: NOON - 1000 * (1000 - seq),
    path: '/v1/chat/completions',
    operation: 'chat',
    client: '127.0.0.1',
    model: 'coder',
    instance: 'gpu-1',
    upstreamModel: 'Qwen/Qwen3-Coder-30B',
    ending: 'ok',
    status: 200,
    stream: true,
    attempts: [
      {
        instance: 'gpu-1',
        model: 'Qwen/Qwen3-Coder-30B',
        why: 'least connections of 2',
        startedAfter: 2,
        duration: 1398,
        firstByte: 210,
        status: 200,
        phase: 'done',
        ending: 'ok',
        events: 120,
        bytesIn: 900,
        bytesOut: 12_000,
        usage: { input: 812, output: 240 },
        tokensGuessed: 0,
      },
    ],
    duration: 1400,
    waited: 0,
    firstByte: 212,
    events: 120,
    bytesIn: 900,
    bytesOut: 12_000,
    usage: { input: 812, output: 240 },
    tokensGuessed: 0,
    captured: false,
    ...given,
  };
}

const NOTHING_CAME = {
  ending: 'error',
  events: 0,
  bytesIn: 900,
  bytesOut: 0,
  tokensGuessed: 0,
} as const;

export function failedCall(seq: number, given: Partial<RecentCall> = {}): RecentCall {
  return call(seq, {
    ending: 'error',
    status: 502,
    code: 'upstream_unreachable',
    error: 'gpu-2: connection refused',
    instance: 'gpu-2',
    attempts: [
      {
        instance: 'gpu-1',
        model: 'Qwen/Qwen3-Coder-30B',
        why: 'least connections of 2',
        startedAfter: 1,
        duration: 90,
        status: 500,
        phase: 'waiting',
        error: 'CUDA out of memory',
        errorKind: '500',
        ...NOTHING_CAME,
      },
      {
        instance: 'gpu-2',
        model: 'Qwen/Qwen3-Coder-30B',
        why: 'gpu-1 failed',
        startedAfter: 92,
        duration: 4,
        phase: 'connecting',
        error: 'connection refused',
        errorKind: 'upstream_unreachable',
        ...NOTHING_CAME,
      },
    ],
    ...given,
  });
}

export function news(seq: number, message: string, given: Partial<News> = {}): News {
  return {
    seq,
    at: NOON - 1000 * (1000 - seq),
    kind: 'instance',
    level: 'info',
    message,
    ...given,
  };
}

export function model(name: string, given: Partial<ModelTraffic> = {}): ModelTraffic {
  return { model: name, inFlight: 0, totals: totals(), recent: recent(), ...given };
}

export function status(given: Partial<Status> = {}): Status {
  return {
    version: '0.1.0',
    pid: 4711,
    url: 'http://127.0.0.1:4747',
    startedAt: NOON - 8_040_000,
    now: NOON,
    draining: false,
    config: {
      file: '/home/me/project/jairouter.config.yaml',
      version: 3,
      appliedAt: NOON - 60_000,
      restartNeeded: [],
    },
    inFlight: 2,
    queued: 0,
    totals: totals(),
    recent: recent(),
    instances: [instance('gpu-1'), instance('laptop', { adapter: 'ollama' })],
    models: [model('coder'), model('nomic-embed-text')],
    running: [running('a'), running('b', { model: 'qwen3:8b', instance: 'laptop' })],
    ...given,
  };
}

export function instanceDetail(name: string, given: Partial<InstanceDetail> = {}): InstanceDetail {
  return {
    ...instance(name),
    catalogue: [
      {
        id: 'Qwen/Qwen3-Coder-30B',
        aliases: ['qwen3-coder'],
        services: ['chat'],
        loaded: true,
        contextLength: 32_768,
      },
      { id: 'BAAI/bge-m3', aliases: [], services: ['embeddings'], loaded: false },
    ],
    wildcards: ['qwen-*'],
    operations: ['chat', 'completions', 'embeddings'],
    lastErrors: [
      { at: NOON - 30_000, call: 'req_7', model: 'BAAI/bge-m3', message: 'CUDA out of memory' },
    ],
    histogram: [
      { until: 100, count: 4 },
      { until: 200, count: 40 },
      { until: 400, count: 12 },
      { until: 800, count: 0 },
      { until: 1600, count: 1 },
    ],
    breakerHistory: [
      breaker(),
      breaker({ state: 'open', since: NOON - 700_000, reason: '5 failures one after the other' }),
    ],
    config: {
      adapter: 'vllm',
      baseUrl: 'http://10.0.0.5:8000',
      apiKey: 'sk-…b3f',
      timeouts: { connect: '3s', idle: '5m' },
      models: ['qwen-*'],
    },
    ...given,
  };
}

export function chatAnswer(content: string): string {
  return JSON.stringify({
    choices: [{ message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 12, completion_tokens: 9 },
  });
}

export function capturedText(text: string, given: Partial<CapturedBody> = {}): CapturedBody {
  return {
    headers: { 'content-type': 'application/json' },
    bytes: Buffer.byteLength(text),
    truncated: false,
    text,
    ...given,
  };
}

export function capturedCall(given: Partial<CapturedCall> = {}): CapturedCall {
  const question = [{ role: 'user', content: "Why's the sky blue?" }];
  return {
    ...call(900, { captured: true, stream: false }),
    request: capturedText(JSON.stringify({ model: 'coder', messages: question }), {
      headers: { 'content-type': 'application/json', authorization: '***' },
    }),
    answer: capturedText(chatAnswer('The sky is blue since light scatters.')),
    ...given,
  };
}

/** How an instance is, for those who need one of each. */
export const ALL_STATES: readonly InstanceState[] = [
  'unknown',
  'healthy',
  'loading',
  'unhealthy',
  'misconfigured',
  'draining',
  'disabled',
];
