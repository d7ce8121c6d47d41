import { BUILT_IN } from '../../config/settings.ts';
import { KeyedStates } from './keyed-states.ts';
import { LIMITERS } from './limiters/index.ts';
import type { Limiter, RateLimit } from './limiters/limiter.ts';

/** Where a `rateLimit` block stands; the top of the config is `all`. */
export type LimitScope = 'all' | 'service' | 'model' | 'instance' | 'key';

/** A `rateLimit` block and its place. */
export interface LimitRule {
  readonly scope: LimitScope;
  /** Of the service, model, instance or API key; `''` for `all`. */
  readonly name: string;
  readonly settings: RateLimit;
}

type Per = NonNullable<RateLimit['per']>;
export type CostUnit = NonNullable<RateLimit['cost']>;

/** Who calls, and for what: what limits are chosen by, and what they count by. */
export interface Caller {
  readonly service: string;
  /** The name that the client asked for. */
  readonly model: string;
  /** The API key's name; `undefined` when none is configured. Such callers share one count. */
  readonly key: string | undefined;
  readonly ip: string;
  /** The key where there is one, else the address; of a form in which these can't be confused. */
  readonly client: string;
  /** Where an attempt goes; `undefined` until that is chosen. */
  readonly instance?: string | undefined;
}

/** @returns A caller, as the limits on its call know it. */
export function callerOf(call: Pick<Caller, 'service' | 'model' | 'key' | 'ip'>): Caller {
  const { service, model, key, ip } = call;
  return { service, model, key, ip, client: key === undefined ? `ip ${ip}` : `key ${key}` };
}

/** One configured limit, with the state of everybody that it counts. */
export class Limit {
  readonly rule: LimitRule;
  /** The same for blocks that mean the same at the same place: its state may be carried over. */
  readonly id: string;
  readonly per: Per;
  readonly unit: CostUnit;
  readonly limiter: Limiter;
  readonly states: KeyedStates<unknown>;

  constructor(rule: LimitRule) {
    const { algorithm, per, cost } = withDefaults(rule.settings);
    const { rate, capacity } = rule.settings;
    this.rule = rule;
    this.id = limitId(rule);
    this.per = per;
    this.unit = cost;
    this.limiter = LIMITERS[algorithm]({ rate, capacity });
    this.states = new KeyedStates(this.limiter);
  }

  /** Whether it can only be asked once the instance of an attempt is known. */
  get needsInstance(): boolean {
    return this.rule.scope === 'instance' || this.per === 'instance';
  }

  keyOf(caller: Caller): string {
    return this.per === 'global' ? '' : (caller[this.per] ?? '');
  }

  /**
   * What a call is charged. An estimate of more tokens than the limit ever admits is cut to it:
   * that call goes when nothing else is used, and owes the rest once its usage is known.
   */
  costOf(tokens: number): number {
    return this.unit === 'requests'
      ? 1
      : Math.min(Math.max(1, tokens), Math.floor(this.limiter.limit));
  }

  /** Where it stands in the config: `all`, `service chat`, `key me`. */
  get place(): string {
    const { scope, name } = this.rule;
    return scope === 'all' ? scope : `${scope} ${name}`;
  }

  /** One clause for an error message: `10 requests per second for service chat, per client`. */
  get text(): string {
    const { scope, name, settings } = this.rule;
    const { count, per } = settings.rate;
    const what = scope === 'all' ? 'all calls' : `${scope === 'key' ? 'API key' : scope} ${name}`;
    const each = this.per === 'global' ? '' : `, per ${this.per}`;
    const unit = count === 1 ? this.unit.slice(0, -1) : this.unit;
    return `${count} ${unit} per ${UNITS[per] ?? `${per} ms`} for ${what}${each}`;
  }
}

const UNITS: Readonly<Record<number, string>> = {
  1000: 'second',
  60_000: 'minute',
  3_600_000: 'hour',
};

export function limitId({ scope, name, settings }: LimitRule): string {
  const { algorithm, per, cost } = withDefaults(settings);
  const { rate, capacity } = settings;
  return JSON.stringify([scope, name, algorithm, rate.count, rate.per, capacity, per, cost]);
}

function withDefaults({ algorithm, per, cost }: RateLimit) {
  return {
    algorithm: algorithm ?? BUILT_IN.rateLimit.algorithm,
    per: per ?? BUILT_IN.rateLimit.per,
    cost: cost ?? BUILT_IN.rateLimit.cost,
  };
}
