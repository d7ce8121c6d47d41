import type {
  CapturedBody,
  CapturedCall,
  InstanceDetail,
  News,
  RecentCall,
  Status,
} from '../observe/status.ts';

/** Where the dashboard's data comes from, and its orders go: a running server, seen through its `/admin`. */
export interface Feed {
  /** Where the server is; without a path. It may be elsewhere when it has been started anew. */
  readonly url: string;
  readonly actions: Actions;
  /**
   * Begins to follow the server.
   * @param listener Called with each event, as they come.
   */
  open(listener: (event: FeedEvent) => void): void;
  close(): void;
}

export type FeedEvent =
  | { readonly kind: 'snapshot'; readonly status: Status }
  | { readonly kind: 'call'; readonly call: RecentCall }
  | { readonly kind: 'news'; readonly news: News }
  | { readonly kind: 'connection'; readonly connection: Connection };

/** Points in time are milliseconds since the epoch, on this machine's clock. */
export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | {
      readonly state: 'lost';
      readonly triesAgainAt: number;
      readonly reason: string;
    };

/** What can be asked of the server, and ordered. They reject with an error whose message is for people. */
export interface Actions {
  instance(name: string): Promise<InstanceDetail>;
  change(name: string, change: InstanceChange): Promise<void>;
  breaker(name: string, order: BreakerOrder): Promise<void>;
  reload(): Promise<AppliedConfig>;
  /** The applied configs, the latest first. */
  history(): Promise<readonly ConfigVersion[]>;
  rollback(version: number): Promise<AppliedConfig>;
  /** A call that is over, with its bodies where they were captured. */
  call(id: string): Promise<CapturedCall>;
  /** Who could answer a call, as things stand. */
  targets(call: RecentCall): Promise<readonly ReplayTarget[]>;
  /** Sends a captured request again, as a client would. */
  replay(request: ReplayRequest): Promise<Answer>;
}

export interface InstanceChange {
  readonly enabled?: boolean;
  readonly draining?: boolean;
  readonly weight?: number;
}

export type BreakerOrder = 'open' | 'close' | 'reset';

/** A config that was applied, as the history keeps it. */
export interface ConfigVersion {
  readonly version: number;
  readonly at: number;
  /** What brought it about: `start`, `edit`, `api`, `rollback` or `signal`. */
  readonly source: string;
  /** What it changed, a line each. */
  readonly diff: readonly string[];
  /** It could not be applied. */
  readonly invalid?: true;
  /** It is the one in effect. */
  readonly current: boolean;
}

/** What came of reading the config again. */
export interface AppliedConfig {
  readonly version: number;
  readonly diff: readonly string[];
}

/** An instance that could answer a call, and what the model is called there. */
export interface ReplayTarget {
  readonly instance: string;
  readonly model: string;
  /** How it stands with it, in one clause. */
  readonly remark: string;
}

export interface ReplayRequest {
  /** With its request. */
  readonly call: CapturedCall;
  /** Who is to answer; absent: wherever it is routed. */
  readonly to: ReplayTarget | undefined;
}

/** An answer to a replayed call; times in milliseconds from its start. */
export interface Answer {
  readonly status: number;
  readonly instance: string | undefined;
  readonly model: string | undefined;
  readonly firstByte: number;
  readonly duration: number;
  readonly answer: CapturedBody;
}
