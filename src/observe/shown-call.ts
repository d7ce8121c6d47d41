import { whyText } from './choice.ts';
import { known } from './known.ts';
import type { AttemptRecord, Outcome } from './outcome.ts';
import type { RecentCall, ShownAttempt } from './status.ts';

/** A call's record as it is shown. */
export function shownCall(seq: number, outcome: Outcome): RecentCall {
  return known({
    seq,
    ...outcome,
    modelKnown: undefined,
    attempts: outcome.attempts.map(shownAttempt),
    captured: false,
  });
}

function shownAttempt(attempt: AttemptRecord): ShownAttempt {
  return known({ ...attempt, choice: undefined, why: whyText(attempt.choice) });
}
