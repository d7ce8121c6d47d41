import { request as httpRequest } from 'node:http';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { readStatus } from '../src/http/status.ts';
import { expectTold, nothingSeen, seeError, type Seen } from './support/counting.ts';
import { chatChunk, fakeBackend, startEvents, type Received } from './support/fake-backend.ts';
import { startGateway, until } from './support/gateway.ts';

const CALLS = 400;
const WORKERS = 12;
const CHAT = '/v1/chat/completions';

/** How a call is to go; the backend reads it from the prompt. */
const KINDS = {
  whole: { stream: false },
  streamed: { stream: true },
  uncounted: { stream: true },
  refused: { stream: false },
  torn: { stream: true },
  'leaves early': { stream: false },
  'leaves midway': { stream: true },
} as const;
type Kind = keyof typeof KINDS;

const BACKEND_CODE = 'backend_says_no';
const error = { message: 'no', code: BACKEND_CODE };
const usage = { prompt_tokens: 11, completion_tokens: 5 };
const events = (count: number) =>
  Array.from({ length: count }, (_, index) => chatChunk(`${index}`)).join('');

/** What a backend saw, and how it behaves: every third call fails on one that is not sound. */
function backendOf(sound: boolean) {
  const seen = nothingSeen();
  const fail = (kind: string): void => {
    seen.failed += 1;
    seeError(seen, kind);
  };
  const behave = async ({ body }: Received, response: ServerResponse): Promise<void> => {
    seen.calls += 1;
    seen.bytesIn += body.length;
    const text = body.toString();
    const kind = /kind: ([^;]+);/.exec(text)?.[1] as Kind;
    response.on('close', () => {
      if (!response.writableFinished && !torn) seen.aborted += 1;
    });
    let torn = false;
    const end = (answer: string): void => {
      seen.bytesOut += answer.length;
      response.end(answer);
    };
    if (kind === 'leaves early') return;
    if (text.includes('late') && !sound) {
      await sleep(1500);
      if (response.destroyed) return;
    }
    if (!sound && !text.includes('holds') && !text.includes('late') && seen.calls % 3 === 0) {
      if (seen.calls % 2 === 0) {
        torn = true;
        fail('upstream_unreachable');
        // With a part of its head: a socket that closes without a byte may just have been stale,
        // and then the attempt has another one.
        response.socket!.end('HTTP/1.1 200 OK');
        return;
      }
      fail('500');
      response.writeHead(500, { 'content-type': 'application/json' });
      end(JSON.stringify({ error }));
      return;
    }
    if (kind === 'refused') {
      fail('400');
      response.writeHead(400, { 'content-type': 'application/json' });
      end(JSON.stringify({ error }));
      return;
    }
    if (!KINDS[kind].stream) {
      seen.ok += 1;
      seen.tokensIn += 11;
      seen.tokensOut += 5;
      response.writeHead(200, { 'content-type': 'application/json' });
      end(JSON.stringify({ choices: [], usage }));
      return;
    }
    startEvents(response);
    const first = events(3);
    seen.bytesOut += first.length;
    response.write(first);
    if (kind === 'leaves midway') {
      seen.tokensGuessed += 3;
      return;
    }
    await sleep(2);
    if (kind === 'torn') {
      seen.broken += 1;
      seeError(seen, 'upstream_unreachable');
      seen.tokensGuessed += 3;
      end('');
      return;
    }
    seen.ok += 1;
    if (kind === 'uncounted') seen.tokensGuessed += 4;
    else {
      seen.tokensIn += 11;
      seen.tokensOut += 5;
    }
    end(
      kind === 'uncounted'
        ? 'data: [DONE]\n\n'
        : `data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`,
    );
  };
  return { seen, behave };
}

interface Leaving {
  readonly seen: Seen;
  readonly leave?: 'early' | 'midway' | undefined;
  /** When it leaves midway: not before this. */
  readonly stays?: Promise<void> | undefined;
  /** Whether the server has got the call, and it waits. */
  readonly waits: (id: string) => boolean;
}

/** A call, seen from the client: it takes note of all that it gets. */
function call(url: string, body: string, { seen, leave, stays, waits }: Leaving): Promise<void> {
  seen.calls += 1;
  seen.bytesIn += body.length;
  const id = `call-${seen.calls}`;
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'x-request-id': id };
    const request = httpRequest(url, { method: 'POST', headers });
    let text = '';
    let over = false;
    const depart = (): void => {
      over = true;
      seen.aborted += 1;
      seen.bytesOut += text.length;
      seen.tokensGuessed += eventsIn(text);
      request.destroy();
      resolve();
    };
    request.on('error', () => {});
    request.on('response', (response) => {
      response.on('error', () => {});
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (leave === 'midway' && eventsIn(text) === 3) void Promise.resolve(stays).then(depart);
      });
      response.on('end', () => {
        over = true;
        seen.bytesOut += text.length;
        tell(seen, response.statusCode!, text);
        resolve();
      });
    });
    request.end(body);
    if (leave !== 'early') return;
    const look = (): void => {
      if (waits(id)) depart();
      else if (!over) setTimeout(look, 2);
    };
    look();
  });
}

function eventsIn(text: string): number {
  return text.match(/^data: /gm)?.length ?? 0;
}

