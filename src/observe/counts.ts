import type { Ended } from './outcome.ts';
import type { Totals } from './status.ts';

/** What is counted of calls, or of attempts, since the start. */
export type Counts = { -readonly [K in keyof Omit<Totals, 'errors'>]: number };

export function noCounts(): Counts {
  return {
    calls: 0,
    ok: 0,
    failed: 0,
    broken: 0,
    aborted: 0,
    tokensIn: 0,
    tokensOut: 0,
    tokensGuessed: 0,
    bytesIn: 0,
    bytesOut: 0,
  };
}

/** Counts one more. */
export function count(counts: Counts, ended: Ended): void {
  const { ending, usage, tokensGuessed, bytesIn, bytesOut } = ended;
  counts.calls += 1;
  if (ending === 'ok') counts.ok += 1;
  else if (ending === 'error') counts.failed += 1;
  else if (ending === 'broken') counts.broken += 1;
  else counts.aborted += 1;
  if (usage) {
    counts.tokensIn += usage.input;
    counts.tokensOut += usage.output;
  }
  counts.tokensGuessed += tokensGuessed;
  counts.bytesIn += bytesIn;
  counts.bytesOut += bytesOut;
}

/** Counts one more of a kind. */
export function increase<K>(counts: Map<K, number>, kind: K): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}
