import type { Fleet } from '../instances/fleet.ts';
import type { Instance } from '../instances/instance.ts';
import type { Target } from '../gateway/directory.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import { hasModel, resolve } from '../gateway/resolve.ts';
import { OPERATIONS, SERVICES, type Operation, type Service } from '../service.ts';
import { mayUse, type ApiKey } from './auth.ts';

/** A model as `GET /v1/models` lists it. */
export interface ListedModel {
  readonly id: string;
  readonly object: 'model';
  /** Unix seconds; 0 when the backend does not say. */
  readonly created: number;
  readonly owned_by: string;
  /** What OpenAI's list has no field for. */
  readonly jairouter: ModelTruth;
}

/** What is known of a model now, over all the instances that have it. */
interface ModelTruth {
  readonly services: readonly Service[];
  /** Tokens: the least that any of them has; null when none says. */
  readonly context_length: number | null;
  /** In the memory of one of them at least; null when none says. */
  readonly loaded: boolean | null;
  readonly instances: readonly string[];
}

/** The union of the catalogues and the aliases, from memory: aliases first, then by name. */
export function listModels(
  { aliases }: Snapshot,
  fleet: Fleet,
  key: ApiKey | undefined,
): ListedModel[] {
  const listed = new Map<string, ListedModel>();
  const able: Able = new Map();
  const { directory } = fleet;
  for (const alias of aliases.keys()) {
    const known = resolve(alias, aliases, directory)[0]?.targets.filter(hasModel) ?? [];
    listed.set(alias, entry(alias, undefined, 'jairouter', truthOf(known, able)));
  }
  const names: ListedModel[] = [];
  for (const [name, targets] of directory.exact) {
    const { entry: model, instance } = targets[0]!;
    // The other names of a model are understood, but listing them would show it twice.
    if (listed.has(name) || (model && model.id !== name)) continue;
    const owner = model?.ownedBy ?? instance.adapter.name;
    names.push(entry(name, model?.created, owner, truthOf(targets, able)));
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
  const truth = truthOf(step.targets.filter(hasModel), new Map());
  if (step.via === 'alias') return entry(id, undefined, 'jairouter', truth);
  const target = step.targets.find(hasModel);
  if (!target) return undefined;
  const { entry: model, instance } = target;
  return entry(id, model?.created, model?.ownedBy ?? instance.adapter.name, truth);
}

function entry(
  id: string,
  created: number | undefined,
  ownedBy: string,
  truth: ModelTruth,
): ListedModel {
  return { id, object: 'model', created: created ?? 0, owned_by: ownedBy, jairouter: truth };
}

/** The services of instances, found once for a list: most of its models do not tell theirs. */
type Able = Map<Instance, readonly Service[]>;

function truthOf(targets: readonly Target<Instance>[], able: Able): ModelTruth {
  const services = new Set<Service>();
  const instances: string[] = [];
  let context: number | null = null;
  let loaded: boolean | null = null;
  for (const { instance, entry: model } of targets) {
    instances.push(instance.name);
    for (const service of servicesOf(instance, able)) {
      if (model?.services?.includes(service) ?? true) services.add(service);
    }
    const { contextLength } = model ?? {};
    if (contextLength !== undefined && contextLength < (context ?? Infinity)) {
      context = contextLength;
    }
    if (model?.loaded !== undefined) loaded = loaded === true || model.loaded;
  }
  return {
    services: SERVICES.filter((service) => services.has(service)),
    context_length: context,
    loaded,
    instances,
  };
}

function servicesOf(instance: Instance, able: Able): readonly Service[] {
  let services = able.get(instance);
  if (!services) {
    const operations = Object.keys(OPERATIONS) as Operation[];
    services = SERVICES.filter((service) =>
      operations.some(
        (operation) => OPERATIONS[operation].service === service && instance.supports(operation),
      ),
    );
    able.set(instance, services);
  }
  return services;
}
