import { request as httpRequest } from 'node:http';
import type { ServerResponse } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { readStatus } from '../src/http/status.ts';
import { expectTold, nothingSeen, seeError, type Seen } from './support/counting.ts';
import { fakeBackend, startEvents, type Received } from './support/fake-backend.ts';
import { startGateway, until } from './support/gateway.ts';

const KEY = 'sk-mine';
const BOUNDARY = 'the-boundary';
const user = (content: string) => [{ role: 'user', content }];

/** What each of the APIs is asked; all but the first have to be translated. */
const DIALECTS = {
  '/v1/chat/completions': (text: string, stream: boolean) => ({ messages: user(text), stream }),
  '/v1/messages': (text: string, stream: boolean) => ({
    messages: user(text),
    stream,
    max_tokens: 50,
  }),
  '/v1/responses': (text: string, stream: boolean) => ({ input: text, stream }),
  '/api/chat': (text: string, stream: boolean) => ({ messages: user(text), stream }),
  '/api/generate': (text: string, stream: boolean) => ({ prompt: text, stream }),
} as const;
const UPLOADS = ['/v1/audio/transcriptions', '/v1/images/edits'] as const;

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

const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const DONE = 'data: [DONE]\n\n';
const TOKENS = [0, 1, 2].map((index) => chunk({ content: `token${index} ` }));

/** What a backend saw, and how it behaves: every third call fails on one that is not sound. */
function backendOf(sound: boolean) {
  const seen = nothingSeen();
  const behave = async ({ path, body }: Received, response: ServerResponse): Promise<void> => {
    seen.calls += 1;
    seen.bytesIn += body.length;
    const kind = /kind: ([^;]+);/.exec(body.toString('latin1'))![1] as Kind;
    let torn = false;
    response.on('close', () => {
      if (!response.writableFinished && !torn) seen.aborted += 1;
    });
    const write = (text: string): void => {
      seen.bytesOut += text.length;
      response.write(text);
    };
    const answer = (status: number, told: object): void => {
      const text = JSON.stringify(told);
      seen.bytesOut += text.length;
      response.writeHead(status, { 'content-type': 'application/json' }).end(text);
      if (status === 200) return;
      seen.failed += 1;
      seeError(seen, String(status));
    };
    if (kind === 'leaves early') return;
    if (!sound && seen.calls % 3 === 0 && !KINDS[kind].stream) {
      answer(500, { error: { message: 'no' } });
      return;
    }
    if (kind === 'refused') {
      answer(400, { error: { message: 'no', type: 'invalid_request_error' } });
      return;
    }
    if (!KINDS[kind].stream) {
      seen.ok += 1;
      seen.tokensIn += 11;
      seen.tokensOut += 5;
      const counted = { input_tokens: 11, output_tokens: 5, total_tokens: 16 };
      if (path.endsWith('transcriptions')) answer(200, { text: 'Hello', usage: counted });
      else if (path.endsWith('edits'))
        answer(200, { data: [{ b64_json: 'aGk=' }], usage: counted });
      else {
        const message = { role: 'assistant', content: 'Hello' };
        const usage = { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 };
        answer(200, { id: 'c', choices: [{ index: 0, message, finish_reason: 'stop' }], usage });
      }
      return;
    }
    startEvents(response);
    for (const token of TOKENS) write(token);
    if (kind === 'leaves midway') {
      seen.tokensGuessed += TOKENS.length;
      return;
    }
    await sleep(2);
    if (kind === 'torn') {
      torn = true;
      seen.broken += 1;
      seeError(seen, 'upstream_unreachable');
      seen.tokensGuessed += TOKENS.length;
      response.end();
      return;
    }
    seen.ok += 1;
    write(chunk({}, 'stop'));
    if (kind === 'uncounted') seen.tokensGuessed += TOKENS.length + 2;
    else {
      seen.tokensIn += 11;
      seen.tokensOut += 5;
      const usage = { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 };
      write(`data: ${JSON.stringify({ id: 'c', model: 'm', choices: [], usage })}\n\n`);
    }
    write(DONE);
    response.end();
  };
  return { seen, behave };
}

