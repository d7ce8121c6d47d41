import type { CapturedBody, RecentCall } from '../observe/status.ts';

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
  options: { readonly url: string; readonly request: CapturedBody | undefined },
): CurlCommand {
  const { request } = options;
  const { source, data } = bodyFor(
    request ?? { text: JSON.stringify({ model: call.model, stream: call.stream }) },
  );
  const lines = [`${source}curl ${quote(options.url + call.path)}`];
  if (call.stream) lines.push('--no-buffer');
  const headers = request ? callHeaders(request.headers) : { 'content-type': 'application/json' };
  for (const [name, value] of Object.entries(headers))
    lines.push(`-H ${quote(`${name}: ${value}`)}`);
  if (call.key !== undefined) lines.push('-H "authorization: Bearer $JAIROUTER_KEY"');
  lines.push(`--data-binary ${data}`);
  return { command: lines.join(' \\\n  '), remark: remarkOn(call, request) };
}

/** @returns The headers that say something of the call itself; the others are the client's own affair. */
export function callHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => TELLING.test(name)));
}

const TELLING = /^(content-type|accept|openai-.*|anthropic-.*)$/i;

/** Bytes of one argument; Linux allows no more than 128 KiB. */
const LONGEST = 100_000;

/**
 * How curl gets the body: as an argument, or from its standard input where it is too long for one, or
 * would not come through a terminal as it is.
 */
function bodyFor({ text, base64 }: Pick<CapturedBody, 'text' | 'base64'>): {
  readonly source: string;
  readonly data: string;
} {
  const bytes = text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text);
  if (text === undefined || CONTROL.test(text))
    return { source: `printf %s '${bytes.toString('base64')}' | base64 --decode | `, data: '@-' };
  if (bytes.length <= LONGEST) return { source: '', data: quote(text) };
  return { source: `printf %s ${quote(text)} | `, data: '@-' };
}

/** All but tabs and line feeds. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/;

function remarkOn(call: RecentCall, request: CapturedBody | undefined): string | undefined {
  if (!request)
    return 'Its body was not captured: only the model is in the command. With `capture` in the config, bodies are kept.';
  if (request.truncated)
    return 'Its body was too long to be kept whole (capture.maxBytes): the command has its beginning.';
  if (call.key !== undefined) return `Set JAIROUTER_KEY to the key named ${call.key}.`;
  return undefined;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
