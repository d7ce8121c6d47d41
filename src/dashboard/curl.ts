import type { RecentCall } from '../observe/status.ts';
import type { Message } from './feed.ts';

/** A call as a command for a POSIX shell. */
export interface CurlCommand {
  readonly command: string;
  /** What has to be added by hand; absent when nothing has. */
  readonly remark: string | undefined;
}

/**
 * Writes a call as a curl command. A key is never in it: it is read from `JAIROUTER_KEY`.
 *
 * @param options.url Where the server is.
 * @param options.request As it was captured; without it there is no body.
 */
export function curlFor(
  call: RecentCall,
  options: { readonly url: string; readonly request: Message | undefined },
): CurlCommand {
  const { request } = options;
  const lines = [`curl ${quote(options.url + call.path)}`];
  if (call.stream) lines.push('--no-buffer');
  const headers = request ? callHeaders(request.headers) : { 'content-type': 'application/json' };
  for (const [name, value] of Object.entries(headers))
    lines.push(`-H ${quote(`${name}: ${value}`)}`);
  if (call.key !== undefined) lines.push('-H "authorization: Bearer $JAIROUTER_KEY"');
  const body = request?.body ?? JSON.stringify({ model: call.model, stream: call.stream });
  lines.push(`--data-binary ${quote(body)}`);
  return { command: lines.join(' \\\n  '), remark: remarkOn(call, request) };
}

/** @returns The headers that say something of the call itself; the others are the client's own affair. */
export function callHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => TELLING.test(name)));
}

const TELLING = /^(content-type|accept|openai-.*|anthropic-.*)$/i;

function remarkOn(call: RecentCall, request: Message | undefined): string | undefined {
  if (!request)
    return 'Its body was not captured: only the model is in the command. With `capture` in the config, bodies are kept.';
  if (request.cut) return 'Its body was too long to be kept whole: the command has its beginning.';
  if (call.key !== undefined) return `Set JAIROUTER_KEY to the key named ${call.key}.`;
  return undefined;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
