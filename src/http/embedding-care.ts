import { vectorLength } from '../adapters/embeddings.ts';
import type { Rejection } from '../gateway/candidates.ts';
import type { Target } from '../gateway/directory.ts';
import type { Instance } from '../instances/instance.ts';
import { serviceOf } from '../service.ts';
import type { Call, ClientRequest } from './call.ts';
import { embeddingMismatch } from './failure.ts';
import type { Gateway } from './gateway.ts';
import type { AttemptRequest } from './outlet.ts';

/** What a call's vectors depend on: the name that it asks for, and the length that it wants. */
function keyOf(call: Call, client: ClientRequest): string {
  const { dimensions } = client.fields;
  return typeof dimensions === 'number' ? `${call.model}\n${dimensions}` : call.model!;
}

/** Targets that have given other vectors for the name than the first, apart from the others. */
export function withoutUnlike(
  targets: readonly Target<Instance>[],
  { fleet }: Gateway,
  call: Call,
  client: ClientRequest,
): { targets: readonly Target<Instance>[]; unlike: readonly Rejection[] } {
  if (serviceOf(call.operation) !== 'embeddings') return { targets, unlike: [] };
  const key = keyOf(call, client);
  const now = performance.now();
  const open: Target<Instance>[] = [];
  const unlike: Rejection[] = [];
  for (const target of targets) {
    const { instance, model } = target;
    const reason = fleet.embeddingSizes.refusal(key, instance.name, now);
    if (reason === undefined) open.push(target);
    else unlike.push({ instance: instance.name, model, kind: 'unsupported', reason });
  }
  return { targets: open, unlike };
}

/** Refuses vectors that can't be compared with those that the name has given before. */
export function objectionTo(
  { instance }: Target<Instance>,
  { fleet }: Gateway,
  call: Call,
  client: ClientRequest,
): AttemptRequest['objection'] {
  if (serviceOf(call.operation) !== 'embeddings') return undefined;
  // A large request is let go of once it is sent.
  const key = keyOf(call, client);
  return (body) => {
    const numbers = vectorLength(body);
    if (numbers === undefined) return undefined;
    const now = performance.now();
    const reason = fleet.embeddingSizes.see(key, instance.name, { numbers, now });
    if (reason === undefined) return undefined;
    return embeddingMismatch(
      `"${instance.name}" ${reason} for "${call.model}": they are two models, and their vectors can't be compared. Give each a name of its own under models.`,
    );
  };
}
