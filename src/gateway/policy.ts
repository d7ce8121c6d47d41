/** Answers that another instance may do better (RFC 9110; 529 is Anthropic's "overloaded"). */
const RETRYABLE = new Set([408, 425, 429, 500, 502, 503, 504, 529]);

/** Whether a backend's answer with this status is worth a try on another instance. */
export function isRetryable(status: number): boolean {
  return RETRYABLE.has(status);
}

/** What went wrong with an attempt, from the least telling to the most. */
export const FAILURE_KINDS = ['unreachable', 'broken', 'timeout', 'answer'] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** The failure to report when a call's attempts have all failed: the most telling, the latest of equals. */
export function mostTelling<F extends { readonly kind: FailureKind }>(failures: readonly F[]): F {
  let best = failures[0]!;
  for (const failure of failures) {
    if (FAILURE_KINDS.indexOf(failure.kind) >= FAILURE_KINDS.indexOf(best.kind)) best = failure;
  }
  return best;
}
