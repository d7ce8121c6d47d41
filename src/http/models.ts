import type { Config } from '../config/schema.ts';
import type { Fleet } from '../instances/fleet.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import { hasModel, resolve } from '../gateway/resolve.ts';
import { mayUse, type ApiKey } from './auth.ts';

/** A model as `GET /v1/models` lists it. */
export interface ListedModel {
  readonly id: string;
  readonly object: 'model';
  /** Unix seconds; 0 when the backend does not say. */
  readonly created: number;
  readonly owned_by: string;
}

/** The union of the catalogues and the aliases, from memory: aliases first, then by name. */
export function listModels(config: Config, fleet: Fleet, key: ApiKey | undefined): ListedModel[] {
  const listed = new Map<string, ListedModel>();
  for (const alias of Object.keys(config.models)) listed.set(alias, entry(alias, 0, 'jairouter'));
  const names: ListedModel[] = [];
  for (const [name, [target]] of fleet.directory.exact) {
    const { entry: model, instance } = target!;
    // The other names of a model are understood, but listing them would show it twice.
    if (listed.has(name) || (model && model.id !== name)) continue;
    names.push(entry(name, model?.created ?? 0, model?.ownedBy ?? instance.adapter.name));
  }
  names.sort((a, b) => (a.id < b.id ? -1 : 1));
  const all = [...listed.values(), ...names];
  return key ? all.filter(({ id }) => mayUse(key, id)) : all;
}

/** One model by any name that a call could use; `undefined` when nobody has it. */
export function findModel(
  id: string,
  snapshot: Snapshot,
  fleet: Fleet,
  key: ApiKey | undefined,
): ListedModel | undefined {
  if (!mayUse(key, id)) return undefined;
  const [step] = resolve(id, snapshot.aliases, fleet.directory);
  if (!step) return undefined;
  if (step.via === 'alias') return entry(id, 0, 'jairouter');
  const target = step.targets.find(hasModel);
  if (!target) return undefined;
  const { entry: model, instance } = target;
  return entry(id, model?.created ?? 0, model?.ownedBy ?? instance.adapter.name);
}

function entry(id: string, created: number, ownedBy: string): ListedModel {
  return { id, object: 'model', created, owned_by: ownedBy };
}
