import type { Service } from '../../service.ts';
import type { InstanceInput, ModelInput } from './imported.ts';

/** A model on a backend, as other gateways list them: one entry a model. */
export interface Deployment {
  /** What clients ask for. */
  readonly name: string;
  /** The backend's name for it, or a pattern. */
  readonly model: string;
  /** All else that makes its instance; those with the same become one instance. */
  readonly instance: Omit<InstanceInput, 'models' | 'services'>;
  /** What it is used for, where the other gateway tells. */
  readonly service: Service | undefined;
}

export interface Grouped {
  readonly instances: Record<string, InstanceInput>;
  /** Where each name that clients ask for leads: one or more `INSTANCE/MODEL`. */
  readonly targets: ReadonlyMap<string, string[]>;
}

interface Group {
  readonly instance: Deployment['instance'];
  readonly members: Deployment[];
}

/** Makes one instance of all models that are reached in the same way with the same settings. */
export function groupDeployments(deployments: readonly Deployment[]): Grouped {
  const groups = new Map<string, Group>();
  for (const deployment of deployments) {
    const group = groups.get(keyOf(deployment));
    if (group) group.members.push(deployment);
    else groups.set(keyOf(deployment), { instance: deployment.instance, members: [deployment] });
  }
  const names = nameGroups([...groups.values()], deployments);
  const instances: Record<string, InstanceInput> = {};
  for (const [{ instance, members }, name] of names)
    instances[name] = { ...instance, ...servicesOf(members), ...modelsOf(members) };
  const targets = new Map<string, string[]>();
  for (const deployment of deployments) {
    const target = `${names.get(groups.get(keyOf(deployment))!)!}/${deployment.model}`;
    const list = targets.get(deployment.name) ?? [];
    targets.set(deployment.name, list.includes(target) ? list : [...list, target]);
  }
  return { instances, targets };
}

function keyOf({ instance }: Deployment): string {
  return JSON.stringify(instance);
}

/** Narrowed only where all of them say what they are for. */
function servicesOf(members: readonly Deployment[]): Pick<InstanceInput, 'services'> {
  const services = members.map(({ service }) => service);
  return services.every((service) => service !== undefined)
    ? { services: [...new Set(services)] }
    : {};
}

/** Asked of the backend where it was to serve all that it has. */
function modelsOf(members: readonly Deployment[]): Pick<InstanceInput, 'models'> {
  if (members.some(isWhole)) return {};
  return { models: [...new Set(members.map(({ model }) => model))] };
}

/** Such as `groq/*` for all of Groq's; a bare `*` is for names that nobody else has. */
function isWhole({ name, model }: Deployment): boolean {
  return model === '*' && name !== '*';
}

/**
 * The names in which clients ask for a model that need an entry under `models`: those that differ
 * from the backend's own, or lead to fewer backends than have a model of that name.
 */
export function aliasesOf({ instances, targets }: Grouped): Record<string, ModelInput> {
  const aliases: Record<string, ModelInput> = {};
  const all = Object.entries(instances);
  for (const [name, list] of targets) {
    if (name.includes('*') || (list.length === 1 && list[0] === name)) continue;
    const known = all.every(([, { models }]) => models !== undefined);
    const holders = all.filter(([, { models }]) => models?.includes(name));
    const same =
      known &&
      holders.length === list.length &&
      holders.every(([instance]) => list.includes(`${instance}/${name}`));
    if (!same) aliases[name] = { targets: list };
  }
  return aliases;
}

/** Names each after its adapter; after its host, its port or a number where there are several. */
function nameGroups(
  groups: readonly Group[],
  deployments: readonly Deployment[],
): Map<Group, string> {
  const names = new Map<Group, string>();
  const taken = new Set<string>();
  for (const group of groups) {
    const { adapter } = group.instance;
    const alone = groups.filter(({ instance }) => instance.adapter === adapter).length === 1;
    for (const name of candidates(group, alone)) {
      if (taken.has(name) || hidesModels(name, group, deployments)) continue;
      taken.add(name);
      names.set(group, name);
      break;
    }
  }
  return names;
}

/** `NAME/…` is the way to an instance's own models, so a model of that form must be one of them. */
function hidesModels(name: string, group: Group, deployments: readonly Deployment[]): boolean {
  return deployments.some(
    (one) =>
      one.name.startsWith(`${name}/`) &&
      !(group.members.includes(one) && one.name === `${name}/${one.model}`),
  );
}

function* candidates({ instance, members }: Group, alone: boolean): Generator<string> {
  const { adapter, baseUrl } = instance;
  // `groq/*` works only where the instance has that name.
  for (const member of members) {
    const own = /^([^/\s]+)\/\*$/.exec(member.name)?.[1];
    if (isWhole(member) && own !== undefined) yield own;
  }
  if (alone) yield adapter;
  if (baseUrl !== undefined && URL.canParse(baseUrl)) {
    const { hostname, port } = new URL(baseUrl);
    const host = hostname.replace(/^\[|\]$/g, '');
    yield `${adapter}-${host}`;
    if (port) yield `${adapter}-${host}-${port}`;
  }
  yield adapter;
  for (let number = 2; ; number++) yield `${adapter}-${number}`;
}
