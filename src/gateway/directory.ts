import type { CatalogueModel } from '../adapters/adapter.ts';
import type { Operation } from '../service.ts';
import type { Candidate } from './balance/balancer.ts';

/**
 * - `unknown`: not probed yet, and so routable;
 * - `loading`: up, but says itself that it can't serve yet;
 * - `misconfigured`: refuses our credentials, or its config names an unset variable.
 */
export type InstanceState = (typeof INSTANCE_STATES)[number];
export const INSTANCE_STATES = [
  'unknown',
  'healthy',
  'loading',
  'unhealthy',
  'misconfigured',
  'draining',
  'disabled',
] as const;

/** The models of one instance, as far as they are known. */
export interface Catalogue {
  /** False until the instance was asked, or its config lists them. */
  readonly known: boolean;
  /** By every name the backend answers to. */
  readonly models: ReadonlyMap<string, CatalogueModel>;
  /** Patterns of the config's `models`, such as `gpt-*`. */
  readonly wildcards: readonly string[];
}

/** Why an instance that is well takes no call at this moment. */
export interface Hindrance {
  /**
   * `open`: its circuit breaker keeps calls away; `resting`: it asked to be left alone; `loading`: it
   * said that it is loading this very model; `busy`: it runs as many attempts as it may.
   */
  readonly kind: 'open' | 'resting' | 'loading' | 'busy';
  /** One clause. */
  readonly reason: string;
  /** When it may be over, on the clock of `now`; `undefined`: when something happens. */
  readonly until: number | undefined;
}

/** An instance as the decisions see it. */
export interface Routable extends Candidate {
  readonly adapter: { readonly name: string };
  /** Lower tiers serve first. */
  readonly priority: number;
  readonly state: InstanceState;
  /** Why it is in that state; one clause. */
  readonly stateDetail: string | undefined;
  /** When it is probed next, on the clock of `performance.now()`; absent: it is not. */
  readonly nextLook: number | undefined;
  readonly catalogue: Catalogue;
  /** What of one kind stands against a call of this model right now; nothing when nothing does. */
  hindrance(kind: Hindrance['kind'], model: string, now: number): Hindrance | undefined;
  /** Whether this very server has the operation, and its config allows the service. */
  supports(operation: Operation): boolean;
}

/** A model on an instance. */
export interface Target<I extends Routable = Routable> {
  readonly instance: I;
  /** The backend's name for it. */
  readonly model: string;
  /** What the catalogue says of it; absent for wildcards and instances not asked yet. */
  readonly entry: CatalogueModel | undefined;
}

/** Who has which model: an index over the live catalogues, made anew when one of them changes. */
export interface Directory<I extends Routable = Routable> {
  readonly instances: ReadonlyMap<string, I>;
  readonly exact: ReadonlyMap<string, readonly Target<I>[]>;
  readonly wildcards: readonly { readonly pattern: string; readonly instance: I }[];
}

/** Indexes the catalogues of these instances. Cost grows with the number of models listed. */
export function buildDirectory<I extends Routable>(instances: Iterable<I>): Directory<I> {
  const byName = new Map<string, I>();
  const exact = new Map<string, Target<I>[]>();
  const wildcards: { pattern: string; instance: I }[] = [];
  for (const instance of instances) {
    byName.set(instance.name, instance);
    for (const [name, entry] of instance.catalogue.models) {
      const target: Target<I> = { instance, model: name, entry };
      const others = exact.get(name);
      if (others) others.push(target);
      else exact.set(name, [target]);
    }
    for (const pattern of instance.catalogue.wildcards) wildcards.push({ pattern, instance });
  }
  return { instances: byName, exact, wildcards };
}

/** Whether `name` fits a pattern in which `*` stands for any run of characters. */
export function matchesPattern(pattern: string, name: string): boolean {
  const pieces = pattern.split('*');
  const first = pieces.shift()!;
  if (pieces.length === 0) return pattern === name;
  const last = pieces.pop()!;
  if (name.length < first.length + last.length) return false;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let from = first.length;
  const end = name.length - last.length;
  for (const piece of pieces) {
    const at = name.indexOf(piece, from);
    if (at < 0 || at + piece.length > end) return false;
    from = at + piece.length;
  }
  return true;
}
