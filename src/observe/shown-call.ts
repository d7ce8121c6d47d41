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
export function shownCall({ seq, outcome, capture }: KeptCall): RecentCall {
  return known({
    seq,
    ...outcome,
    modelKnown: undefined,
    trace: undefined,
    traceId: outcome.trace?.traceId,
    attempts: outcome.attempts.map(shownAttempt),
    captured: capture !== undefined,
  });
}

function shownAttempt(attempt: AttemptRecord): ShownAttempt {
  return known({
    ...attempt,
    adapter: undefined,
    origin: undefined,
    spanId: undefined,
    choice: undefined,
    why: whyText(attempt.choice),
  });
}
