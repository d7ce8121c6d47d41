import type { InstanceState } from '../gateway/directory.ts';
import type { Paint } from './terminal.ts';

/** Colours what belongs to an instance by how it is. */
export function paintState(text: string, state: InstanceState, paint: Paint): string {
  if (state === 'healthy') return paint.good(text);
  if (state === 'unhealthy' || state === 'misconfigured') return paint.bad(text);
  return state === 'disabled' || state === 'draining' ? paint.faint(text) : text;
}
