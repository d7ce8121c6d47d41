import { createHistogram } from 'node:perf_hooks';
import { isDeepStrictEqual } from 'node:util';
import type { Dispatcher } from 'undici';
import type {
  Adapter,
  AdapterOptions,
  Backend,
  CatalogueModel,
  Facts,
  OperationSpec,
  ProbeResult,
} from '../adapters/adapter.ts';
import type { BreakerSettings, HealthSettings } from '../config/settings.ts';
import type { Meaning } from '../gateway/protect/classify.ts';
import { Breaker, type Permit, type Transition } from '../gateway/protect/breaker.ts';
import { Cooling } from '../gateway/protect/cooling.ts';
import { Slots, type Queue } from '../gateway/protect/queue.ts';
import { LatencyAverage } from '../gateway/balance/latency-average.ts';
import type { Catalogue, Hindrance, InstanceState, Routable } from '../gateway/directory.ts';
import { askedFor, OPERATIONS, type Operation, type Service } from '../service.ts';
import { connectBackend } from './backend.ts';
import { catalogueOf } from './catalogue.ts';
import { isNearby } from './nearby.ts';
import { connectionsOf, openPool, type PoolOptions } from './pool.ts';

/** What the config says of one instance, with everything inherited filled in. */
export interface InstanceSettings {
  readonly name: string;
  readonly adapter: Adapter;
  /** Without a trailing slash or `/v1`. */
  readonly baseUrl: string;
  readonly weight: number;
  readonly priority: number;
  readonly enabled: boolean;
  readonly apiKey: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Narrows what the adapter can do. */
  readonly services: readonly Service[] | undefined;
  /** Names and wildcards that stand for, or choose from, the backend's own list. */
  readonly models: readonly string[] | undefined;
  readonly health: HealthSettings;
  readonly circuitBreaker: BreakerSettings;
  /** Attempts at once; `undefined`: no limit. */
  readonly maxConcurrency: number | undefined;
  /** Models to load as soon as it is reached. */
  readonly warm: readonly string[];
  /** Whether calls cost money; `undefined`: as its address and adapter suggest. */
  readonly paid: boolean | undefined;
  /** Whether tool calls that its models get wrong are put right. */
  readonly repairToolCalls: boolean;
  readonly pool: PoolOptions;
  /** What only its adapter understands. */
  readonly options: AdapterOptions;
  /** A variable that its config names and the environment lacks: the instance is off. */
  readonly unset: string | undefined;
}

/** What probes and traffic can say of an instance. */
type ObservedState = Exclude<InstanceState, 'disabled' | 'draining'>;

/** What the admin wants for the moment; it stands above the config and what was observed. */
export interface Orders {
  readonly enabled?: boolean | undefined;
  /** No new calls; those that run go on. */
  readonly draining?: boolean | undefined;
}

interface InstanceContext {
  readonly queue: Queue;
  readonly onState: (instance: Instance) => void;
  readonly onBreaker?: (instance: Instance, transition: Transition) => void;
  readonly previous?: Instance | undefined;
}