/** How the last number of that name, in any of the dialects, stands in an answer. */
function lastNumber(text: string, names: string): number {
  const found = [...text.matchAll(new RegExp(`"(?:${names})":(\\d+)`, 'g'))].at(-1);
  return Number(found?.[1] ?? 0);
}

interface Sent {
  readonly path: string;
  readonly body: Buffer | string;
  readonly type?: string;
  readonly key?: string;
  /** Bytes that the head promises, when they are more than come. */
  readonly length?: number;
  /** It leaves when this holds of what it got so far. */
  readonly leaves?: (text: string) => boolean;
  /** What goes wrong, where the answer does not tell. */
  readonly error?: string;
  /** Its body is refused, or never whole. */
  readonly unread?: boolean;
}

/** A call, seen from the client: it takes note of all that it gets. */
function call(url: string, seen: Seen, sent: Sent): Promise<void> {
  seen.calls += 1;
  if (!sent.unread) seen.bytesIn += Buffer.byteLength(sent.body);
  return new Promise((resolve) => {
    const request = httpRequest(url + sent.path, {
      method: 'POST',
      headers: {
        'content-type': sent.type ?? 'application/json',
        'content-length': sent.length ?? Buffer.byteLength(sent.body),
        'x-request-id': `call-${seen.calls}`,
        authorization: `Bearer ${sent.key ?? KEY}`,
      },
    });
    let text = '';
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      seen.bytesOut += Buffer.byteLength(text);
      request.destroy();
      resolve();
    };
    request.on('error', () => {});
    request.on('response', (response) => {
      response.on('error', () => {});
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => {
        if (over) return;
        const { statusCode: status } = response;
        const cut = /^event: error|"response.failed"|"error":[{"]/m.test(text) && status === 200;
        if (cut) seen.broken += 1;
        else if (status === 200) seen.ok += 1;
        else seen.failed += 1;
        if (cut) seeError(seen, 'upstream_unreachable');
        else if (status !== 200) seeError(seen, sent.error ?? String(status));
        else {
          seen.tokensIn += lastNumber(text, 'prompt_tokens|input_tokens|prompt_eval_count');
          seen.tokensOut += lastNumber(text, 'completion_tokens|output_tokens|eval_count');
        }
        end();
      });
    });
    if (sent.length === undefined) request.end(sent.body);
    else request.write(sent.body);
    const { leaves } = sent;
    if (!leaves) return;
    const depart = (): void => {
      if (!over) seen.aborted += 1;
      end();
    };
    const look = (): void => {
      // What came with it is on its way.
      if (leaves(text)) setTimeout(depart, 20);
      else if (!over) setTimeout(look, 2);
    };
    look();
  });
}

