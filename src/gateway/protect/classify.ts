/** What went wrong with an attempt, from the least telling to the most. */
export const FAILURE_KINDS = ['unreachable', 'broken', 'timeout', 'answer'] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** The failure to report when a call's attempts have all failed: the most telling, the latest of equals. */
export function mostTelling<F extends { readonly kind: FailureKind }>(failures: readonly F[]): F {
  let best = failures[0]!;
  for (const failure of failures) {
    if (FAILURE_KINDS.indexOf(failure.kind) >= FAILURE_KINDS.indexOf(best.kind)) best = failure;
  }
  return best;
}

/** A failed attempt. */
export interface Trouble {
  /**
   * `unreachable`: no connection; `broken`: it broke off, or gave garbage; `timeout`; `answer`: the
   * backend answered an error, as a status, as the body of a 200 or as an event of a stream.
   */
  readonly kind: FailureKind;
  /** Of an `answer`: the backend's status, or that in its event, after the adapter's `verdict`. */
  readonly status: number;
  /** Of an `answer`: the error in OpenAI's words. */
  readonly body: {
    readonly message: string;
    readonly type: string;
    readonly code: string | null;
  };
  /** Something of the answer has gone to the client. */
  readonly committed: boolean;
  /** Milliseconds that the backend asks to wait (`retryAfter`); absent: it does not say. */
  readonly wait?: number | undefined;
}

/**
 * How an attempt ended. `done`: the whole answer went to the client; `aborted`: the client left, or
 * another attempt won; `untranslatable`: its adapter can't say this request to the backend, which
 * was never asked.
 */
export type AttemptEnd = { readonly kind: 'done' | 'aborted' | 'untranslatable' } | Trouble;

/** What the end of an attempt means for its call and its instance. */
export interface Meaning {
  /** The row of the table, for logs. */
  readonly name: RowName;
  /** What the breaker's permit is told; `none`: it is released. */
  readonly breaker: 'success' | 'failure' | 'none';
  /**
   * Whether another attempt may follow: on another instance only, or, after a pause and when no other is
   * left, on the same one `again`.
   */
  readonly retry: 'again' | 'elsewhere' | 'never';
  /** Milliseconds that the instance wants no calls; `back-off`: it names no time. */
  readonly cool?: number | 'back-off';
  /** It refuses our credentials, and is `misconfigured` until a probe finds otherwise. */
  readonly misconfigured?: true;
  /** It says that it is loading: itself, and so every model, or only the model that was asked for. */
  readonly loading?: 'instance' | 'model';
  /** What its health takes from this at once. */
  readonly health?: 'unreachable';
}

/** Milliseconds of rest for a key whose money is spent: only a human mends that. */
export const QUOTA_REST = 600_000;

interface Row extends Omit<Meaning, 'name' | 'cool'> {
  readonly name: string;
  /** A kind of end; or the statuses of an `answer`, which `4xx` has all of. */
  readonly on: AttemptEnd['kind'] | readonly number[] | '4xx';
  /** What the error's code, type or message must say as well. */
  readonly says?: RegExp;
  /** `rest`: as long as asked for, or a back-off; `asked`: only when asked for. */
  readonly cool?: 'rest' | 'asked' | 'quota';
}

/** llama.cpp's words; LocalAI's `model_loading` is one model's. */
const ALL_LOADING = /\bloading model\b|\bunavailable_error\b/i;
const LOADING = /model_loading|model is (still )?loading|no running instances/i;
const SPENT = /\binsufficient_quota\b|\bbilling_\w+/i;
const OVERLOADED =
  /overloaded|server busy|queue is full|maximum pending requests|rate limit reached for the model/i;

/**
 * The decision table; the first row that fits has it. What a client has begun to read is never
 * retried, whatever the row says.
 *
 * A 4xx is the request's fault and opens no breaker, or two bad requests would close an instance to
 * all. Nor does a 503 that says "loading" or "overloaded": it comes from a backend that is well.
 * A 501 is about the request too, for a feature that its instance lacks. In the same place, only that is
 * tried again which says of itself that it will pass; a 500 is what many backends answer to a request
 * that they will never like.
 */