/** One running backend: its connections, its counters, and what is known of it now. */
export class Instance implements Routable {
  /** Milliseconds since the epoch. */
  readonly createdAt = Date.now();
  readonly name: string;
  readonly adapter: Adapter;
  /** Credentials and the config's own headers, lower-case names, as sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Scheme, host and port. */
  readonly origin: string;
  /** What `baseUrl` has after the host; without a trailing slash. */
  readonly basePath: string;
  readonly breaker: Breaker;
  readonly cooling = new Cooling();
  readonly slots: Slots;
  /** As probes see it; one for its life, so that an adapter may remember things by it. */
  readonly backend: Backend;
  /** When a call last went well, on the clock of `performance.now()`. */
  lastServed = Number.NEGATIVE_INFINITY;
  readonly #onState: (instance: Instance) => void;
  /** Until when it is believed that it is loading a model. */
  readonly #loading = new Map<string, number>();
  #settings: InstanceSettings;
  #orders: Orders = {};
  #observed: { readonly state: ObservedState; readonly detail: string | undefined } = UNSEEN;
  state: InstanceState = 'unknown';
  stateDetail: string | undefined;
  /** When it came into that state, as milliseconds since the epoch. */
  stateSince = this.createdAt;
  nextLook: number | undefined;
  version: string | undefined;
  /** What its calls need to know of it; learnt by its probes. */
  facts: Facts = {};
  /** What its adapter remembers of it. */
  readonly memory = new Map<string, number>();
  catalogue: Catalogue;
  readonly #latency = new LatencyAverage();
  // Small: two digits, up to an hour; there may be a thousand instances.
  readonly #firstBytes = createHistogram({ lowest: 1, highest: 3_600_000, figures: 2 });
  readonly #warned = new Set<string>();
  #listed: readonly CatalogueModel[] | undefined;
  /** What its probe says that it has. */
  #offered: readonly Operation[] | undefined;
  /** Those that only some servers of the kind have, and this one has shown. */
  #shown: readonly Operation[] = [];
  #operations: ReadonlySet<Operation>;
  readonly #has = (operation: Operation): boolean => this.#operations.has(operation);
  #dispatcher: Dispatcher | undefined;
  /** Attempts that may still want a connection. */
  #users = 0;
  #retired: (() => void) | undefined;

