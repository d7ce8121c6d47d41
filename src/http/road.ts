import type { Place, Slot } from '../gateway/protect/queue.ts';
import type { ServicePlan } from '../gateway/snapshot.ts';
import type { Instance } from '../instances/instance.ts';
import type { Admission } from './admission.ts';
import type { Call, ClientRequest } from './call.ts';
import type { Failure } from './failure.ts';
import type { Gateway } from './gateway.ts';
import type { Standing } from './standing.ts';

/** Instances that alone can serve a call. */
export interface Only {
  has(instance: Instance): boolean;
  /** Why another can't; one clause. */
  readonly reason: string;
}

/** What a call carries along its attempts. */
export interface Road {
  readonly gateway: Gateway;
  readonly plan: ServicePlan;
  readonly call: Call;
  readonly client: ClientRequest;
  readonly admission: Admission;
  readonly failures: Failure[];
  /** Instances that no other model will bring back either. */
  readonly lost: Set<string>;
  /** What a call of Responses stands upon. */
  readonly standing: Standing | undefined;
  /** The only instances that can serve it, whatever else they can; absent: all. */
  readonly only: Only | undefined;
  /** The instance that failed it last. */
  failedOn?: string | undefined;
  /** The last failure was one that may pass: with nobody else left, its instance may be tried again. */
  mayPass: boolean;
  /** Its turn in the queue, once it has had to wait. */
  place?: Place | undefined;
  /** What it got in the queue, and has not used yet. */
  slot?: Slot | undefined;
}
