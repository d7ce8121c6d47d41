import type { InstanceState } from '../gateway/directory.ts';
import type { Operation, Service } from '../service.ts';
import type { Usage } from './usage.ts';

/**
 * What a running server tells of itself: the answer of `GET /admin/status`, and what
 * `GET /admin/events` sends each second. Points in time are milliseconds since the epoch, spans are
 * milliseconds; shares run from 0 to 1. An absent value is one that nobody knows yet.
 */
export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly url: string;
  readonly startedAt: number;
  readonly now: number;
  readonly draining: boolean;
  readonly config: ConfigStatus;
  /** Calls that are being read, wait or are answered now. */
  readonly inFlight: number;
  /** Of these, those that wait: for an instance to have room, for a limit, for a model to be loaded. */
  readonly queued: number;
  readonly totals: Totals;
  readonly recent: Recent;
  readonly instances: readonly InstanceStatus[];
  /** By the name that clients asked for; only names that were known, the busiest first, at most 200. */
  readonly models: readonly ModelTraffic[];
  readonly running: readonly RunningCall[];
}

export interface ConfigStatus {
  /** Absolute; absent when the server found its backends by itself. */
  readonly file?: string;
  /** Which entry of the history is applied. */
  readonly version: number;
  readonly appliedAt: number;
  /** The file on disk is not what is applied: it is invalid since then. */
  readonly error?: { readonly since: number; readonly problems: readonly string[] };
  /** Settings that were changed and only hold after a restart, such as `server.port`. */
  readonly restartNeeded: readonly string[];
}

/**
 * Counts since the start. For an instance they count attempts, elsewhere calls; so also the bytes of
 * an instance are those to and from the backend, elsewhere those from and to clients.
 */
export interface Totals {
  readonly calls: number;
  readonly ok: number;
  /** Ended with an error status. */
  readonly failed: number;
  /** The client got a part and was told so. */
  readonly broken: number;
  /** The client left; for an instance also: another attempt of the call was faster. */
  readonly aborted: number;
  /** What went wrong, by the error's `code`, or by the backend's status. */
  readonly errors: Readonly<Record<string, number>>;
  /** As counted by backends. */
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** Output tokens that no backend counted, guessed from the events of streams; not in `tokensOut`. */
  readonly tokensGuessed: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** What was usual in the last minute. */
export interface Recent {
  /** Ended in each of the last 60 seconds, the oldest first; the last one is not over yet. */
  readonly perSecond: readonly number[];
  /** Failed or broken, of all that ended in the last minute; absent when none did. */
  readonly errorShare?: number;
  /** Those by what went wrong, as in the totals; absent when there were none. */
  readonly errors?: Readonly<Record<string, number>>;
  /** Whole duration and time to first byte of the good ones. */
  readonly duration?: Percentiles;
  readonly firstByte?: Percentiles;
  /** Output tokens per second, over the last minute; streams that still run are guessed. */
  readonly tokensPerSecond: number;
  /** A part of these tokens is guessed. */
  readonly tokensGuessed: boolean;
}

/** Milliseconds, within 5 %. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface BreakerStatus {
  readonly state: 'closed' | 'open' | 'half-open' | 'forced-open' | 'forced-closed';
  readonly since: number;
  /** When trial calls are let through. */
  readonly triesAgainAt?: number;
  readonly reason?: string;
}

export interface InstanceStatus {
  readonly name: string;
  readonly adapter: string;
  readonly baseUrl: string;
  readonly state: InstanceState;
  readonly stateDetail?: string;
  readonly stateSince: number;
  /** When it is probed next. */
  readonly nextLookAt?: number;
  readonly version?: string;
  readonly breaker: BreakerStatus;
  /** It asked to be left alone until then. */
  readonly restsUntil?: number;
  readonly inFlight: number;
  /** Attempts at once; absent: no limit. */
  readonly maxConcurrency?: number;
  /** Calls that wait for room on it, or on it among others. */
  readonly queued: number;
  readonly weight: number;
  readonly priority: number;
  readonly services: readonly Service[];
  readonly models: number;
  /** Those in memory; absent when the backend does not tell. */
  readonly loaded?: readonly string[];
  readonly connections: number;
  readonly totals: Totals;
  readonly recent: Recent;
}