/** Reads an answer as its client would. */
function tell(seen: Seen, status: number, text: string): void {
  const told = /"error":\{.*?"code":"(\w+)"/.exec(text)?.[1];
  const counted = /"prompt_tokens":(\d+),"completion_tokens":(\d+)/.exec(text);
  seen.tokensIn += Number(counted?.[1] ?? 0);
  seen.tokensOut += Number(counted?.[2] ?? 0);
  if (status === 200 && told === undefined) seen.ok += 1;
  else {
    if (status === 200) seen.broken += 1;
    else seen.failed += 1;
    const kind = told === undefined || told === BACKEND_CODE ? String(status) : told;
    seeError(seen, kind);
  }
  // The error's own event is ours, and no token.
  const own = status === 200 && told !== undefined ? 1 : 0;
  if (!counted) seen.tokensGuessed += eventsIn(text) - own;
}

it('what the server tells of itself is what clients and backends saw, to the last call, token and byte', async () => {
  const sound = backendOf(true);
  const unsound = backendOf(false);
  const [first, second] = [await fakeBackend(sound.behave), await fakeBackend(unsound.behave)];
  const server = await startGateway({
    defaults: {
      loadBalance: 'round-robin',
      circuitBreaker: { failureThreshold: 1000, failureRate: 1, minimumCalls: 10_000 },
    },
    services: {
      chat: { queue: { size: 4, maxWait: '10s' } },
      embeddings: { hedge: { after: '300ms' } },
      rerank: { rateLimit: { rate: '1/h', capacity: 2 } },
    },
    instances: {
      first: { adapter: 'openai', baseUrl: first.url, maxConcurrency: 3 },
      second: { adapter: 'openai', baseUrl: second.url, maxConcurrency: 3 },
    },
  });
  const { gateway, url } = server;
  const seen = nothingSeen();
  // A client that leaves while its call is on its way would leave it open who has seen it.
  let leavesQueue = false;
  const waits = (id: string): boolean =>
    [first, second].some(({ received }) =>
      received.some(({ headers }) => headers['x-request-id'] === id),
    ) ||
    (leavesQueue &&
      readStatus(gateway).running.some((one) => one.id === id && one.phase === 'queued'));
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const kinds = Object.keys(KINDS) as Kind[];
  const chat = (kind: Kind, more = '') => {
    const { stream } = KINDS[kind];
    const messages = [{ role: 'user', content: `kind: ${kind}; ${more}` }];
    return call(url + CHAT, JSON.stringify({ model: 'm', stream, messages }), {
      seen,
      waits,
      stays: more === 'holds' ? released : undefined,
      leave: kind === 'leaves early' ? 'early' : kind === 'leaves midway' ? 'midway' : undefined,
    });
  };
  const embed = () =>
    call(`${url}/v1/embeddings`, JSON.stringify({ model: 'm', input: 'kind: whole; late' }), {
      seen,
      waits,
    });
  const others = [
    () => call(url + CHAT, '{', { seen, waits }),
    () => call(url + CHAT, JSON.stringify({ model: 'nobody', messages: [] }), { seen, waits }),
    () =>
      call(`${url}/v1/rerank`, JSON.stringify({ model: 'm', query: 'kind: refused;' }), {
        seen,
        waits,
      }),
  ];

  // Failovers, queue waits and refusals, clients that leave, streams that break.
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < CALLS; index = next++) {
      if (index % 10 === 9) await others[Math.floor(index / 10) % others.length]!();
      else await chat(kinds[index % kinds.length]!);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  await until(() => readStatus(gateway).inFlight === 0);
  // Clients that leave the queue, while those who hold all the room stay.
  const holders = Array.from({ length: 6 }, () => chat('leaves midway', 'holds'));
  await until(() => readStatus(gateway).running.filter(({ events: n }) => n === 3).length === 6);
  leavesQueue = true;
  await Promise.all([chat('leaves early'), chat('leaves early')]);
  await until(() => readStatus(gateway).inFlight === 6);
  release();
  await Promise.all(holders);
  await until(() => readStatus(gateway).inFlight === 0);
  // Hedges: the second instance is late, and the first is idle.
  for (let index = 0; index < 6; index++) await embed();
  await until(() => readStatus(gateway).totals.calls === seen.calls);
  await until(() => readStatus(gateway).inFlight === 0);
  // The backends hear of the last ones that left.
  const left = () => readStatus(gateway).instances.map(({ totals: { aborted } }) => aborted);
  await until(() => left().join() === [sound.seen.aborted, unsound.seen.aborted].join()).catch(
    () => {},
  );

  // It was a mixed load indeed.
  const { models } = readStatus(gateway);
  const calls = gateway.observe.recent();
  const attempts = calls.flatMap((one) => one.attempts);
  for (const ending of ['ok', 'failed', 'broken', 'aborted'] as const)
    expect(seen[ending]).toBeGreaterThan(10);
  expect(attempts.some(({ why }) => why.endsWith('was late'))).toBe(true);
  expect(attempts.some(({ error: lost }) => lost?.includes('faster'))).toBe(true);
  expect(attempts.some(({ why }) => why.includes('failed'))).toBe(true);
  expect(calls.some(({ waited }) => waited > 1)).toBe(true);
  expect(Object.keys(seen.errors)).toEqual(
    expect.arrayContaining(['invalid_json', 'model_not_found', 'rate_limit_exceeded', '400']),
  );

  // Models: all calls but those for what nobody has.
  expect(models).toMatchObject([{ model: 'm' }]);
  expect(models[0]!.totals.calls).toBe(
    seen.calls - seen.errors['invalid_json']! - seen.errors['model_not_found']!,
  );

  await expectTold(server, seen, { first: sound.seen, second: unsound.seen });
}, 30_000);
