import type { Feed, FeedEvent } from '../dashboard/feed.ts';
import type { News, RecentCall, Status } from '../observe/status.ts';
import type { AdminEvent } from './admin-client.ts';
import { follow, type FollowOptions } from './follow.ts';

export interface LiveFeedOptions extends Pick<FollowOptions, 'server' | 'find' | 'wait'> {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What a running server tells and takes, for the dashboard. */
export function liveFeed({ find, now, ...options }: LiveFeedOptions): Feed {
  const stop = new AbortController();
  let { server } = options;
  const instance = (name: string): string => `/admin/instances/${encodeURIComponent(name)}`;
  return {
    get url() {
      return server.url;
    },
    actions: {
      instance: (name) => server.get(instance(name)),
      change: async (name, change) => void (await server.send('PATCH', instance(name), change)),
      breaker: async (name, action) =>
        void (await server.send('POST', `${instance(name)}/breaker`, { action })),
      reload: async () => void (await server.send('POST', '/admin/reload')),
      history: () => server.get('/admin/config/history'),
      rollback: async (version) =>
        void (await server.send('POST', `/admin/config/rollback/${version}`)),
      call: (id) => server.get(`/admin/requests/${encodeURIComponent(id)}`),
      replay: () => Promise.reject(new Error('replay')),
    },
    open(listener) {
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
            listener({ kind: 'connection', connection: { state: 'live' } });
          }
          const told = feedEvent(event);
          if (told) listener(told);
        },
        onLost(reason, wait) {
          live = false;
          const connection = { state: 'lost', triesAgainAt: now() + wait, reason } as const;
          listener({ kind: 'connection', connection });
        },
      });
    },
    close: () => stop.abort(),
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