/** One instance with all that is known of it: `GET /admin/instances/:name`. */
export interface InstanceDetail extends InstanceStatus {
  readonly catalogue: readonly CatalogueEntry[];
  /** Patterns of the config's `models`. */
  readonly wildcards: readonly string[];
  readonly operations: readonly Operation[];
  readonly lastErrors: readonly {
    readonly at: number;
    readonly call: string;
    readonly model: string;
    readonly message: string;
  }[];
  /** Good answers of the last minute by whole duration: up to `until` milliseconds, in growing steps. */
  readonly histogram: readonly { readonly until: number; readonly count: number }[];
  readonly breakerHistory: readonly BreakerStatus[];
  /** In effect, everything inherited filled in, secrets masked. */
  readonly config: Readonly<Record<string, unknown>>;
}

export interface CatalogueEntry {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly services: readonly Service[];
  readonly loaded?: boolean;
  readonly contextLength?: number;
}

export interface ModelTraffic {
  readonly model: string;
  readonly inFlight: number;
  readonly totals: Totals;
  readonly recent: Recent;
}

/** A call that is not over. */
export interface RunningCall {
  readonly id: string;
  readonly at: number;
  readonly operation: Operation;
  readonly client: string;
  readonly key?: string;
  readonly model?: string;
  readonly instance?: string;
  readonly stream: boolean;
  readonly phase: 'reading' | 'queued' | 'connecting' | 'waiting' | 'answering';
  readonly attempts: number;
  readonly firstByte?: number;
  /** Events of a stream so far, which are about as many tokens. */
  readonly events: number;
  readonly bytesOut: number;
}

/** One try of a call, as shown. */
export interface ShownAttempt {
  readonly instance: string;
  readonly model: string;
  /** Why it went there, in a few words: `only candidate`, `least connections of 3`, `gpu-1 failed`. */
  readonly why: string;
  /** Since the call came in. */
  readonly startedAfter: number;
  readonly duration: number;
  readonly firstByte?: number;
  readonly status?: number;
  /** Where it ended. */
  readonly phase: 'connecting' | 'waiting' | 'answering' | 'done';
  /** `aborted`: the client left, or another attempt of the call was faster. */
  readonly ending: 'ok' | 'error' | 'broken' | 'aborted';
  readonly error?: string;
  /** What its instance's `Totals.errors` counts it as. */
  readonly errorKind?: string;
  readonly events: number;
  /** Bytes of the bodies to and from the backend. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly usage?: Usage;
  readonly tokensGuessed: number;
}

/** A call that is over: a row of `GET /admin/requests`, and the data of a `call` event. */
export interface RecentCall {
  /** Its number since the start; also the event's id. */
  readonly seq: number;
  readonly id: string;
  readonly at: number;
  readonly path: string;
  readonly operation: Operation;
  readonly client: string;
  readonly key?: string;
  readonly model?: string;
  readonly instance?: string;
  readonly upstreamModel?: string;
  readonly ending: 'ok' | 'error' | 'broken' | 'aborted';
  /** What the client got; absent when it left before that. */
  readonly status?: number;
  readonly error?: string;
  /** As the client got it; it may be the backend's own. */
  readonly code?: string;
  /** What `Totals.errors` counts it as: our own error's code, or the backend's status. */
  readonly errorKind?: string;
  /** Where the rate limit stands that refused it, such as `service chat`. */
  readonly limit?: string;
  /** When traces are on. */
  readonly traceId?: string;
  readonly stream: boolean;
  readonly attempts: readonly ShownAttempt[];
  readonly duration: number;
  /** Of that, waiting in the queue, for a limit, or for a model or an instance to come up. */
  readonly waited: number;
  readonly firstByte?: number;
  readonly events: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly usage?: Usage;
  readonly tokensGuessed: number;
  /** `capture` has kept its bodies. */
  readonly captured: boolean;
}

/** A body that `capture` has kept, with its headers. Secrets that the config names are masked. */
export interface CapturedBody {
  readonly headers: Readonly<Record<string, string>>;
  /** Of the whole body, of which not all may have been kept. */
  readonly bytes: number;
  readonly truncated: boolean;
  /** What was kept of it, when it is text. */
  readonly text?: string;
  /** What was kept of it, when it is not. */
  readonly base64?: string;
}

/** One call with all that is kept of it: `GET /admin/requests/:id`. */
export interface CapturedCall extends RecentCall {
  /** As the client sent it. Absent, like `answer`, when nothing was captured. */
  readonly request?: CapturedBody;
  /** As the client got it; absent when it left before that. */
  readonly answer?: CapturedBody;
}

/** Something that happened: the data of a `news` event. */
export interface News {
  readonly seq: number;
  readonly at: number;
  readonly kind: 'server' | 'config' | 'instance' | 'breaker' | 'discovery';
  readonly level: 'info' | 'warn' | 'error';
  readonly instance?: string;
  readonly message: string;
  /** Further lines, such as a reload's diff. */
  readonly lines?: readonly string[];
}
