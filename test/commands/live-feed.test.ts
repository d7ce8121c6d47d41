import { describe, expect, it, onTestFinished } from 'vitest';
import { connectAdmin, type AdminClient } from '../../src/commands/admin-client.ts';
import { liveFeed } from '../../src/commands/live-feed.ts';
import type { FeedEvent } from '../../src/dashboard/feed.ts';
import { call, capturedCall, news, NOON, status } from '../support/fake-feed.ts';
import { fakeBackend, json } from '../support/fake-backend.ts';
import { startManaged } from '../support/managed.ts';
import { ADMIN_TOKEN, until } from '../support/gateway.ts';

type Events = Parameters<AdminClient['events']>[0];

interface Opening extends Events {
  end(): void;
  fail(message: string): void;
}

/** A client whose events a test sends, one opening after the other. */
function fakeClient(
  options: { readonly refuses?: () => boolean; readonly startedAt?: number } = {},
) {
  const openings: Opening[] = [];
  const sent: string[] = [];
  const answer = (path: string): unknown =>
    path === '/admin/status' ? status({ startedAt: options.startedAt ?? 0 }) : {};
  const client: AdminClient = {
    url: 'http://127.0.0.1:4747',
    get: (path) => {
      sent.push(`GET ${path}`);
      return Promise.resolve(answer(path) as never);
    },
    send: (method, path, body) => {
      sent.push(`${method} ${path} ${JSON.stringify(body)}`);
      return Promise.resolve({} as never);
    },
    call: () => Promise.reject(new Error('not in this test')),
    events: (given) => {
      if (options.refuses?.()) return Promise.reject(new Error('connection refused'));
      return new Promise((resolve, reject) => {
        given.signal.addEventListener('abort', () => resolve());
        openings.push({ ...given, end: resolve, fail: (message) => reject(new Error(message)) });
        given.onOpen?.();
      });
    },
  };
  const tell = (event: string, id: string | undefined, data: unknown): void =>
    openings.at(-1)!.onEvent({ event, id, data });
  return {
    client,
    openings,
    sent,
    tell,
    snapshot: () => tell('snapshot', undefined, status({ startedAt: options.startedAt ?? 0 })),
  };
}

function follow(client: AdminClient, find = () => Promise.resolve(client)) {
  const events: FeedEvent[] = [];
  const waits: number[] = [];
  const feed = liveFeed({
    server: client,
    find,
    now: () => NOON,
    key: undefined,
    wait: (failures) => {
      waits.push(failures);
      return 1;
    },
  });
  feed.open((event) => events.push(event));
  onTestFinished(() => feed.close());
  return { feed, events, waits };
}

describe('the feed of a running server', () => {
  it('tells what the server tells, and nothing that it does not know', () => {
    const { client, tell } = fakeClient();
    const { events } = follow(client);
    tell('snapshot', undefined, status());
    tell('call', '1', call(1));
    tell('news', '2', news(2, 'hello'));
    tell('what a later version may add', '3', {});
    expect(events).toEqual([
      { kind: 'connection', connection: { state: 'live' } },
      { kind: 'snapshot', status: status() },
      { kind: 'call', call: call(1) },
      { kind: 'news', news: news(2, 'hello') },
    ]);
  });

  it('takes a broken connection up again where it was, and says so meanwhile', async () => {
    const { client, openings, tell, snapshot } = fakeClient();
    const { events, waits } = follow(client);
    snapshot();
    tell('call', '17', call(17));
    openings[0]!.fail('socket hang up');
    await until(() => openings.length === 2);
    expect(events.at(-1)).toEqual({
      kind: 'connection',
      connection: { state: 'lost', triesAgainAt: NOON + 1, reason: 'socket hang up' },
    });
    expect(openings[1]!.after).toBe('17');
    snapshot();
    expect(events.at(-2)).toEqual({ kind: 'connection', connection: { state: 'live' } });
    openings[1]!.end();
    await until(() => openings.length === 3);
    // Once it had been there again, the waits begin anew.
    expect(waits).toEqual([0, 0]);
  });

  it('waits longer each time nobody answers', async () => {
    let refusals = 0;
    const { client, openings } = fakeClient({ refuses: () => (refusals += 1) <= 4 });
    const { waits } = follow(client);
    await until(() => openings.length === 1);
    expect(waits).toEqual([0, 1, 2, 3]);
  });

  it('finds a server that has been started anew, and reads that from the beginning', async () => {
    const old = fakeClient();
    const fresh = fakeClient({ startedAt: NOON });
    const { feed } = follow(old.client, () => Promise.resolve(fresh.client));
    old.snapshot();
    old.tell('call', '900', call(900));
    old.openings[0]!.end();
    await until(() => fresh.openings.length === 1);
    expect(fresh.openings[0]!.after).toBeUndefined();
    // Orders go to it too.
    await feed.actions.reload();
    expect(fresh.sent).toContain('POST /admin/reload undefined');
  });

  it('goes on trying the old address when no server is found', async () => {
    const { client, openings } = fakeClient();
    follow(client, () => Promise.reject(new Error('no server is running')));
    openings[0]!.end();
    await until(() => openings.length === 2);
    expect(openings[1]!.after).toBeUndefined();
  });

  it('ends when it is closed', async () => {
    const { client, openings, snapshot } = fakeClient();
    const { feed, events } = follow(client);
    snapshot();
    feed.close();
    expect(openings[0]!.signal.aborted).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(openings).toHaveLength(1);
    expect(events).toHaveLength(2);
  });

  it('sends orders to where they belong', async () => {
    const { client, sent } = fakeClient();
    const { actions } = follow(client).feed;
    await actions.instance('gpu/1');
    await actions.change('gpu-1', { draining: true });
    await actions.breaker('gpu-1', 'reset');
    await actions.reload();
    await actions.history();
    await actions.rollback(3);
    await actions.call('req_1');
    expect(sent).toEqual([
      'GET /admin/instances/gpu%2F1',
      'PATCH /admin/instances/gpu-1 {"draining":true}',
      'POST /admin/instances/gpu-1/breaker {"action":"reset"}',
      'POST /admin/reload undefined',
      'GET /admin/config/history',
      'POST /admin/config/rollback/3 undefined',
      'GET /admin/requests/req_1',
    ]);
  });
});

