import { asNumber, asObject, asObjects, asText, parseJson } from '../../adapters/json.ts';

/** Milliseconds. Whoever asks for longer is asked again once an hour: limits and plans change. */
export const LONGEST_WAIT = 3_600_000;

/** An answer that refuses a call, as far as it may say for how long. */
export interface RefusingAnswer {
  /** By lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The body, for Gemini's `retryDelay`. */
  readonly text?: string;
}

/**
 * How long a backend asks to be left alone: `retry-after-ms`, `retry-after` (seconds, also
 * fractional, or an HTTP date), `retryDelay` of Google's error details, then the resets of those
 * rate limits that the answer shows as used up.
 * @param now Milliseconds since the epoch; used for dates when the answer has no `date` of its own,
 *   since its clock need not be ours.
 * @returns Milliseconds, from 0 to `LONGEST_WAIT`; `undefined` when it does not say.
 */
export function retryAfter(answer: RefusingAnswer, now: number): number | undefined {
  const header = (name: string) => {
    const value = answer.headers[name];
    return (typeof value === 'string' ? value : value?.[0])?.trim();
  };
  const theirNow = parseDate(header('date')) ?? now;
  const wait =
    parseCount(header('retry-after-ms')) ??
    parseSeconds(header('retry-after')) ??
    untilDate(header('retry-after'), theirNow) ??
    googleDelay(answer.text) ??
    limitReset(header, theirNow);
  return wait === undefined ? undefined : Math.min(Math.max(0, wait), LONGEST_WAIT);
}

/**
 * @returns Milliseconds of Go's durations as OpenAI writes them: `6ms`, `1m2.3s`, `1h0m0s`, `34s`;
 *   `undefined` when it is none.
 */
export function parseGoDuration(text: string): number | undefined {
  const match = /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(text);
  if (match && text !== '') {
    const [, hours = 0, minutes = 0, seconds = 0] = match;
    return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  }
  const small = /^(\d+(?:\.\d+)?)(ms|us|µs|ns)$/.exec(text);
  if (!small) return undefined;
  return Number(small[1]) * { ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 }[small[2]!]!;
}

function parseCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function parseSeconds(text: string | undefined): number | undefined {
  const seconds = parseCount(text);
  return seconds === undefined ? undefined : seconds * 1000;
}

/** The three forms of RFC 9110, 5.6.7, and RFC 3339 for Anthropic's resets; only what begins like one. */
function parseDate(text: string | undefined): number | undefined {
  if (text === undefined || !/^([A-Z][a-z]{2,8},? |\d{4}-\d\d-\d\dT)/.test(text)) return undefined;
  // asctime has no zone, and would be read as local time.
  const zoned = /^[A-Z][a-z]{2} /.test(text) ? `${text} GMT` : text;
  const time = Date.parse(zoned);
  return Number.isNaN(time) ? undefined : time;
}

function untilDate(text: string | undefined, now: number): number | undefined {
  const time = parseDate(text);
  return time === undefined ? undefined : time - now;
}

function googleDelay(text: string | undefined): number | undefined {
  // Most errors are not Google's, and need not be parsed.
  if (text === undefined || !/"(retryDelay|quotaId)"/.test(text)) return undefined;
  const body = parseJson(text);
  const outer = asObject(Array.isArray(body) ? body[0] : body);
  const details = asObjects(asObject(outer?.['error'])?.['details']) ?? [];
  const violations = details.flatMap((detail) => asObjects(detail['violations']) ?? []);
  // A day's quota comes with a delay of seconds beside it, as if the day passed in them.
  if (violations.some(({ quotaId }) => asText(quotaId)?.includes('PerDay'))) return LONGEST_WAIT;
  for (const { retryDelay } of details) {
    const delay = parseGoDuration(asText(retryDelay) ?? '');
    if (delay !== undefined) return delay;
    // Protobuf's JSON of a duration that some proxies write out.
    const seconds = asNumber(Number(asObject(retryDelay)?.['seconds'] ?? Number.NaN));
    if (seconds !== undefined) return seconds * 1000;
  }
  return undefined;
}

/** OpenAI's, Azure's and Anthropic's limits: families of `limit`, `remaining` and `reset`. */
const LIMITS = [
  ...['requests', 'tokens'].map((what) => ({
    remaining: `x-ratelimit-remaining-${what}`,
    reset: `x-ratelimit-reset-${what}`,
  })),
  ...['requests', 'tokens', 'input-tokens', 'output-tokens'].map((what) => ({
    remaining: `anthropic-ratelimit-${what}-remaining`,
    reset: `anthropic-ratelimit-${what}-reset`,
  })),
];

/** The longest of the resets that have to be waited for. */
function limitReset(header: (name: string) => string | undefined, now: number): number | undefined {
  let longest: number | undefined;
  for (const { remaining, reset } of LIMITS) {
    if (parseCount(header(remaining)) !== 0) continue;
    const text = header(reset);
    const wait = parseSeconds(text) ?? parseGoDuration(text ?? '') ?? untilDate(text, now);
    if (wait !== undefined && wait > (longest ?? -1)) longest = wait;
  }
  return longest;
}
