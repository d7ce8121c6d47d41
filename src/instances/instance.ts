import type { Adapter, Backend, Facts, ProbeResult } from '../adapters/adapter.ts';
import type { Meaning } from '../gateway/protect/classify.ts';
import { Breaker, type Permit, type Transition } from '../gateway/protect/breaker.ts';
import { Cooling } from '../gateway/protect/cooling.ts';
import { Slots, type Queue } from '../gateway/protect/queue.ts';
import type { Catalogue, Hindrance, InstanceState, Routable } from '../gateway/directory.ts';
import type { Operation } from '../service.ts';
import { Abilities } from './abilities.ts';
import { Condition, type ObservedState, type Orders } from './condition.ts';
import { Connections } from './connections.ts';
import { FirstBytes } from './first-bytes.ts';
import { isNearby } from './nearby.ts';
import type { InstanceSettings } from './settings.ts';

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
  readonly connections: Connections;
  /** Scheme, host and port. */
  readonly origin: string;
  /** As probes see it; one for its life, so that an adapter may remember things by it. */
  readonly backend: Backend;
  readonly breaker: Breaker;
  readonly cooling = new Cooling();
  readonly slots: Slots;
  readonly firstBytes = new FirstBytes();
  /** When a call last went well, on the clock of `performance.now()`. */
  lastServed = Number.NEGATIVE_INFINITY;
  /** When it is probed next, on the same clock. */
  nextLook: number | undefined;
  /** What its adapter remembers of it. */
  readonly memory = new Map<string, number>();
  #settings: InstanceSettings;
  readonly #condition: Condition;
  readonly #abilities: Abilities;
  /** Until when it is believed that it is loading a model. */
  readonly #loading = new Map<string, number>();
  readonly #warned = new Set<string>();

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
    this.#settings = settings;
    this.name = settings.name;
    this.adapter = settings.adapter;
    this.connections = new Connections(settings);
    this.origin = this.connections.origin;
    this.backend = this.connections.backend(() => this.#settings.health.timeout);
    this.breaker = new Breaker(settings.circuitBreaker, Math.random, (transition) =>
      onBreaker?.(this, transition),
    );
    this.slots = previous?.slots ?? new Slots(settings.name, settings.maxConcurrency, queue);
    this.slots.limit = settings.maxConcurrency;
    this.#condition = new Condition(settings, () => onState(this));
    const known =
      previous?.adapter === settings.adapter && previous.settings.baseUrl === settings.baseUrl;
    this.#abilities = new Abilities(settings, known ? previous.#abilities : undefined);
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

  get state(): InstanceState {
    return this.#condition.state;
  }

  get stateDetail(): string | undefined {
    return this.#condition.detail;
  }

  /** When it came into that state, as milliseconds since the epoch. */
  get stateSince(): number {
    return this.#condition.since;
  }

  /** Whether the config or an order keeps it from being used at all, whatever a probe would say. */
  get off(): boolean {
    return this.#condition.off;
  }

  /** Whether nobody has been asked yet how it is, or not since it was off. */
  get fresh(): boolean {
    return this.#condition.fresh;
  }

  get catalogue(): Catalogue {
    return this.#abilities.catalogue;
  }

  get version(): string | undefined {
    return this.#abilities.version;
  }

  /** What its calls need to know of it; learnt by its probes. */
  get facts(): Facts {
    return this.#abilities.facts;
  }

  /** Somebody else's paid service, as far as its address tells: to be probed rarely. */
  get cloud(): boolean {
    return this.adapter.cloud === true && !isNearby(new URL(this.origin).hostname);
  }

  /** Whether a call on it costs money. */
  get paid(): boolean {
    return this.#settings.paid ?? this.cloud;
  }

  /** Attempts running now. */
  get inFlight(): number {
    return this.slots.taken;
  }

  /** Milliseconds that its answers take to begin, of late. */
  latency(now: number): number {
    return this.firstBytes.average(now);
  }

  supports(operation: Operation): boolean {
    return this.asked(operation) !== undefined;
  }

  /** What this very server is asked for an operation: that, or what it is translated to. */
  asked(operation: Operation): Operation | undefined {
    return this.#abilities.asked(operation);
  }

  /**
   * Takes other settings, for which its connections can stay: see `sameBackend`. What it has counted
   * and what is known of it stays too.
   */
  update(settings: InstanceSettings): void {
    const before = this.#settings;
    this.#settings = settings;
    this.breaker.configure(settings.circuitBreaker);
    if (settings.maxConcurrency !== before.maxConcurrency) {
      this.slots.limit = settings.maxConcurrency;
    }
    this.connections.update(settings);
    this.#abilities.update(settings);
    this.#condition.update(settings);
  }

  /** Gives orders for the moment; what is `undefined` stays as it is. */
  order(orders: Orders): void {
    this.#condition.order(orders);
  }

  /** It is no longer in the config: no new calls. Settles when the running ones are over, and it is closed. */
  retire(): Promise<void> {
    this.#condition.leave();
    return this.connections.retire();
  }

  /** Takes our credentials out of a text of the backend's: some repeat a key that they refuse. */
  mask(text: string): string {
    const { apiKey } = this.#settings;
    return apiKey === undefined || apiKey.length < 4 ? text : text.replaceAll(apiKey, '***');
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
    if (this.#condition.observed === 'unhealthy' && state === 'healthy') {
      this.breaker.tryNow(performance.now(), 'it is back');
    }
    this.#condition.observe(state, detail);
  }

  /** Takes over what a probe has found; the state is the health checker's to decide. */
  learn(result: ProbeResult): void {
    this.#abilities.learn(result);
  }

  /** Takes over which operations it has of those that only some servers of its kind have. */
  learnShown(shown: readonly Operation[]): void {
    this.#abilities.learnShown(shown);
  }

  /**
   * Loads models, one after the other.
   * @param told Called with a line for each.
   */
  async warm(models: readonly string[], told: (line: string) => void): Promise<void> {
    const backend = this.connections.backend(() => WARM_LIMIT);
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
}

const MOST_WARNINGS = 1000;
/** Milliseconds for one model to be loaded. */
const WARM_LIMIT = 900_000;
/** Milliseconds after which a model that was loading is asked for again, at the latest. */
const LOADING_LOOK = 2000;

/** Milliseconds as a person waits them. */
function wait(milliseconds: number): string {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