describe('a call that is sent again', () => {
  const CHAT = '/v1/chat/completions';

  async function stage(key?: string, apiKeys: { name: string; key: string }[] = []) {
    const [a, b] = [await fakeBackend(), await fakeBackend()];
    for (const [name, backend] of Object.entries({ a, b }))
      backend.behave = (_, response) => json(response, 200, { from: name });
    const server = await startManaged({
      server: { apiKeys },
      instances: {
        a: { adapter: 'openai', baseUrl: a.url },
        b: { adapter: 'openai', baseUrl: b.url, priority: 1 },
      },
      models: { coder: { targets: ['a/m', 'b/m'] } },
    });
    const client = connectAdmin({ url: server.url, token: ADMIN_TOKEN, own: true });
    const feed = liveFeed({
      server: client,
      find: () => Promise.resolve(client),
      now: Date.now,
      key,
    });
    const before = capturedCall({ model: 'coder', path: CHAT });
    return { feed, before, a, b };
  }

  it('goes where it is routed, or to who else could answer it', async () => {
    const { feed, before, a, b } = await stage();
    const targets = await feed.actions.targets(before);
    expect(targets.map(({ instance, model }) => `${instance}/${model}`)).toEqual(['a/m', 'b/m']);
    const routed = await feed.actions.replay({ call: before, to: undefined });
    expect(routed).toMatchObject({
      status: 200,
      instance: 'a',
      model: 'm',
      answer: { text: '{"from":"a"}' },
    });
    expect(routed.duration).toBeGreaterThanOrEqual(routed.firstByte);
    const pinned = await feed.actions.replay({ call: before, to: targets[1] });
    expect(pinned).toMatchObject({ instance: 'b', answer: { text: '{"from":"b"}' } });
    const bodies = [a, b].map(({ received }) => JSON.parse(received[0]!.body.toString()) as object);
    for (const body of bodies)
      expect(body).toEqual({ ...(JSON.parse(before.request!.text!) as object), model: 'm' });
  });

  it('needs a key where the server asks for one, and never shows the admin token for it', async () => {
    const apiKeys = [{ name: 'me', key: 'sk-me' }];
    const without = await stage(undefined, apiKeys);
    await expect(
      without.feed.actions.replay({ call: without.before, to: undefined }),
    ).rejects.toThrow('set JAIROUTER_KEY to one');
    const wrong = await stage('sk-other', apiKeys);
    await expect(wrong.feed.actions.replay({ call: wrong.before, to: undefined })).rejects.toThrow(
      'does not know the API key in JAIROUTER_KEY',
    );
    const { feed, before } = await stage('sk-me', apiKeys);
    expect((await feed.actions.replay({ call: before, to: undefined })).status).toBe(200);
  });

  it('can only be pinned when its body is JSON', async () => {
    const { feed, before } = await stage();
    const form = { ...before, request: { ...before.request!, text: '--X' } };
    const to = { instance: 'a', model: 'm', remark: '' };
    await expect(feed.actions.replay({ call: form, to })).rejects.toThrow('JSON body');
  });
});
