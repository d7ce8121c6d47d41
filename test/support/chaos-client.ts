import { request as httpRequest, type Agent, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { WHOLE, WORDS } from './moods.ts';

/** The kinds of call that are mixed. */
export const KINDS = [
  'chat',
  'chat stream',
  'completions',
  'embeddings',
  'rerank',
  'upload',
] as const;
export type Kind = (typeof KINDS)[number];

const PATHS: Readonly<Record<Kind, string>> = {
  chat: '/v1/chat/completions',
  'chat stream': '/v1/chat/completions',
  completions: '/v1/completions',
  embeddings: '/v1/embeddings',
  rerank: '/v1/rerank',
  upload: '/v1/images/edits',
};

/** When a client goes away: while it sends, some milliseconds later, or at the answer's first byte. */
export type Leaves = 'sending' | 'first byte' | { readonly after: number } | undefined;

/**
 * What became of a call. `whole`: a whole answer; `told`: it broke, and the client knows;
 * `refused`: an error status; `wrong`: what must never be; `left`: the client went away.
 */
export interface Fate {
  readonly kind: 'whole' | 'told' | 'refused' | 'wrong' | 'left';
  readonly detail: string;
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  /** Milliseconds. */
  readonly duration: number;
  /** On the clock of `performance.now()`; only of one that left. */
  readonly leftAt: number | undefined;
}

export interface ChaosCall {
  readonly kind: Kind;
  /** `call-` and a number. */
  readonly id: string;
  readonly leaves: Leaves;
  /** Bytes that an upload has, and other calls are padded with. */
  readonly size: number;
  readonly agent: Agent;
}

/** Makes one call, over a real socket, and judges what came of it. */
export async function makeCall(url: string, call: ChaosCall): Promise<Fate> {
  const { kind, leaves } = call;
  const began = performance.now();
  const { contentType, body } = message(call);
  let leftAt: number | undefined;
  let status: number | undefined;
  let headers: IncomingMessage['headers'] = {};
  let text = '';
  const end = await new Promise<'ended' | 'torn' | 'no answer'>((resolve) => {
    const request = httpRequest(url + PATHS[kind], {
      method: 'POST',
      agent: call.agent,
      headers: { 'content-type': contentType, 'content-length': body.length },
    });
    const leave = (): void => {
      leftAt ??= performance.now();
      // Node may still hand out what it has read before, up to the end of the answer.
      resolve('torn');
      request.destroy();
    };
    request.on('error', () => resolve(status === undefined ? 'no answer' : 'torn'));
    request.on('response', (response) => {
      ({ statusCode: status, headers } = response);
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
        if (leaves === 'first byte') leave();
      });
      response.on('end', () => resolve('ended'));
      response.on('error', () => resolve('torn'));
      response.on('close', () => resolve('torn'));
    });
    if (leaves === 'sending') {
      request.write(body.subarray(0, body.length / 2));
      void sleep(2).then(leave);
    } else request.end(body);
    if (typeof leaves === 'object') void sleep(leaves.after).then(leave);
  });
  const fate = (kind: Fate['kind'], detail: string): Fate => ({
    kind,
    detail,
    status,
    headers,
    duration: performance.now() - began,
    leftAt,
  });
  // One that was to leave and was served before then is a call like any other.
  if (leftAt !== undefined && end !== 'ended') return fate('left', '');
  if (end === 'no answer') return fate('wrong', 'the connection ended without an answer');
  if (status !== 200) return fate('refused', `${status} ${text}`);
  return judge(kind, end, text, fate);
}

function judge(
  kind: Kind,
  end: 'ended' | 'torn',
  text: string,
  fate: (kind: Fate['kind'], detail: string) => Fate,
): Fate {
  if (kind !== 'chat stream') {
    if (end === 'torn') return fate('told', 'torn');
    return text === WHOLE ? fate('whole', '') : fate('wrong', `not the whole: ${text}`);
  }
  if (end === 'torn') return fate('wrong', `a stream was torn without an error event: ${text}`);
  const events = text.split('\n\n').filter((event) => event !== '');
  if (events.at(-1)?.includes('"error"')) return fate('told', events.at(-1)!);
  const words = events.slice(0, -1).map((event) => content(event));
  const whole = events.at(-1) === 'data: [DONE]' && words.join('') === WORDS.join('');
  return whole ? fate('whole', '') : fate('wrong', `a clean end, but not the whole: ${text}`);
}

function content(event: string): string {
  const chunk = JSON.parse(event.slice('data: '.length)) as {
    choices: { delta: { content: string } }[];
  };
  return chunk.choices[0]!.delta.content;
}

function message({ kind, id, size }: ChaosCall): { contentType: string; body: Buffer } {
  if (kind === 'upload') {
    const head = (name: string) => `--X\r\nContent-Disposition: form-data; name="${name}"`;
    const file = `${head('image')}; filename="a.png"\r\nContent-Type: image/png\r\n\r\n`;
    return {
      contentType: 'multipart/form-data; boundary=X',
      body: Buffer.concat([
        Buffer.from(`${head('model')}\r\n\r\nm\r\n${head('prompt')}\r\n\r\n${id}\r\n${file}`),
        Buffer.alloc(size, 0x61),
        Buffer.from('\r\n--X--\r\n'),
      ]),
    };
  }
  const stream = kind === 'chat stream';
  const words = `${id} ${'x'.repeat(Math.min(size, 20_000))}`;
  const fields = {
    chat: { messages: [{ role: 'user', content: words }] },
    'chat stream': { messages: [{ role: 'user', content: words }] },
    completions: { prompt: words },
    embeddings: { input: words },
    rerank: { query: id, documents: [words] },
  }[kind];
  return {
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify({ model: 'm', ...fields, ...(stream && { stream }) })),
  };
}
