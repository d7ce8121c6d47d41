import { callHeaders } from '../dashboard/curl.ts';
import type {
  Actions,
  Answer,
  Feed,
  FeedEvent,
  ReplayRequest,
  ReplayTarget,
} from '../dashboard/feed.ts';
import type { Explanation } from '../gateway/explanation.ts';
import { contentOf } from '../observe/capture.ts';
import type { News, RecentCall, Status } from '../observe/status.ts';
import type { AdminClient, AdminEvent } from './admin-client.ts';
import { follow, type FollowOptions } from './follow.ts';

export interface LiveFeedOptions extends Pick<FollowOptions, 'server' | 'find' | 'wait'> {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The API key for calls that are sent again, where the server asks for one. */
  readonly key: string | undefined;
}

/**
 * What a running server tells and takes, for the dashboard. It follows the server from now on: until
 * the dashboard's own code is there, the first picture's data is too.
 */
export function liveFeed({ find, now, key, ...options }: LiveFeedOptions): Feed {
  const stop = new AbortController();
  let { server } = options;
  const early: FeedEvent[] = [];
  let tell = (event: FeedEvent): void => void early.push(event);
  let live = false;
  void follow({
    ...options,
    after: undefined,
    signal: stop.signal,
    find: async () => {
      server = await find();
      return server;
    },
    onEvent(event) {
      // Not before it has something to show.
      if (event.event === 'snapshot' && !live) {
        live = true;
        tell({ kind: 'connection', connection: { state: 'live' } });
      }
      const told = feedEvent(event);
      if (told) tell(told);
    },
    onLost(reason, wait) {
      live = false;
      const connection = { state: 'lost', triesAgainAt: now() + wait, reason } as const;
      tell({ kind: 'connection', connection });
    },
  });
  return {
    get url() {
      return server.url;
    },
    actions: {
      ...orders(() => server),
      replay: (request) => replay(server, request, key),
    },
    open(listener) {
      tell = listener;
      for (const event of early.splice(0)) listener(event);
    },
    close: () => stop.abort(),
  };
}

function orders(server: () => AdminClient): Omit<Actions, 'replay'> {
  const instance = (name: string): string => `/admin/instances/${encodeURIComponent(name)}`;
  return {
    instance: (name) => server().get(instance(name)),
    change: async (name, change) => void (await server().send('PATCH', instance(name), change)),
    breaker: async (name, action) =>
      void (await server().send('POST', `${instance(name)}/breaker`, { action })),
    reload: () => server().send('POST', '/admin/reload'),
    history: () => server().get('/admin/config/history'),
    rollback: (version) => server().send('POST', `/admin/config/rollback/${version}`),
    call: (id) => server().get(`/admin/requests/${encodeURIComponent(id)}`),
    targets: async ({ model, operation, client }) => {
      const query = new URLSearchParams({ operation, ip: client, ...(model && { model }) });
      return targetsOf(await server().get<Explanation>(`/admin/explain?${query.toString()}`));
    },
  };
}

/** @returns Nothing for an event that only a later version knows. */
function feedEvent({ event, data }: AdminEvent): FeedEvent | undefined {
  switch (event) {
    case 'snapshot':
      return { kind: 'snapshot', status: data as Status };
    case 'call':
      return { kind: 'call', call: data as RecentCall };
    case 'news':
      return { kind: 'news', news: data as News };
    default:
      return undefined;
  }
}

/** Those that the model is routed to, its fallbacks too. */
function targetsOf({ steps }: Explanation): ReplayTarget[] {
  const targets = new Map<string, ReplayTarget>();
  for (const { candidates } of steps) {
    for (const { instance, model, reason } of candidates)
      targets.set(`${instance}/${model}`, { instance, model, remark: reason });
  }
  return [...targets.values()];
}

async function replay(
  server: AdminClient,
  { call: { path, request }, to }: ReplayRequest,
  key: string | undefined,
): Promise<Answer> {
  const { headers, text, base64 = '' } = request!;
  const body = text === undefined ? Buffer.from(base64, 'base64') : Buffer.from(text);
  const answer = await server.call({
    path,
    headers: { ...callHeaders(headers), ...(key && { authorization: `Bearer ${key}` }) },
    body: to ? pinned(body, to) : body,
  });
  if (answer.status === 401) {
    throw new Error(
      key
        ? 'the server does not know the API key in JAIROUTER_KEY'
        : 'the server asks for an API key: set JAIROUTER_KEY to one, and start the dashboard again',
    );
  }
  const header = (name: string): string | undefined => answer.headers[name]?.toString();
  const { status, firstByte, duration } = answer;
  return {
    status,
    firstByte,
    duration,
    instance: header('x-jairouter-instance'),
    model: header('x-jairouter-model'),
    answer: {
      headers: { 'content-type': header('content-type') ?? '' },
      bytes: answer.body.length,
      truncated: false,
      ...contentOf(answer.body),
    },
  };
}

/** The same body, for a model of one instance. */
function pinned(body: Buffer, { instance, model }: ReplayTarget): Buffer {
  let fields: unknown;
  try {
    fields = JSON.parse(body.toString('utf8'));
  } catch {
    throw new Error('only a call with a JSON body can be sent to an instance of choice');
  }
  return Buffer.from(JSON.stringify({ ...(fields as object), model: `${instance}/${model}` }));
}
