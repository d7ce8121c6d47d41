/** @param {readonly number[]} numbers Not empty. @param {number} share In [0, 1]. */
export function quantile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** @param {readonly number[]} numbers Not empty. */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The median over the rounds of one target's sample set against another's of the same round: what
 * disturbs the machine disturbs both of them.
 * @param {(own: number, other: number) => number} how
 */
export function against(own, other, how) {
  return median(own.map((value, round) => how(value, other[round])));
}