// prettier-ignore
export const ROWS = [
  { name: 'done',              on: 'done',                               breaker: 'success', retry: 'never' },
  { name: 'aborted',           on: 'aborted',                            breaker: 'none',    retry: 'never' },
  { name: 'untranslatable',    on: 'untranslatable',                     breaker: 'none',    retry: 'elsewhere' },
  { name: 'unreachable',       on: 'unreachable',                        breaker: 'failure', retry: 'elsewhere', health: 'unreachable' },
  { name: 'broken',            on: 'broken',                             breaker: 'failure', retry: 'elsewhere' },
  { name: 'timed out',         on: 'timeout',                            breaker: 'failure', retry: 'elsewhere' },
  { name: 'loading',           on: [503], says: ALL_LOADING,             breaker: 'none',    retry: 'elsewhere', loading: 'instance' },
  { name: 'loading',           on: [503], says: LOADING,                 breaker: 'none',    retry: 'elsewhere', loading: 'model' },
  { name: 'quota',             on: [402],                                breaker: 'none',    retry: 'never',     cool: 'quota' },
  { name: 'quota',             on: [400, 403], says: SPENT,              breaker: 'none',    retry: 'never',     cool: 'quota' },
  { name: 'quota',             on: [429], says: SPENT,                   breaker: 'none',    retry: 'elsewhere', cool: 'quota' },
  { name: 'credentials',       on: [401, 403],                           breaker: 'none',    retry: 'never',     misconfigured: true },
  { name: 'credentials',       on: [400], says: /invalid_api_key/,       breaker: 'none',    retry: 'never',     misconfigured: true },
  { name: 'overloaded',        on: [529],                                breaker: 'none',    retry: 'again',     cool: 'rest' },
  { name: 'overloaded',        on: [429, 502, 503], says: OVERLOADED,    breaker: 'none',    retry: 'again',     cool: 'rest' },
  { name: 'rate limit',        on: [429],                                breaker: 'none',    retry: 'again',     cool: 'rest' },
  { name: 'request timed out', on: [408, 425],                           breaker: 'none',    retry: 'again' },
  { name: 'unsupported',       on: [501],                                breaker: 'none',    retry: 'never' },
  { name: 'unsupported',       on: [502], says: /unexpected endpoint/i,  breaker: 'none',    retry: 'elsewhere' },
  { name: 'other embeddings',  on: [502], says: /embedding_mismatch/,     breaker: 'none',    retry: 'elsewhere' },
  { name: 'unavailable',       on: [503],                                breaker: 'failure', retry: 'again',     cool: 'asked' },
  { name: 'server error',      on: [500, 502, 504],                      breaker: 'failure', retry: 'elsewhere', cool: 'asked' },
  { name: 'request',           on: '4xx',                                breaker: 'none',    retry: 'never' },
  { name: 'odd answer',        on: 'answer',                             breaker: 'failure', retry: 'never' },
] as const satisfies readonly Row[];
export type RowName = (typeof ROWS)[number]['name'];

/** What the end of an attempt means: the one place where that is decided. */
export function classify(end: AttemptEnd): Meaning {
  const row: Row & { readonly name: RowName } = ROWS.find((one) => fits(one, end))!;
  const { name, breaker, misconfigured, loading, health } = row;
  const trouble = 'status' in end ? end : undefined;
  const cool = trouble && rest(row, trouble.wait);
  return {
    name,
    breaker,
    retry: trouble?.committed ? 'never' : row.retry,
    ...(cool !== undefined && { cool }),
    ...(misconfigured && { misconfigured }),
    ...(loading && { loading }),
    ...(health && { health }),
  };
}

function fits({ on, says }: Row, end: AttemptEnd): boolean {
  if (on === end.kind) return true;
  if (end.kind !== 'answer' || (typeof on === 'string' && on !== '4xx')) return false;
  const { status, body } = end;
  const among = on === '4xx' ? status >= 400 && status < 500 : on.includes(status);
  return among && (says?.test(`${body.code ?? ''}\n${body.type}\n${body.message}`) ?? true);
}

function rest({ cool }: Row, wait: number | undefined): Meaning['cool'] {
  if (cool === undefined) return undefined;
  if (cool === 'quota') return QUOTA_REST;
  return wait ?? (cool === 'rest' ? 'back-off' : undefined);
}
