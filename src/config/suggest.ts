/**
 * @returns The known name that was most likely meant, or `undefined` when none is like it. Case,
 * `-` and `_` don't count: `base_url` is `baseUrl`.
 */
export function nearest(given: string, known: readonly string[]): string | undefined {
  const wanted = plain(given);
  // Two slips in a word of four make any other of it.
  const reach = wanted.length < 5 ? 1 : wanted.length < 8 ? 2 : 3;
  let best: string | undefined;
  let least = reach + 1;
  for (const name of known) {
    const candidate = plain(name);
    // `url` for `baseUrl`: part of the name is nearer than any other that is just as long.
    const part = wanted.length >= 3 && candidate.includes(wanted);
    const score = part
      ? Math.min(1, candidate.length - wanted.length)
      : distance(wanted, candidate);
    if (score < least) {
      best = name;
      least = score;
    }
  }
  return best;
}

/** @returns What to say after "unknown …": the name that was meant, or all there are. */
export function suggestion(given: string, known: readonly string[]): string {
  const name = nearest(given, known);
  if (name !== undefined) return `; did you mean \`${name}\`?`;
  const list = known.filter((each) => !each.startsWith('$'));
  return list.length > 0 && list.length <= 40 ? `; known: ${list.join(', ')}` : '';
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '');
}

/** The typing slips between two names: a letter more, less or other, or two that changed places. */
function distance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(
        previous[j]! + 1,
        current[j - 1]! + 1,
        previous[j - 1]! + (same ? 0 : 1),
      );
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, beforePrevious[j - 2]! + 1);
      current[j] = least;
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}
