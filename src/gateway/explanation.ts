import type { LoadBalance } from '../config/settings.ts';
import type { Operation, Service } from '../service.ts';
import type { Standing } from './balance/balancer.ts';
import type { Via } from './resolve.ts';

/** What would become of a call, and why. Spans are milliseconds. */
export interface Explanation {
  readonly service: Service;
  readonly operation: Operation;
  /** Absent: the call names none, and the service has no default. */
  readonly model: string | undefined;
  /** The client sent none: it is the service's default. */
  readonly isDefault: boolean;
  readonly balance: LoadBalance;
  /** Attempts at the most. */
  readonly attempts: number;
  /** Those that the call as a whole is held to. */
  readonly limits: readonly LimitLeft[];
  /** The names that are tried, in their order. */
  readonly steps: readonly ExplainedStep[];
  /** Where it would go; absent: nowhere now. With chance, to the likeliest. */
  readonly choice: Choice | undefined;
}

export interface LimitLeft {
  /** One clause: `10 requests per second for service chat`. */
  readonly text: string;
  readonly unit: 'requests' | 'tokens';
  /** Admitted at one moment, when nothing is used. */
  readonly limit: number;
  readonly remaining: number;
  /** Until nothing is used. */
  readonly resetIn: number;
  readonly admits: boolean;
}

export interface ExplainedStep {
  readonly model: string;
  readonly via: Via;
  /** Only tried when nobody can serve the steps before. */
  readonly fallback: boolean;
  readonly candidates: readonly ExplainedCandidate[];
}

export interface ExplainedCandidate {
  readonly instance: string;
  /** The backend's name for the model. */
  readonly model: string;
  readonly adapter: string;
  readonly weight: number;
  readonly priority: number;
  readonly inFlight: number;
  /** Absent: the backend does not say. */
  readonly loaded: boolean | undefined;
  /** All that it has to pass, in their order. */
  readonly filters: readonly ExplainedFilter[];
  /** What the strategy goes by; only for those that it chooses among. */
  readonly standing: Standing | undefined;
  readonly chosen: boolean;
  /** Why it is chosen, or why it is not. One clause, without a subject. */
  readonly reason: string;
}

export interface ExplainedFilter {
  readonly name: string;
  readonly passes: boolean;
  /** One clause, without a subject. */
  readonly text: string;
  /** When that may change; absent: nobody can say. */
  readonly changesIn: number | undefined;
}

export interface Choice {
  readonly instance: string;
  readonly model: string;
  /** 1 where the strategy leaves nothing to chance. */
  readonly chance: number;
  /** One clause. */
  readonly reason: string;
}
