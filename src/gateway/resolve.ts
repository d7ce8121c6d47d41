import { distance } from './nearest.ts';
import { matchesPattern, type Directory, type Routable, type Target } from './directory.ts';
import type { Alias } from './snapshot.ts';

/** How a model name was understood. */
export type Via = 'alias' | 'instance' | 'catalogue' | 'wildcard';

/** One model name to try, with everything that has it. */
export interface Step<I extends Routable = Routable> {
  readonly model: string;
  readonly via: Via;
  readonly targets: readonly Target<I>[];
}

/**
 * What a client's model name stands for: alias, then `instance/model`, then a catalogue's exact
 * name, then a wildcard; after it, the alias's fallback models in their order.
 *
 * @returns No step when nobody knows the name. Only the first step decides that: a fallback that
 * is known nowhere is left out.
 */
export function resolve<I extends Routable>(
  name: string,
  aliases: ReadonlyMap<string, Alias>,
  directory: Directory<I>,
): Step<I>[] {
  const steps: Step<I>[] = [];
  const seen = new Set<string>();
  const visit = (model: string): void => {
    if (seen.has(model)) return;
    seen.add(model);
    const alias = aliases.get(model);
    const step = alias ? aliasStep(model, alias, directory) : lookUp(model, directory);
    if (step) steps.push(step);
    else if (steps.length === 0) return;
    for (const fallback of alias?.fallback ?? []) visit(fallback);
  };
  visit(name);
  return steps;
}

/** What Ollama's clients put after a name that has no tag. */
const LATEST = ':latest';

/** The name that is known here of a model which a client of Ollama's calls by its usual tag. */
export function withoutTag(
  name: string,
  aliases: ReadonlyMap<string, Alias>,
  directory: Directory,
): string {
  if (!name.endsWith(LATEST) || resolve(name, aliases, directory).length > 0) return name;
  const plain = name.slice(0, -LATEST.length);
  return resolve(plain, aliases, directory).length > 0 ? plain : name;
}

function aliasStep<I extends Routable>(
  model: string,
  alias: Alias,
  directory: Directory<I>,
): Step<I> {
  const targets: Target<I>[] = [];
  for (const { instance: name, model: wanted } of alias.targets) {
    const instance = directory.instances.get(name);
    if (instance) targets.push(targetOn(instance, wanted));
  }
  return { model, via: 'alias', targets };
}

function lookUp<I extends Routable>(model: string, directory: Directory<I>): Step<I> | undefined {
  const slash = model.indexOf('/');
  const instance = slash > 0 ? directory.instances.get(model.slice(0, slash)) : undefined;
  if (instance) {
    const target = targetOn(instance, model.slice(slash + 1));
    if (hasModel(target)) return { model, via: 'instance', targets: [target] };
  }
  const exact = directory.exact.get(model);
  if (exact) return { model, via: 'catalogue', targets: exact };
  const wild = directory.wildcards.filter(({ pattern }) => matchesPattern(pattern, model));
  if (wild.length === 0) return undefined;
  const unique = new Set(wild.map(({ instance: owner }) => owner));
  return {
    model,
    via: 'wildcard',
    targets: [...unique].map((owner) => ({ instance: owner, model, entry: undefined })),
  };
}

function targetOn<I extends Routable>(instance: I, model: string): Target<I> {
  return { instance, model, entry: instance.catalogue.models.get(model) };
}

/** Whether the target's instance has the model, or may have it for all we know. */
export function hasModel({ instance, model, entry }: Target): boolean {
  const { known, wildcards } = instance.catalogue;
  return (
    entry !== undefined || !known || wildcards.some((pattern) => matchesPattern(pattern, model))
  );
}

/** The known names most like `name`, best first: three at the most, none that is unlike. */
export function nearestModels(
  name: string,
  aliases: ReadonlyMap<string, Alias>,
  directory: Directory,
): string[] {
  return nearestNames(name, [...aliases.keys(), ...directory.exact.keys()]);
}

/** The same among any names. */
export function nearestNames(name: string, names: Iterable<string>): string[] {
  const wanted = name.toLowerCase();
  const scored: { known: string; score: number }[] = [];
  for (const known of new Set(names)) {
    const candidate = known.toLowerCase();
    const within = candidate.includes(wanted) || wanted.includes(candidate);
    const score =
      within && Math.min(wanted.length, candidate.length) > 2 ? 1 : distance(wanted, candidate);
    if (score <= Math.max(2, wanted.length / 3)) scored.push({ known, score });
  }
  scored.sort((a, b) => a.score - b.score || a.known.localeCompare(b.known));
  return scored.slice(0, 3).map(({ known }) => known);
}
