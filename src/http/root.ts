import type { IncomingMessage, ServerResponse } from 'node:http';
import { VERSION } from '../version.ts';
import { checkBrowser } from './auth.ts';
import type { Gateway } from './gateway.ts';
import { asHttpError } from './internal-error.ts';
import { sendJson } from './json-answer.ts';

/** What everybody may know who can reach us. */
interface Overview {
  readonly version: string;
  /** As this caller reaches us. */
  readonly url: string;
  readonly instances: readonly { readonly name: string; readonly state: string }[];
  /** Names that can be asked for; absent where a key is needed to see them. */
  readonly models: readonly string[] | undefined;
}

/**
 * `GET /`: a page for people, JSON for programs that ask for it, and else the line by which clients of
 * Ollama see that a server is there.
 */
export function answerRoot(
  gateway: Gateway,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  try {
    const cors = checkBrowser(request, gateway.snapshot.config.server);
    const accept = request.headers.accept ?? '';
    if (accept.includes('application/json') && !accept.includes('text/html')) {
      const { version, url, instances, models } = overviewOf(gateway, request);
      const body = {
        name: 'jairouter',
        version,
        openai: `${url}/v1`,
        anthropic: url,
        instances: Object.fromEntries(instances.map(({ name, state }) => [name, state])),
        models: models ?? null,
      };
      sendJson(response, 200, body, cors);
      return;
    }
    const page = accept.includes('text/html');
    const text = page ? pageOf(overviewOf(gateway, request)) : 'Ollama is running';
    response.writeHead(200, {
      ...cors,
      'content-type': page ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      ...(page && PAGE_HEADERS),
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  } catch (thrown) {
    const error = asHttpError(gateway, thrown);
    sendJson(response, error.status, { error: error.body }, error.headers);
  }
}

/** It needs nothing from anywhere, and nobody may frame it. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

function overviewOf({ snapshot, fleet }: Gateway, request: IncomingMessage): Overview {
  const scheme = 'encrypted' in request.socket ? 'https' : 'http';
  const locked = snapshot.config.server.apiKeys.length > 0;
  const { aliases } = snapshot;
  return {
    version: VERSION,
    url: `${scheme}://${request.headers.host ?? 'localhost'}`,
    instances: [...fleet.instances()].map(({ name, state }) => ({ name, state })),
    models: locked ? undefined : [...new Set([...aliases.keys(), ...fleet.directory.exact.keys()])],
  };
}

/** Models that are named on the page; `/v1/models` has all. */
const SHOWN = 12;

function pageOf({ version, url, instances, models }: Overview): string {
  const rows = instances.map(
    ({ name, state }) =>
      `<tr><td>${escape(name)}<td class="${state === 'healthy' ? 'good' : 'other'}">${escape(state)}`,
  );
  const named = models?.slice(0, SHOWN).map((model) => `<code>${escape(model)}</code>`) ?? [];
  const more = models && models.length > SHOWN ? ` and ${models.length - SHOWN} more` : '';
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="10">
<title>jairouter</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; }
code { font: 14px ui-monospace, monospace; }
table { border-collapse: collapse; }
td { padding: .1rem 1.5rem .1rem 0; }
.good::before { content: "● "; color: #2a9d4a; }
.other::before { content: "○ "; color: #c77700; }
</style>
<h1>jairouter ${escape(version)}</h1>
<p>One endpoint for every model that this machine can reach. Tools that speak the OpenAI API want the base
URL <code>${escape(url)}/v1</code>, those that speak Anthropic's want <code>${escape(url)}</code>.
<code>jairouter connect</code> sets many of them.
<h2>Instances</h2>
${rows.length > 0 ? `<table>\n${rows.join('\n')}\n</table>` : '<p>None: add your backends to the config.'}
<h2>Models</h2>
<p>${models ? `${named.join(', ') || 'None at this moment.'}${more}` : 'They are listed for those who have a key.'}
<p><a href="/v1/models">/v1/models</a> · <a href="/ready">/ready</a> · <a href="/health">/health</a>
· <code>jairouter status</code> in a terminal shows more.
`;
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`);
}