/** Takes connections, and says nothing: a client that wants TLS waits for it. */
async function silentPort(): Promise<number> {
  const server = createServer((socket) => {
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

it('what the server tells of calls that it translates, of uploads and of clients that leave in any phase is what was seen outside', async () => {
  const sound = backendOf(true);
  const unsound = backendOf(false);
  const [first, second] = [await fakeBackend(sound.behave), await fakeBackend(unsound.behave)];
  const server = await startGateway(
    {
      server: { apiKeys: [{ name: 'me', key: KEY }], maxBodySize: '200kb' },
      defaults: {
        loadBalance: 'round-robin',
        circuitBreaker: { failureThreshold: 1000, failureRate: 1, minimumCalls: 10_000 },
        retry: { attempts: 2 },
      },
      services: { rerank: { rateLimit: { rate: '1/h', per: 'key' } } },
      instances: {
        first: { adapter: 'openai', baseUrl: first.url },
        second: { adapter: 'openai', baseUrl: second.url },
        silent: {
          adapter: 'openai',
          baseUrl: `https://127.0.0.1:${await silentPort()}`,
          models: ['silent'],
          health: { timeout: '1m', interval: '1h' },
          timeouts: { connect: '1m' },
        },
      },
    },
    { probed: false },
  );
  const { gateway, url } = server;
  await until(() =>
    ['first', 'second'].every((name) => gateway.fleet.get(name)!.state === 'healthy'),
  );
  const seen = nothingSeen();
  const phaseOf = (id: string) => readStatus(gateway).running.find((one) => one.id === id)?.phase;
  const next = () => `call-${seen.calls + 1}`;
  const leavesFrom = (kind: Kind): Sent['leaves'] => {
    const id = next();
    const has = ({ received }: { received: readonly Received[] }) =>
      received.some(({ headers }) => headers['x-request-id'] === id);
    if (kind === 'leaves early') return () => [first, second].some(has);
    return kind === 'leaves midway' ? (text) => text.includes('token2') : undefined;
  };
  const converse = (path: keyof typeof DIALECTS, kind: Kind) => {
    const asked = DIALECTS[path](`Grüße! kind: ${kind};`, KINDS[kind].stream);
    const body = JSON.stringify({ model: 'm', ...asked });
    const leaves = leavesFrom(kind);
    return call(url, seen, { path, body, ...(leaves && { leaves }) });
  };
  const upload = (path: string, kind: Kind, more: Partial<Sent> = {}) => {
    const part = (name: string, value: string, file = '') =>
      `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"${file}\r\n\r\n${value}\r\n`;
    const body = Buffer.from(
      `${part('model', 'm')}${part('prompt', `kind: ${kind};`)}${part('file', 'x'.repeat(50_000), '; filename="a.bin"')}--${BOUNDARY}--\r\n`,
    );
    const leaves = leavesFrom(kind);
    const type = `multipart/form-data; boundary=${BOUNDARY}`;
    return call(url, seen, { path, body, type, ...(leaves && { leaves }), ...more });
  };

  for (let round = 0; round < 3; round++) {
    for (const path of Object.keys(DIALECTS) as (keyof typeof DIALECTS)[]) {
      await Promise.all((Object.keys(KINDS) as Kind[]).map((kind) => converse(path, kind)));
    }
    for (const path of UPLOADS) {
      const kinds = ['whole', 'refused', 'leaves early', 'whole'] as const;
      await Promise.all(kinds.map((kind) => upload(path, kind)));
    }
  }
  // Refused before anybody is asked, in the words of each API.
  const refused = (['/v1/messages', '/v1/responses', '/api/chat'] as const).flatMap((path) => {
    const body = JSON.stringify({ model: 'nobody', ...DIALECTS[path]('Hello', false) });
    return [
      { path, body, error: 'model_not_found' },
      { path, body, error: 'invalid_api_key', key: 'sk-wrong', unread: true },
      { path, body: '{"model":', error: 'invalid_json' },
    ];
  });
  await Promise.all(refused.map((sent) => call(url, seen, sent)));
  const query = JSON.stringify({ model: 'm', query: 'kind: refused;', documents: ['a'] });
  for (const error of ['400', 'rate_limit_exceeded'])
    await call(url, seen, { path: '/v1/rerank', body: query, error });
  await upload('/v1/audio/transcriptions', 'whole', {
    body: Buffer.alloc(300_000, 'x'),
    error: 'request_too_large',
    unread: true,
  });
  // Clients that leave while they still send, and while there is no connection yet.
  for (const path of [...UPLOADS, '/v1/messages']) {
    const id = next();
    const leaves = () => phaseOf(id) === 'reading';
    await call(url, seen, { path, body: '{"mo', length: 50_000, unread: true, leaves });
  }
  for (const path of ['/v1/messages', '/v1/chat/completions'] as const) {
    const id = next();
    const body = JSON.stringify({ model: 'silent', ...DIALECTS[path]('Hello', true) });
    await call(url, seen, { path, body, leaves: () => phaseOf(id) === 'connecting' });
  }
  await until(() => readStatus(gateway).totals.calls === seen.calls);
  await until(() => readStatus(gateway).inFlight === 0);
  const left = () => readStatus(gateway).instances.map(({ totals: { aborted } }) => aborted);
  await until(() => left().join() === [sound.seen.aborted, unsound.seen.aborted, 2].join()).catch(
    () => {},
  );

  // What a backend did not count, no client can.
  seen.tokensGuessed = sound.seen.tokensGuessed + unsound.seen.tokensGuessed;
  const silent = { ...nothingSeen(), calls: 2, aborted: 2 };
  await expectTold(server, seen, { first: sound.seen, second: unsound.seen, silent });
  expect(unsound.seen.errors['500']).toBeGreaterThan(2);
}, 30_000);
