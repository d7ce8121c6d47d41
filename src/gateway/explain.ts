import { serviceOf, type Operation } from '../service.ts';
import { affinityOf } from './balance/affinity.ts';
import type { Rejection } from './candidates.ts';
import { contest } from './contest.ts';
import type { Directory, Target } from './directory.ts';
import type {
  Choice,
  ExplainedCandidate,
  ExplainedFilter,
  ExplainedStep,
  Explanation,
  LimitLeft,
} from './explanation.ts';
import { FILTERS, rejection, type FilterContext } from './filters.ts';
import { instanceRefusal, refusal, type Refusal } from './protect/admit.ts';
import { callerOf, type Caller, type Limit } from './protect/limit.ts';
import { gauge } from './protect/limit-headers.ts';
import { resolve } from './resolve.ts';
import type { ServicePlan, Snapshot } from './snapshot.ts';

/** A call that might be made. */
export interface Question {
  readonly operation: Operation;
  /** As a client would send it; absent: it names none. */
  readonly model: string | undefined;
  /** The client's address. */
  readonly ip: string;
  /** The API key that it would show. */
  readonly key: { readonly name: string; readonly key: string } | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** The body's top-level fields, as far as they are known. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** An estimate of its tokens, for limits that count them. */
  readonly tokens: number;
}

/** What it is asked of. */
interface World {
  readonly snapshot: Snapshot;
  readonly directory: Directory;
  /** Milliseconds, on the clock of the instances. */
  readonly now: number;
}

/** What a call would be refused for, beside what is explained. */
export interface Outlook {
  readonly explanation: Explanation;
  /** A limit on the call as a whole. */
  readonly refusal: Refusal | undefined;
  /** Of all steps, as the call itself would collect them. */
  readonly rejections: readonly Rejection[];
}

/**
 * Says what would become of a call: by the same filters and strategies that it would meet, as things
 * stand at `now`. Nobody is called, no limit charged, and no strategy's turn moved.
 */
export function explain(question: Question, world: World): Outlook {
  const { operation, ip, key } = question;
  const { snapshot, directory, now } = world;
  const service = serviceOf(operation);
  const plan = snapshot.services[service];
  const model = question.model ?? plan.defaultModel;
  const about = {
    service,
    operation,
    model,
    isDefault: question.model === undefined && model !== undefined,
    balance: plan.loadBalance,
    attempts: plan.retry.attempts,
  };
  if (model === undefined) {
    const explanation = { ...about, limits: [], steps: [], choice: undefined };
    return { explanation, refusal: undefined, rejections: [] };
  }

  const caller = callerOf({ service, model, key: key?.name, ip });
  const cost = { tokens: question.tokens, now };
  const limits = snapshot.limits.ofCall(caller);
  const context: FilterContext = {
    operation,
    tried: new Set(),
    now,
    limited: (instance) => instanceRefusal(snapshot.limits, { ...caller, instance }, cost),
  };
  const affinity = affinityFor(plan, question);
  const rejections: Rejection[] = [];
  const steps: ExplainedStep[] = [];
  let choice: Choice | undefined;
  for (const step of resolve(model, snapshot.aliases, directory)) {
    const judged = step.targets.map((target) => ({ target, verdict: rejection(target, context) }));
    for (const { target, verdict } of judged) {
      if (!verdict) continue;
      rejections.push({ instance: target.instance.name, model: target.model, ...verdict });
    }
    const able = judged.filter(({ verdict }) => !verdict).map(({ target }) => target);
    const places = contest(able, step, { plan, affinity, now });
    const candidates = judged.map(({ target, verdict }): ExplainedCandidate => {
      const place = places.get(target);
      const chosen = choice === undefined && place?.first === true;
      const ahead = choice && `is for when ${choice.instance} and all others before it fail`;
      return {
        ...traits(target),
        filters: filtersOf(target, context, { caller, snapshot }),
        standing: place?.standing,
        chosen,
        reason: verdict?.reason ?? ahead ?? place!.reason,
      };
    });
    steps.push({ model: step.model, via: step.via, fallback: steps.length > 0, candidates });
    const chosen = candidates.find((candidate) => candidate.chosen);
    if (chosen) {
      const { instance, reason, standing } = chosen;
      choice = { instance, model: chosen.model, chance: standing?.chance ?? 1, reason };
    }
  }
  return {
    explanation: {
      ...about,
      limits: limits.map((limit) => left(limit, caller, cost)),
      steps,
      choice,
    },
    refusal: refusal(limits, caller, cost),
    rejections,
  };
}

function traits({ instance, model, entry }: Target) {
  const { name, adapter, weight, priority, inFlight } = instance;
  return {
    instance: name,
    model,
    adapter: adapter.name,
    weight,
    priority,
    inFlight,
    loaded: entry?.loaded,
  };
}

function filtersOf(
  target: Target,
  context: FilterContext,
  limits: { readonly caller: Caller; readonly snapshot: Snapshot },
): ExplainedFilter[] {
  // Nothing has been tried yet.
  const asked = FILTERS.filter(({ name }) => name !== 'tried');
  return asked.map((filter) => {
    const { name } = filter;
    const verdict = filter.reject(target, context);
    if (!verdict) {
      const text = name === 'limit' ? limitText(target, limits, context.now) : undefined;
      return {
        name,
        passes: true,
        text: text ?? filter.pass(target, context),
        changesIn: undefined,
      };
    }
    const { reason, until } = verdict;
    const changesIn = until === undefined ? undefined : Math.max(0, until - context.now);
    return { name, passes: false, text: reason, changesIn };
  });
}

/** @returns What is left of an instance's own limits; nothing when it has none. */
function limitText(
  { instance }: Target,
  { caller, snapshot }: { readonly caller: Caller; readonly snapshot: Snapshot },
  now: number,
): string | undefined {
  const onIt = { ...caller, instance: instance.name };
  const limits = snapshot.limits.ofInstance(onIt);
  if (limits.length === 0) return 'has no rate limit of its own';
  const clauses = limits.map((limit) => {
    const { remaining, limit: most } = gauge(limit, onIt, now);
    return `${remaining} of ${most} left of ${limit.text}`;
  });
  return `has ${clauses.join(', ')}`;
}

function left(
  limit: Limit,
  caller: Caller,
  cost: { readonly tokens: number; readonly now: number },
): LimitLeft {
  const { limit: most, remaining, reset } = gauge(limit, caller, cost.now);
  return {
    text: limit.text,
    unit: limit.unit,
    limit: most,
    remaining,
    resetIn: reset,
    admits: refusal([limit], caller, cost) === undefined,
  };
}

function affinityFor({ loadBalance }: ServicePlan, question: Question): string {
  if (loadBalance.strategy !== 'consistent-hash') return question.ip;
  const { ip, key, headers, fields } = question;
  return affinityOf(loadBalance.key, { ip, apiKey: key?.key, headers, fields });
}
