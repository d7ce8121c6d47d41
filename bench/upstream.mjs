/**
 * The backend of the bench, in a process of its own: OpenAI's shapes, answered at once.
 * Writes its port on stdout.
 */
import { createServer } from 'node:http';
import { ANSWER, MODEL, streamOf } from './shapes.mjs';

const MODELS = JSON.stringify({
  object: 'list',
  data: [{ id: MODEL, object: 'model', created: 1, owned_by: 'bench' }],
});
/** Milliseconds between chunks, for those who do not say. */
const PACE = 10;
/** @type {Map<number, Buffer[]>} */
const streams = new Map();

const server = createServer((req, res) => {
  const path = req.url ?? '';
  if (req.method === 'POST' && path.endsWith('/chat/completions')) return read(req, res);
  if (path.endsWith('/v1/models')) return answer(res, 200, MODELS);
  if (path === '/health') return answer(res, 200, '{}');
  return answer(res, 404, '{"error":{"message":"not found","type":"invalid_request_error"}}');
});
// A time-out here would look like a proxy's fault.
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));

function answer(res, status, body) {
  res.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  res.end(body);
}

function read(req, res) {
  /** @type {Buffer[]} */
  const parts = [];
  let size = 0;
  req.on('data', (part) => {
    size += part.length;
    // Streams are asked for with short bodies; a long one is only drained.
    if (size < 4096) parts.push(part);
  });
  req.on('end', () => {
    const asked = size < 4096 ? JSON.parse(Buffer.concat(parts).toString()) : {};
    // Not every API has a seed that could be translated.
    if (asked.stream) stream(res, asked.max_tokens, asked.seed ?? PACE);
    else answer(res, 200, ANSWER);
  });
}

function stream(res, chunks, every) {
  if (!streams.has(chunks)) streams.set(chunks, streamOf(chunks));
  const events = streams.get(chunks);
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  if (every === 0) {
    for (const event of events) res.write(event);
    res.end();
    return;
  }
  let next = 0;
  const timer = setInterval(() => {
    res.write(events[next++]);
    if (next < events.length) return;
    clearInterval(timer);
    res.end();
  }, every);
  res.on('close', () => clearInterval(timer));
}