  /**
   * @param context.queue Where calls wait for one of its slots.
   * @param context.onState Called when its state has changed.
   * @param context.onBreaker Called when its breaker's state has; absent: nobody cares.
   * @param context.previous The one of the same name that it replaces. What runs on that one counts
   *   here too, and where the backend is the same its models are known already.
   */
  constructor(
    settings: InstanceSettings,
    { queue, onState, onBreaker, previous }: InstanceContext,
  ) {
    this.#onState = onState;
    this.breaker = new Breaker(settings.circuitBreaker, Math.random, (transition) =>
      onBreaker?.(this, transition),
    );
    this.slots = previous?.slots ?? new Slots(settings.name, settings.maxConcurrency, queue);
    this.slots.limit = settings.maxConcurrency;
    this.#settings = settings;
    this.name = settings.name;
    this.adapter = settings.adapter;
    const url = new URL(settings.baseUrl);
    this.origin = url.origin;
    this.basePath = url.pathname.replace(/\/+$/, '');
    this.headers = ownHeaders(settings);
    this.backend = this.#connect(() => this.#settings.health.timeout);
    if (previous?.adapter === settings.adapter && previous.settings.baseUrl === settings.baseUrl) {
      this.#listed = previous.#listed;
      this.#offered = previous.#offered;
      this.#shown = previous.#shown;
      this.version = previous.version;
      this.facts = previous.facts;
    }
    this.catalogue = catalogueOf(settings.models, this.#listed);
    this.#operations = this.#allowed();
    [this.state, this.stateDetail] = this.#standing();
  }

  get settings(): InstanceSettings {
    return this.#settings;
  }

  get weight(): number {
    return this.#settings.weight;
  }

  get priority(): number {
    return this.#settings.priority;
  }

  /**
   * Takes other settings, for which its connections can stay: see `sameBackend`. What it has counted
   * and what is known of it stays too.
   */
  update(settings: InstanceSettings): void {
    const before = this.#settings;
    const wasOff = this.off;
    this.#settings = settings;
    this.breaker.configure(settings.circuitBreaker);
    if (settings.maxConcurrency !== before.maxConcurrency) {
      this.slots.limit = settings.maxConcurrency;
    }
    if (!isDeepStrictEqual(settings.models, before.models)) {
      this.catalogue = catalogueOf(settings.models, this.#listed);
    }
    this.#operations = this.#allowed();
    // The config has the last word where it is newer than the order.
    if (settings.enabled !== before.enabled) this.#orders = { ...this.#orders, enabled: undefined };
    // Through a proxy the time-out is the pool's own.
    if (settings.pool.proxy !== undefined && !isDeepStrictEqual(settings.pool, before.pool)) {
      void this.#dispatcher?.close();
      this.#dispatcher = undefined;
    }
    this.#restate(wasOff);
  }

  /** Gives orders for the moment; what is `undefined` stays as it is. */
  order(orders: Orders): void {
    const wasOff = this.off;
    const { enabled = this.#orders.enabled, draining = this.#orders.draining } = orders;
    // An order that says what the config says is none: the config may change its mind.
    this.#orders = { enabled: enabled === this.#settings.enabled ? undefined : enabled, draining };
    this.#restate(wasOff);
  }

  /** The connections to it; opened by the first use. */
  get dispatcher(): Dispatcher {
    this.#dispatcher ??= openPool(
      this.origin,
      this.#settings.pool,
      () => this.#settings.pool.connectTimeout,
    );
    return this.#dispatcher;
  }

  /** Connections to it that are open now. */
  get connections(): number {
    return this.#dispatcher ? connectionsOf(this.#dispatcher) : 0;
  }

  /** An attempt begins, and may want a connection until `leave`. */
  enter(): void {
    this.#users += 1;
  }

  leave(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#retired?.();
  }

  /** It is no longer in the config: no new calls. Settles when the running ones are over, and it is closed. */
  async retire(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#retired = resolve;
      [this.state, this.stateDetail] = this.#standing();
      if (this.#users === 0) resolve();
    });
    // Whoever has destroyed it meanwhile has closed it too.
    await this.#dispatcher?.close().catch(() => {});
  }

  /** Takes our credentials out of a text of the backend's: some repeat a key that they refuse. */
  mask(text: string): string {
    const { apiKey } = this.#settings;
    return apiKey === undefined || apiKey.length < 4 ? text : text.replaceAll(apiKey, '***');
  }

  /** A connection of its own, for one request; the caller closes it. */
  openFresh(): Dispatcher {
    return openPool(this.origin, this.#settings.pool);
  }

  /**
   * Gets a file that an answer links to.
   * @throws Error when the backend does not give it.
   */
  async fetch(path: string, signal: AbortSignal): Promise<Buffer> {
    const { statusCode, body } = await this.dispatcher.request({
      origin: this.origin,
      path: this.basePath + path,
      method: 'GET',
      headers: { ...this.headers },
      signal,
    });
    const bytes = Buffer.from(await body.arrayBuffer());
    if (statusCode !== 200) throw new Error(`GET ${path} answered ${statusCode}`);
    return bytes;
  }

  /** Somebody else's paid service, as far as its address tells: to be probed rarely. */
  get cloud(): boolean {
    return this.adapter.cloud === true && !isNearby(new URL(this.origin).hostname);
  }

  /** Whether the config or an order keeps it from being used at all, whatever a probe would say. */
  get off(): boolean {
    const { enabled, unset } = this.#settings;
    return !(this.#orders.enabled ?? enabled) || unset !== undefined;
  }

  /** Whether nobody has been asked yet how it is, or not since it was off. */
  get fresh(): boolean {
    return this.#observed === UNSEEN;
  }

  /** Attempts running now. */
  get inFlight(): number {
    return this.slots.taken;
  }

  hindrance(kind: Hindrance['kind'], model: string, now: number): Hindrance | undefined {
    switch (kind) {
      case 'open':
        return this.breaker.admits(now) ? undefined : this.#open(now);
      case 'resting': {
        const rest = this.cooling.rest(now);
        if (!rest) return undefined;
        const { until } = rest;
        return { kind, reason: `rests for ${wait(until - now)} (${rest.reason})`, until };
      }
      case 'loading': {
        const until = this.#loading.get(model) ?? 0;
        return until > now ? { kind, reason: `is loading "${model}"`, until } : undefined;
      }
      case 'busy': {
        if (!this.slots.full) return undefined;
        const { limit } = this.slots;
        return { kind, reason: `is busy with ${limit} of ${limit} calls`, until: undefined };
      }
    }
  }

  #open(now: number): Hindrance {
    const { state, forced, triesAgainAt: until } = this.breaker.view(now);
    const when = until === undefined ? '' : `, and is tried again in ${wait(until - now)}`;
    const reason =
      state === 'half-open'
        ? 'is on trial (its circuit breaker is half-open)'
        : forced
          ? 'takes no calls by order (its circuit breaker is forced open)'
          : `fails (its circuit breaker is open)${when}`;
    return { kind: 'open', reason, until };
  }

  /**
   * Takes from an attempt's end what it says of the instance.
   * @param attempt.reason One clause on what failed.
   * @param attempt.wait Milliseconds that the backend asks to wait.
   */
  conclude(
    permit: Permit,
    meaning: Meaning,
    attempt: {
      readonly now: number;
      readonly model: string;
      readonly reason: string;
      readonly wait: number | undefined;
    },
  ): void {
    const { now, model, reason } = attempt;
    if (meaning.breaker === 'success') {
      this.lastServed = now;
      this.cooling.succeeded(now);
      permit.success(now);
    } else if (meaning.breaker === 'failure') {
      permit.failure(now, reason);
    } else {
      permit.release();
    }
    if (meaning.cool !== undefined) this.cooling.cool(now, meaning.cool, meaning.name);
    if (meaning.loading === 'model') {
      this.#loading.set(model, now + Math.min(attempt.wait ?? LOADING_LOOK, LOADING_LOOK));
    }
    if (this.off) return;
    if (meaning.misconfigured) this.become('misconfigured', reason);
    else if (meaning.loading === 'instance') this.become('loading', reason);
    else if (meaning.health === 'unreachable') this.become('unhealthy', reason);
  }

  /** Changes its state, by a probe's word or by what traffic met, as far as no order stands above. */
  become(state: ObservedState, detail: string | undefined): void {
    const before = this.#observed.state;
    this.#observed = { state, detail };
    if (before === 'unhealthy' && state === 'healthy') {
      this.breaker.tryNow(performance.now(), 'it is back');
    }
    this.#settle();
  }

  /** What holds when everything that has a say has said it. */
  #standing(): [InstanceState, string | undefined] {
    const { unset, enabled } = this.#settings;
    if (this.#retired) return ['draining', 'it has left the config'];
    if (unset !== undefined) return ['misconfigured', `the variable ${unset} is not set`];
    if (this.off) return ['disabled', enabled ? 'by an order' : 'enabled: false'];
    if (this.#orders.draining) return ['draining', 'by an order'];
    return [this.#observed.state, this.#observed.detail];
  }

  #settle(): void {
    const before = this.state;
    [this.state, this.stateDetail] = this.#standing();
    if (this.state === before) return;
    this.stateSince = Date.now();
    if (!this.#retired) this.#onState(this);
  }

  /** After a change of settings or orders. */
  #restate(wasOff: boolean): void {
    // Nobody has looked while it was off.
    if (wasOff && !this.off) this.#observed = UNSEEN;
    this.#settle();
  }

  /**
   * Loads models, one after the other.
   * @param told Called with a line for each.
   */
  async warm(models: readonly string[], told: (line: string) => void): Promise<void> {
    const backend = this.#connect(() => WARM_LIMIT);
    for (const model of models) {
      const began = performance.now();
      const failed = await this.adapter.warm!(backend, model).then(
        ({ status, text }) => (status < 400 ? undefined : `${status} ${text.slice(0, 200)}`),
        (error: unknown) => String(error),
      );
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      told(
        failed === undefined
          ? `${this.name} has loaded ${model} in ${seconds} s`
          : `${this.name} could not load ${model}: ${failed}`,
      );
    }
  }

  /** Whether it says that it is loading the model, for a call that still waits for its first byte. */
  async isLoading(model: string): Promise<boolean> {
    if (this.state === 'loading') return true;
    try {
      return (await this.adapter.loading?.(this.backend, model)) ?? false;
    } catch {
      // Whoever can't be asked does not say that it is loading.
      return false;
    }
  }

  /** @returns Whether a warning has not been given before. */
  warnOnce(warning: string): boolean {
    if (this.#warned.has(warning)) return false;
    // Warnings name models, and clients may make names up.
    if (this.#warned.size >= MOST_WARNINGS) this.#warned.clear();
    this.#warned.add(warning);
    return true;
  }

  supports(operation: Operation): boolean {
    return this.asked(operation) !== undefined;
  }

  /** What this very server is asked for an operation: that, or what it is translated to. */
  asked(operation: Operation): Operation | undefined {
    return askedFor(operation, this.#has);
  }

  latency(now: number): number {
    return this.#latency.value(now);
  }

  /** Takes note of an answer's time to first byte, in milliseconds. */
  observeLatency(sample: number, now: number): void {
    this.#latency.observe(sample, now);
    if (this.#firstBytes.count >= FORGET_AFTER) this.#firstBytes.reset();
    this.#firstBytes.record(Math.max(1, Math.round(sample)));
  }

  /** @returns Milliseconds to first byte that 19 of 20 answers keep; `undefined` after a few only. */
  usualFirstByte(): number | undefined {
    return this.#firstBytes.count < ENOUGH ? undefined : this.#firstBytes.percentile(95);
  }

  /** Whether a call on it costs money. */
  get paid(): boolean {
    return this.#settings.paid ?? this.cloud;
  }

  /**
   * Takes over what a probe has found; the state is the health checker's to decide.
   * @param shown Operations that only some servers of the kind have, and this one has shown.
   */
  learn(result: ProbeResult, shown: readonly Operation[]): void {
    if (result.version !== undefined) this.version = result.version;
    if (result.facts) this.facts = result.facts;
    // The same list again must not look like a change: an index over all models depends on it.
    if (result.models && !isDeepStrictEqual(result.models, this.#listed)) {
      this.#listed = result.models;
      this.catalogue = catalogueOf(this.#settings.models, result.models);
    }
    if (result.operations) this.#offered = result.operations;
    if (result.state === 'healthy') this.#shown = shown;
    this.#operations = this.#allowed();
  }

  /** Ends idle connections now and the others when their answers are over. */
  async close(): Promise<void> {
    await this.#dispatcher?.close();
  }

  /** Ends every connection now. */
  async destroy(): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  #connect(timeout: () => number): Backend {
    const { headers, origin, basePath } = this;
    const dispatcher = () => this.dispatcher;
    return connectBackend({
      baseUrl: origin + basePath,
      headers,
      options: this.#settings.options,
      get timeout() {
        return timeout();
      },
      get dispatcher() {
        return dispatcher();
      },
    });
  }

  #allowed(): ReadonlySet<Operation> {
    const { services } = this.#settings;
    const own = Object.entries(this.adapter.operations) as [Operation, OperationSpec][];
    const unused = this.adapter.unused?.(this.settings.options);
    const allowed = own.filter(
      ([operation, { shownBy }]) =>
        !unused?.includes(operation) &&
        (this.#shown.includes(operation) ||
          (this.#offered?.includes(operation) ?? shownBy === undefined)) &&
        (services?.includes(OPERATIONS[operation].service) ?? true),
    );
    return new Set(allowed.map(([operation]) => operation));
  }
}

const UNSEEN = { state: 'unknown', detail: undefined } as const;

/** Whether an instance of these settings connects to the same backend as one of those. */
export function sameBackend(one: InstanceSettings, other: InstanceSettings): boolean {
  return isDeepStrictEqual(connection(one), connection(other));
}

function connection({ adapter, baseUrl, apiKey, headers, pool, options }: InstanceSettings) {
  const { connectTimeout: _, ...sockets } = pool;
  return { adapter, baseUrl, apiKey, headers, sockets, options };
}

const MOST_WARNINGS = 1000;
/** Answers that say what is usual, and after which what was usual is forgotten. */
const ENOUGH = 20;
const FORGET_AFTER = 1000;
/** Milliseconds for one model to be loaded. */
const WARM_LIMIT = 900_000;
/** Milliseconds after which a model that was loading is asked for again, at the latest. */
const LOADING_LOOK = 2000;

/** Milliseconds as a person waits them. */
function wait(milliseconds: number): string {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}

function ownHeaders({ adapter, apiKey, headers }: InstanceSettings): Record<string, string> {
  const own: Record<string, string> = apiKey === undefined ? {} : { ...adapter.auth(apiKey) };
  for (const [name, value] of Object.entries(headers)) own[name.toLowerCase()] = value;
  return own;
}
