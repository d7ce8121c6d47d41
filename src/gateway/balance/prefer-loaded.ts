/**
 * Narrows the candidates to those that have the model in memory: a cold load costs more than any
 * imbalance.
 * @returns All of them when none has it.
 */
export function preferLoaded<C>(
  candidates: readonly C[],
  isLoaded: (candidate: C) => boolean,
): readonly C[] {
  const loaded = candidates.filter(isLoaded);
  return loaded.length > 0 ? loaded : candidates;
}
