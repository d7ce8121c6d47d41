import type { Capture } from './capture.ts';
import { whyText } from './choice.ts';
import { known } from './known.ts';
import type { AttemptRecord, Outcome } from './outcome.ts';
import type { RecentCall, ShownAttempt } from './status.ts';

/** A call that is kept. */
export interface KeptCall {
  readonly seq: number;
  readonly outcome: Outcome;
  /** Its bodies, as long as they are kept. */
  capture: Capture | undefined;
}

/** A call's record as it is shown. */
export function shownCall(kept: KeptCall): RecentCall {
  return known({ ...fieldsOf(kept), attempts: kept.outcome.attempts.map(shownAttempt) });
}

/** The same as JSON, for those who are told of each call: that leaves out by itself what nobody knows. */
export function callJson(kept: KeptCall): string {
  return JSON.stringify({ ...fieldsOf(kept), attempts: kept.outcome.attempts.map(attemptFields) });
}

function fieldsOf({ seq, outcome, capture }: KeptCall) {
  return {
    seq,
    ...outcome,
    modelKnown: undefined,
    trace: undefined,
    traceId: outcome.trace?.traceId,
    captured: capture !== undefined,
  };
}

function shownAttempt(attempt: AttemptRecord): ShownAttempt {
  return known(attemptFields(attempt));
}

function attemptFields(attempt: AttemptRecord) {
  return {
    ...attempt,
    adapter: undefined,
    origin: undefined,
    spanId: undefined,
    choice: undefined,
    why: whyText(attempt.choice),
  };
}
