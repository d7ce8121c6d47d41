import { formatShare } from '../format.ts';
import type { Asked } from './asked.ts';
import type { Closest } from './shelf.ts';

/** Why no recording answers a call, and what to do; for its client. */
export function missingText(
  { operation, stream, model }: Asked,
  closest: Closest | undefined,
): string {
  const how = stream ? 'streamed' : 'not streamed';
  const named = model === undefined ? '' : ` for the model "${model}"`;
  const what = `No recording answers this call (${operation}${named}, ${how})`;
  const todo = 'Record it with `jairouter serve --record DIR`.';
  if (!closest) return `${what}: there is none of its kind. ${todo}`;
  const { file, comparison } = closest;
  const { likeness, sameModel, differences } = comparison;
  const why = sameModel
    ? `only ${formatShare(likeness)} of what is said there is said here`
    : 'it is for another model, and not the same is said';
  return `${what}. The closest is ${file}, but ${why}: ${differences.join('; ')}. ${todo}`;
}
