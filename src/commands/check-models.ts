import { buildDirectory, type Directory } from '../gateway/directory.ts';
import { hasModel, nearestModels, resolve } from '../gateway/resolve.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import { modelHint } from '../instances/hints.ts';
import type { Instance } from '../instances/instance.ts';
import { SERVICES } from '../service.ts';

/** Something that the config says of a model and that does not hold. */
export interface ModelProblem {
  /** Where it says so: `models.coder`, `services.chat.defaultModel`. */
  readonly place: string;
  readonly problem: string;
  readonly hint?: string;
}

/**
 * Looks for the models that aliases and services name.
 *
 * @param instances After they were asked: what an instance did not tell is not held against a name.
 */
export function modelProblems(
  { aliases, services }: Snapshot,
  instances: readonly Instance[],
): ModelProblem[] {
  const directory = buildDirectory(instances);
  const problems: ModelProblem[] = [];
  const near = (model: string): { hint?: string } => {
    const names = nearestModels(model, aliases, directory).filter((name) => name !== model);
    return names.length > 0 ? { hint: `is ${names.join(' or ')} meant?` } : {};
  };
  const unknown = (place: string, model: string): void => {
    if (resolve(model, aliases, directory).length > 0 || someUntold(directory)) return;
    problems.push({ place, problem: `no instance has the model ${model}`, ...near(model) });
  };
  for (const [name, { targets, fallback }] of aliases) {
    for (const target of targets) {
      const instance = directory.instances.get(target.instance);
      const entry = instance?.catalogue.models.get(target.model);
      if (!instance || hasModel({ instance, model: target.model, entry })) continue;
      const found = [...instance.catalogue.models.values()];
      problems.push({
        place: `models.${name}`,
        problem: `${target.instance} has no model ${target.model}`,
        hint: modelHint(instance, [target.model], found),
      });
    }
    for (const model of fallback) unknown(`models.${name}.fallback`, model);
  }
  for (const service of SERVICES) {
    const model = services[service].defaultModel;
    if (model !== undefined) unknown(`services.${service}.defaultModel`, model);
  }
  return problems;
}

/** Somebody who could not be asked may have it. */
function someUntold({ instances }: Directory): boolean {
  return [...instances.values()].some(({ catalogue }) => !catalogue.known);
}
