import type { InstanceState } from '../gateway/directory.ts';
import type { InstanceSettings } from './settings.ts';

/** What probes and traffic can say of an instance. */
export type ObservedState = Exclude<InstanceState, 'disabled' | 'draining'>;

/** What the admin wants for the moment; it stands above the config and what was observed. */
export interface Orders {
  readonly enabled?: boolean | undefined;
  /** No new calls; those that run go on. */
  readonly draining?: boolean | undefined;
}

type Says = Pick<InstanceSettings, 'enabled' | 'unset'>;

/** An instance's state: what its config and orders make of it, or else what was observed. */
export class Condition {
  state: InstanceState;
  /** One clause on why. */
  detail: string | undefined;
  /** When it came into that state, as milliseconds since the epoch. */
  since = Date.now();
  readonly #onChange: () => void;
  #settings: Says;
  #orders: Orders = {};
  #observed: { readonly state: ObservedState; readonly detail: string | undefined } = UNSEEN;
  #left = false;

  /** @param onChange Called when the state has changed, but not by `leave`. */
  constructor(settings: Says, onChange: () => void) {
    this.#settings = settings;
    this.#onChange = onChange;
    [this.state, this.detail] = this.#standing();
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

  update(settings: Says): void {
    const before = this.#settings;
    const wasOff = this.off;
    this.#settings = settings;
    // The config has the last word where it is newer than the order.
    if (settings.enabled !== before.enabled) this.#orders = { ...this.#orders, enabled: undefined };
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

  /** What it would be if no order stood above it. */
  get observed(): ObservedState {
    return this.#observed.state;
  }

  observe(state: ObservedState, detail: string | undefined): void {
    this.#observed = { state, detail };
    this.#settle();
  }

  /** It is no longer in the config. */
  leave(): void {
    this.#left = true;
    this.#settle();
  }

  /** What holds when everything that has a say has said it. */
  #standing(): [InstanceState, string | undefined] {
    const { unset, enabled } = this.#settings;
    if (this.#left) return ['draining', 'it has left the config'];
    if (unset !== undefined) return ['misconfigured', `the variable ${unset} is not set`];
    if (this.off) return ['disabled', enabled ? 'by an order' : 'enabled: false'];
    if (this.#orders.draining) return ['draining', 'by an order'];
    return [this.#observed.state, this.#observed.detail];
  }

  #settle(): void {
    const before = this.state;
    [this.state, this.detail] = this.#standing();
    if (this.state === before) return;
    this.since = Date.now();
    if (!this.#left) this.#onChange();
  }

  /** After a change of settings or orders. */
  #restate(wasOff: boolean): void {
    // Nobody has looked while it was off.
    if (wasOff && !this.off) this.#observed = UNSEEN;
    this.#settle();
  }
}

const UNSEEN = { state: 'unknown', detail: undefined } as const;
