import type { ConfigInput } from '../schema.ts';

export type InstanceInput = NonNullable<ConfigInput['instances']>[string];
export type ModelInput = NonNullable<ConfigInput['models']>[string];
export type RateLimitInput = NonNullable<ConfigInput['rateLimit']>;
export type CircuitBreakerInput = NonNullable<
  NonNullable<ConfigInput['defaults']>['circuitBreaker']
>;

/** Another gateway's config, as ours. */
export interface Imported {
  readonly from: 'JAiRouter' | 'LiteLLM';
  readonly config: ConfigInput;
  /** What has no counterpart, or is another way here. */
  readonly left: readonly LeftOut[];
}

export interface LeftOut {
  /** The place in the other config, such as `router_settings.redis_host`. */
  readonly what: string;
  /** A clause on why, or on what to do instead. */
  readonly why: string;
}

/** Collects what can't be carried over; the same thing at many places is told once. */
export class Remains {
  readonly #places = new Map<string, string[]>();

  add(what: string, why: string): void {
    const places = this.#places.get(why) ?? [];
    if (!places.includes(what)) places.push(what);
    this.#places.set(why, places);
  }

  list(): LeftOut[] {
    return [...this.#places].map(([why, places]) => {
      const shown = places.slice(0, 4).join(', ');
      return { what: places.length > 4 ? `${shown} and ${places.length - 4} more` : shown, why };
    });
  }
}

/** The block with what is known of it, or nothing where nothing is. */
export function ifAny<K extends string, B extends object>(
  key: K,
  block: B,
): { [P in K]?: B } | object {
  return Object.keys(block).length > 0 ? { [key]: block } : {};
}
