import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { METRICS_TYPE, metricsText } from '../observe/metrics/text.ts';
import { authenticate, checkBrowser, isAdmin } from './auth.ts';
import type { Gateway } from './gateway.ts';
import { asHttpError } from './internal-error.ts';
import { sendJson } from './json-answer.ts';
import { readStatus } from './status.ts';

/**
 * Answers `GET /metrics`. Open while no API keys are set, as nothing else needs one then; with keys
 * it takes any of them, or the admin token. Rejects only on a bug.
 */
export async function answerMetrics(
  gateway: Gateway,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { server } = gateway.snapshot.config;
  let headers: OutgoingHttpHeaders = {};
  try {
    headers = checkBrowser(request, server);
    if (!isAdmin(request.headers, gateway)) authenticate(request.headers, server);
    const text = await metricsText({ observe: gateway.observe, status: readStatus(gateway) });
    response.writeHead(200, {
      ...headers,
      'content-type': METRICS_TYPE,
      'content-length': Buffer.byteLength(text),
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  } catch (thrown) {
    const error = asHttpError(gateway, thrown);
    gateway.log.say('warn', `${error.status} ${request.method} /metrics: ${error.message}`);
    sendJson(response, error.status, { error: error.body }, { ...headers, ...error.headers });
  }
}
