import { buildDirectory, type Directory } from '../gateway/directory.ts';
import { EmbeddingSizes } from '../gateway/embedding-sizes.ts';
import type { Transition } from '../gateway/protect/breaker.ts';
import { Queue } from '../gateway/protect/queue.ts';
import { RetryBudget } from '../gateway/protect/retry-budget.ts';
import { watchHealth, type HealthWatch } from './health.ts';
import { Instance } from './instance.ts';
import { sameBackend, type InstanceSettings } from './settings.ts';

/** How long a call may wait for a second look before it is refused, in milliseconds. */
const PATIENCE = 1000;
/** A probe younger than this, in milliseconds, is not repeated for a refused call. */
const FRESH = 2000;

/** Who wants to know what happens to the instances. */
export interface FleetListener {
  /** Its members are now those of these names. */
  onMembers(names: readonly string[]): void;
  /** An instance's state has changed. */
  onState(instance: Instance): void;
  /** An instance's circuit breaker has changed its state. */
  onBreaker(instance: Instance, transition: Transition): void;
  /** Something else about an instance, in a line. */
  onNews(instance: Instance, line: string): void;
}

/** All the instances of a running gateway, their health checks and the index over their models. */
export class Fleet {
  #members = new Map<string, Member>();
  /** No longer in the config; their last calls run. */
  readonly #retiring = new Set<Instance>();
  #directory: Directory<Instance> | undefined;
  /** Calls that wait for an instance to have room. */
  readonly queue = new Queue();
  /** Keeps retries from multiplying the load when everything is down. */
  readonly retryBudget = new RetryBudget();
  /** Keeps the vectors of two models from being mixed under one name. */
  readonly embeddingSizes = new EmbeddingSizes();
  readonly #listener: FleetListener;

  constructor(listener: FleetListener) {
    this.#listener = listener;
  }

  /** Who has which model, as of now. */
  get directory(): Directory<Instance> {
    this.#directory ??= buildDirectory(this.instances());
    return this.#directory;
  }

  /**
   * Makes the members those of `settings`, in that order. One that still connects to the same backend
   * stays, with all that it has counted and knows; one that is gone, or now means another backend,
   * finishes its calls and closes. Calls that wait look again.
   */
  apply(settings: readonly InstanceSettings[]): void {
    const previous = this.#members;
    const isKept = (wanted: InstanceSettings): boolean => {
      const before = previous.get(wanted.name);
      return before !== undefined && sameBackend(before.instance.settings, wanted);
    };
    // First what may fail, as an adapter of the user's own may: until then nothing has changed.
    const opened = new Map(
      settings
        .filter((wanted) => !isKept(wanted))
        .map((wanted) => [wanted.name, this.#open(wanted, previous.get(wanted.name)?.instance)]),
    );
    this.#members = new Map();
    this.embeddingSizes.clear();
    for (const wanted of settings) {
      const { name } = wanted;
      const instance = opened.get(name);
      this.#members.set(name, instance ? this.#watch(instance) : previous.get(name)!);
      if (!instance) this.#update(this.#members.get(name)!, wanted);
    }
    for (const [name, member] of previous) {
      if (this.#members.get(name) !== member) this.#retire(member);
    }
    this.#directory = undefined;
    this.queue.reconsider();
    this.#listener.onMembers(settings.map(({ name }) => name));
  }

  #open(settings: InstanceSettings, previous: Instance | undefined): Instance {
    return new Instance(settings, {
      queue: this.queue,
      previous,
      onState: (changed) => {
        this.#listener.onState(changed);
        this.queue.reconsider();
        this.#members.get(changed.name)?.health.update();
        if (changed.state === 'healthy') this.#warm(changed, changed.settings.warm);
      },
      onBreaker: (changed, transition) => this.#listener.onBreaker(changed, transition),
    });
  }

  #watch(instance: Instance): Member {
    const health = watchHealth(instance, () => {
      this.#directory = undefined;
    });
    return { instance, health };
  }

  #update({ instance, health }: Member, settings: InstanceSettings): void {
    const { warm } = instance.settings;
    instance.update(settings);
    health.update();
    const more = settings.warm.filter((model) => !warm.includes(model));
    if (instance.state === 'healthy') this.#warm(instance, more);
  }

  #warm(instance: Instance, models: readonly string[]): void {
    void instance.warm(models, (line) => this.#listener.onNews(instance, line));
  }

  #retire({ instance, health }: Member): void {
    health.close();
    this.retryBudget.forget(instance.name);
    if (!this.#members.has(instance.name)) instance.slots.retire();
    this.#retiring.add(instance);
    void instance.retire().finally(() => this.#retiring.delete(instance));
  }

  get(name: string): Instance | undefined {
    return this.#members.get(name)?.instance;
  }

  *instances(): Generator<Instance> {
    for (const { instance } of this.#members.values()) yield instance;
  }

  /** Settles when every instance has been probed once. */
  async probed(): Promise<void> {
    await Promise.all([...this.#members.values()].map(({ health }) => health.first));
  }

  /**
   * Looks again before a call is refused: what was down or unknown a moment ago may be there now.
   * Waits a second at the most, and does not ask clouds.
   */
  async lookAgain(): Promise<void> {
    const looks = [...this.#members.values()]
      .filter(({ instance }) => !instance.cloud)
      .map(({ health }) => health.look(FRESH));
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE);
    });
    await Promise.race([Promise.all(looks), patience]);
    clearTimeout(timer);
  }

  /** Stops probing; connections end when their answers are over, or at once with `now`. */
  async close(now: boolean): Promise<void> {
    const members = [...this.#members.values()];
    for (const { health } of members) health.close();
    const instances = [...members.map(({ instance }) => instance), ...this.#retiring];
    await Promise.all(
      instances.map(({ connections }) => (now ? connections.destroy() : connections.close())),
    );
  }
}

interface Member {
  readonly instance: Instance;
  readonly health: HealthWatch;
}
