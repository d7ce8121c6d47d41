import type { Limited } from '../gateway/filters.ts';
import { admitAll, instanceRefusal, type CallCost, type Grant } from '../gateway/protect/admit.ts';
import { limitHeaders } from '../gateway/protect/limit-headers.ts';
import { callerOf, type Caller, type Limit } from '../gateway/protect/limit.ts';
import type { Limits } from '../gateway/protect/limits.ts';
import { estimateTokens } from '../gateway/protect/token-estimate.ts';
import type { Usage } from '../observe/usage.ts';
import { serviceOf } from '../service.ts';
import { clientAddress, type Call, type ClientRequest } from './call.ts';
import { pause } from './pause.ts';
import { rateLimited } from './refusal.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A call that its limits have let in, and what it owes them. */
export class Admission {
  readonly #limits: Limits;
  /** Its instance is set as each is asked about: a caller for every candidate would be a lot of garbage. */
  readonly #caller: Writable<Caller>;
  readonly #tokens: number;
  readonly #grants: Grant[];

  constructor(limits: Limits, caller: Caller, { tokens, grant }: { tokens: number; grant: Grant }) {
    this.#limits = limits;
    this.#caller = { ...caller, instance: undefined };
    this.#tokens = tokens;
    this.#grants = [grant];
  }

  /** Whether any limit is an instance's own, so that `limited` has to be asked at all. */
  get byInstance(): boolean {
    return this.#limits.countInstances;
  }

  /** @returns Why an instance's own limits refuse the call now, and when they would not. */
  limited(instance: string, now: number): Limited | undefined {
    this.#caller.instance = instance;
    return instanceRefusal(this.#limits, this.#caller, this.#cost(now));
  }

  /**
   * Charges an instance's own limits, which have just been asked.
   * @returns Milliseconds to wait where they shape.
   */
  enter(instance: string): number {
    const limits = this.#ofInstance(instance);
    if (limits.length === 0) return 0;
    const grant = admitAll(limits, this.#caller, this.#cost(performance.now()));
    if (!grant.admitted) return 0;
    this.#grants.push(grant);
    return grant.delay;
  }

  /** The call is over: estimates give way to what was used, and who reached nobody pays nothing. */
  close(reached: boolean, usage: Usage | undefined): void {
    const now = performance.now();
    for (const grant of this.#grants) {
      if (!reached) grant.refund(now);
      else if (usage) grant.settle(usage.input + usage.output, now);
    }
  }

  #ofInstance(instance: string): readonly Limit[] {
    this.#caller.instance = instance;
    return this.#limits.ofInstance(this.#caller);
  }

  #cost(now: number): CallCost {
    return { tokens: this.#tokens, now };
  }
}

/**
 * Asks every limit that holds for a call, charges all of them or none, and waits where one shapes.
 * @throws HttpError `rate_limit_exceeded` (429); ClientGone.
 */
export async function admit(limits: Limits, call: Call, client: ClientRequest): Promise<Admission> {
  const ip = clientAddress(call.request);
  const key = call.key?.name;
  const caller = callerOf({ service: serviceOf(call.operation), model: call.model!, key, ip });
  const tokens = limits.countTokens ? estimateTokens(client.fields) : 0;
  const applying = limits.ofCall(caller);
  const now = performance.now();
  const grant = admitAll(applying, caller, { tokens, now });
  if (applying.length > 0) Object.assign(call.ownHeaders, limitHeaders(applying, caller, now));
  if (!grant.admitted) throw rateLimited(grant);
  const admission = new Admission(limits, caller, { tokens, grant });
  if (grant.delay > 0) {
    try {
      await pause(call, grant.delay);
    } catch (gone) {
      admission.close(false, undefined);
      throw gone;
    }
  }
  return admission;
}
