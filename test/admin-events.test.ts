import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectAdmin, type AdminEvent } from '../src/commands/admin-client.ts';
import type { News, RecentCall, Status } from '../src/observe/status.ts';
import { fakeBackend } from './support/fake-backend.ts';
import {
  ADMIN_TOKEN,
  oneInstance,
  startGateway,
  until,
  type TestGateway,
} from './support/gateway.ts';

interface Watching {
  /** Everything so far. */
  readonly events: readonly AdminEvent[];
  /** Its end. */
  readonly over: Promise<void>;
  leave(): void;
}

/** Watches as the commands do. */
function watch(gateway: Pick<TestGateway, 'url'>, after?: string): Watching {
  const client = connectAdmin({ url: gateway.url, token: ADMIN_TOKEN, own: true });
  const events: AdminEvent[] = [];
  const stop = new AbortController();
  const over = client.events({
    after,
    signal: stop.signal,
    onEvent: (event) => void events.push(event),
  });
  onTestFinished(() => stop.abort());
  return { events, over, leave: () => stop.abort() };
}

const of = (kind: string, { events }: Watching) => events.filter(({ event }) => event === kind);
const idsOf = ({ events }: Watching) => events.flatMap(({ id }) => (id === undefined ? [] : [id]));

async function gatewayWithCalls(count: number): Promise<TestGateway> {
  const backend = await fakeBackend();
  const gateway = await startGateway(oneInstance(backend.url));
  for (let n = 0; n < count; n++) await call(gateway);
  await until(() => gateway.outcomes.length === count);
  return gateway;
}

async function call(gateway: TestGateway): Promise<void> {
  await (await gateway.post('/v1/chat/completions', { model: 'm' })).text();
}

describe('events', () => {
  it('begin with how things are and what was, and go on with what comes', async () => {
    const gateway = await gatewayWithCalls(2);
    gateway.gateway.observe.news({ kind: 'config', level: 'warn', message: 'a word' });
    const watching = watch(gateway);
    await until(() => of('news', watching).some(({ data }) => (data as News).message === 'a word'));
    const [first, ...rest] = watching.events;
    expect(first).toMatchObject({ event: 'snapshot', id: undefined });
    expect((first!.data as Status).totals.calls).toBe(2);
    expect(rest.filter(({ event }) => event === 'call')).toHaveLength(2);
    await call(gateway);
    await until(() => of('call', watching).length === 3);
    const last = of('call', watching).at(-1)!;
    expect(last.data).toMatchObject({ model: 'm', instance: 'a', ending: 'ok' });
    expect(last.id).toBe(String((last.data as RecentCall).seq));
    const ids = idsOf(watching).map(Number);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    await until(() => of('snapshot', watching).length >= 3);
    expect((of('snapshot', watching).at(-1)!.data as Status).totals.calls).toBe(3);
  });

  it('go on where a watcher left off, without a gap and nothing twice', async () => {
    const gateway = await gatewayWithCalls(5);
    const whole = watch(gateway);
    await until(() => of('call', whole).length === 5);
    const ids = idsOf(whole);
    whole.leave();
    await whole.over;
    await call(gateway);
    await until(() => gateway.outcomes.length === 6);
    const resumed = watch(gateway, ids.at(-3));
    await until(() => of('call', resumed).length >= 3);
    await sleep(50);
    expect(idsOf(resumed)).toEqual([...ids.slice(-2), String(Number(ids.at(-1)) + 1)]);
    // One of another run, or none at all, is no place to go on from.
    for (const after of ['999999', 'abc', '-1']) {
      const fresh = watch(gateway, after);
      await until(() => of('call', fresh).length === 6);
      fresh.leave();
    }
  });

  it('show soon what there is news of, before the next second is over', async () => {
    const gateway = await gatewayWithCalls(0);
    const watching = watch(gateway);
    const times = () => of('snapshot', watching).map(({ data }) => (data as Status).now);
    const gaps: number[] = [];
    // A crowded machine may be late once, but not each time.
    for (let round = 0; round < 3; round += 1) {
      const before = times().length;
      await until(() => times().length > before);
      gateway.gateway.observe.news({ kind: 'server', level: 'info', message: 'now' });
      await until(() => times().length > before + 1);
      gaps.push(times()[before + 1]! - times()[before]!);
    }
    expect(Math.min(...gaps)).toBeLessThan(800);
  });

  it('need the token, and are none for a HEAD', async () => {
    const gateway = await startGateway({});
    expect((await fetch(`${gateway.url}/admin/events`)).status).toBe(401);
    const head = await gateway.admin('HEAD /admin/events');
    expect(head.headers.get('content-type')).toBe('text/event-stream');
    expect(await head.text()).toBe('');
  });

  it('end with the server', async () => {
    const gateway = await startGateway({});
    const watching = watch(gateway);
    await until(() => watching.events.length > 0);
    await gateway.close(0);
    await expect(watching.over).resolves.toBeUndefined();
  });
});

describe('watchers', () => {
  it('share one timer, which goes with the last of them', async () => {
    const gateway = await startGateway({});
    const started = vi.spyOn(globalThis, 'setInterval');
    const stopped = vi.spyOn(globalThis, 'clearInterval');
    onTestFinished(() => void vi.restoreAllMocks());
    const watchers = [watch(gateway), watch(gateway), watch(gateway)];
    await until(() => watchers.every(({ events }) => events.length > 1));
    expect(started.mock.calls.filter(([, delay]) => delay === 1000)).toHaveLength(1);
    const timer: unknown = started.mock.results.at(-1)!.value;
    const isStopped = () => stopped.mock.calls.some(([given]) => given === timer);
    for (const watcher of watchers.slice(1)) watcher.leave();
    await Promise.all(watchers.slice(1).map(({ over }) => over));
    await sleep(50);
    expect(isStopped()).toBe(false);
    watchers[0]!.leave();
    await until(isStopped);
  });

  it('who do not read are dropped, and cost the others nothing', async () => {
    const gateway = await startGateway({});
    const lazy = connect(gateway.port, '127.0.0.1');
    lazy.on('error', () => {});
    lazy.pause();
    lazy.write(
      `GET /admin/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${ADMIN_TOKEN}\r\n\r\n`,
    );
    const eager = watch(gateway);
    await until(() => eager.events.length > 0);
    let closed = false;
    lazy.on('close', () => (closed = true));
    const lines = ['x'.repeat(100_000)];
    const { observe } = gateway.gateway;
    for (let n = 1; n <= 300; n++) {
      observe.news({ kind: 'config', level: 'info', message: String(n), lines });
      await until(() => of('news', eager).length === n);
    }
    expect(of('news', eager)).toHaveLength(300);
    // What had gone out to it before is all that is left to read.
    let read = 0;
    lazy.on('data', (chunk: Buffer) => (read += chunk.length));
    lazy.resume();
    await until(() => closed);
    expect(read).toBeLessThan(300 * 100_000);
  });
});
