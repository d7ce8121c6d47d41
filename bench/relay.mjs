/**
 * The bare Node relay that jairouter is measured against, in a process of its own: what a proxy
 * must do at the least (read the body, parse it, pass the answer on with backpressure), and
 * nothing else. Takes the upstream's origin as its argument, writes its port on stdout.
 */
import { createServer } from 'node:http';
import { Pool } from 'undici';

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host']);
const pool = new Pool(process.argv[2], { connections: null, headersTimeout: 0, bodyTimeout: 0 });

const server = createServer((req, res) => {
  /** @type {Buffer[]} */
  const parts = [];
  req.on('data', (part) => parts.push(part));
  req.on('end', () => {
    const body = Buffer.concat(parts);
    try {
      if (body.length > 0) JSON.parse(body.toString());
    } catch {
      res.writeHead(400).end();
      return;
    }
    pool.dispatch(
      { path: req.url, method: req.method, headers: endToEnd(req.headers), body },
      relayTo(res),
    );
  });
});
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));

function endToEnd(headers) {
  const kept = {};
  for (const name in headers) {
    if (!HOP_BY_HOP.has(name) && name !== 'content-length') kept[name] = headers[name];
  }
  return kept;
}

function relayTo(res) {
  return {
    onRequestStart(controller) {
      res.on('close', () => {
        if (!res.writableFinished) controller.abort(new Error('the client left'));
      });
      res.on('drain', () => controller.resume());
    },
    onResponseStart(_, status, headers) {
      for (const name of HOP_BY_HOP) delete headers[name];
      res.writeHead(status, headers);
    },
    onResponseData(controller, chunk) {
      if (!res.write(chunk)) controller.pause();
    },
    onResponseEnd() {
      res.end();
    },
    onResponseError(_, error) {
      if (res.headersSent) res.destroy(error);
      else res.writeHead(502).end();
    },
  };
}
