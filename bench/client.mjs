/** The load: closed loops over keep-alive connections, each answer looked at. */
import { Pool } from 'undici';
import { chatBody, streamOf } from './shapes.mjs';

const CHAT = '/v1/chat/completions';

/**
 * @param {{ origin: string, headers: Record<string, string>, path?: string }} target
 *   `path`: where it is called; absent: for chat completions.
 * @param {number} connections
 */
export function connect(target, connections) {
  const pool = new Pool(target.origin, {
    connections,
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
  });
  const headers = {
    'content-type': 'application/json',
    authorization: 'Bearer bench',
    ...target.headers,
  };
  return {
    /** @param {Buffer} body @param {(chunk: Buffer) => void} [onChunk] */
    call: (body, onChunk) => call(pool, { path: target.path ?? CHAT, headers, body }, onChunk),
    close: () => pool.destroy(),
  };
}

/**
 * One chat call.
 * @returns {Promise<{ first: number, total: number, bytes: number }>} Milliseconds to the answer's
 *   first byte and to its end. Rejects on any status but 200.
 */
function call(pool, { path, headers, body }, onChunk) {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let first = 0;
    let bytes = 0;
    pool.dispatch(
      { path, method: 'POST', headers, body },
      {
        onRequestStart() {},
        onResponseStart(controller, status) {
          if (status !== 200) controller.abort(new Error(`it answered with status ${status}`));
        },
        onResponseData(_, chunk) {
          if (bytes === 0) first = performance.now() - start;
          bytes += chunk.length;
          onChunk?.(chunk);
        },
        onResponseEnd() {
          resolve({ first, total: performance.now() - start, bytes });
        },
        onResponseError(_, error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      },
    );
  });
}

/**
 * Calls on `connections` connections for `ms` milliseconds.
 * @returns {Promise<{ calls: number, perSecond: number }>}
 */
export async function saturate(target, { body, connections, ms }) {
  const { call, close } = connect(target, connections);
  try {
    const start = performance.now();
    let calls = 0;
    const loop = async () => {
      while (performance.now() - start < ms) {
        await call(body);
        calls++;
      }
    };
    await Promise.all(Array.from({ length: connections }, loop));
    return { calls, perSecond: (calls / (performance.now() - start)) * 1000 };
  } finally {
    await close();
  }
}

/**
 * Calls one after the other on one connection.
 * @returns {Promise<{ first: number[], total: number[] }>} Milliseconds of each call.
 */
export async function oneByOne(target, { body, calls }) {
  const { call, close } = connect(target, 1);
  try {
    // The first call opens the connection, here and behind the proxy.
    for (let n = 0; n < 5; n++) await call(body);
    const times = { first: [], total: [] };
    for (let n = 0; n < calls; n++) {
      const { first, total } = await call(body);
      times.first.push(first);
      times.total.push(total);
    }
    return times;
  } finally {
    await close();
  }
}

/**
 * Opens `count` streams at once and reads them to their ends.
 * @param {{ body: Buffer, count: number, expected?: Buffer, onOpen?: () => void }} options
 *   `expected`: what must come; absent: nobody looks. `onOpen` is called once, when each stream has
 *   had its first event.
 * @returns {Promise<{ lost: number, rewritten: boolean, broken?: Error }>} Bytes that did not come,
 *   over all streams; whether some came that are not those expected; why a stream broke.
 */
export async function streams(target, { body, count, expected = Buffer.alloc(0), onOpen }) {
  const { call, close } = connect(target, count);
  try {
    let open = 0;
    let lost = 0;
    let rewritten = false;
    const one = async () => {
      let at = 0;
      const check = (chunk) => {
        if (at === 0 && ++open === count) onOpen?.();
        rewritten ||=
          expected.length > 0 &&
          chunk.compare(expected, at, Math.min(at + chunk.length, expected.length)) !== 0;
        at += chunk.length;
      };
      try {
        await call(body, check);
      } finally {
        lost += Math.max(0, expected.length - at);
      }
    };
    const results = await Promise.allSettled(Array.from({ length: count }, one));
    const broken = results.find(({ status }) => status === 'rejected')?.reason;
    return { lost, rewritten, broken };
  } finally {
    await close();
  }
}

/** Lets the compiler of a fresh process do its work. Rejects when the target answers no calls. */
export async function warmUp(target) {
  await saturate(target, { body: chatBody(), connections: 32, ms: 1500 });
  const expected = Buffer.concat(streamOf(3));
  // One that can't stream is left out of the measures that need it, by those themselves.
  await streams(target, { body: chatBody({ chunks: 3, every: 5 }), count: 20, expected });
}
