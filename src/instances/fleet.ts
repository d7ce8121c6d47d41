import { isDeepStrictEqual } from 'node:util';
import { buildDirectory, type Directory } from '../gateway/directory.ts';
import { EmbeddingSizes } from '../gateway/embedding-sizes.ts';
import type { Transition } from '../gateway/protect/breaker.ts';
import { Queue } from '../gateway/protect/queue.ts';
import { RetryBudget } from '../gateway/protect/retry-budget.ts';
import { watchHealth, type HealthWatch } from './health.ts';
import { Instance, type InstanceSettings } from './instance.ts';

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
  #members = new Map<string, { instance: Instance; health: HealthWatch }>();
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
   * Makes the members those of `settings`, in that order. An instance whose settings did not change
   * stays as it is; one that is gone finishes its calls and closes.
   */
  apply(settings: readonly InstanceSettings[]): void {
    const previous = this.#members;
    this.#members = new Map();
    this.embeddingSizes.clear();
    for (const wanted of settings) {
      const kept = previous.get(wanted.name);
      if (kept && isDeepStrictEqual(kept.instance.settings, wanted)) {
        this.#members.set(wanted.name, kept);
        previous.delete(wanted.name);
      } else {
        const instance = new Instance(wanted, {
          queue: this.queue,
          onState: (changed) => {
            this.#listener.onState(changed);
            this.queue.reconsider();
            if (changed.state === 'healthy')
              void changed.warm((line) => this.#listener.onNews(changed, line));
          },
          onBreaker: (changed, transition) => this.#listener.onBreaker(changed, transition),
        });
        const health = watchHealth(instance, () => {
          this.#directory = undefined;
        });
        this.#members.set(wanted.name, { instance, health });
      }
    }
    for (const { instance, health } of previous.values()) {
      health.close();
      void instance.close();
      this.retryBudget.forget(instance.name);
    }
    this.#directory = undefined;
    this.#listener.onMembers(settings.map(({ name }) => name));
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
    await Promise.all(members.map(({ instance }) => (now ? instance.destroy() : instance.close())));
  }
}
