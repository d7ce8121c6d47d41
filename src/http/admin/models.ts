import { z } from 'zod';
import type { Target } from '../../gateway/directory.ts';
import { hasModel } from '../../gateway/resolve.ts';
import type { Instance } from '../../instances/instance.ts';
import { known } from '../../observe/known.ts';
import type { Service } from '../../service.ts';
import type { Gateway } from '../gateway.ts';
import { servicesOf } from '../instance-status.ts';
import { service } from './schemas.ts';

const owner = z.object({
  instance: z.string(),
  model: z.string().meta({ description: "The instance's name for it." }),
  state: z.string().meta({ description: "The instance's." }),
  loaded: z.boolean().exactOptional().meta({ description: 'Absent: the backend does not say.' }),
});

const model = z
  .object({
    model: z.string().meta({ description: 'What clients ask for; of a pattern, the pattern.' }),
    kind: z.enum(['alias', 'catalogue', 'pattern']),
    services: z.array(service),
    contextLength: z.number().exactOptional().meta({ description: 'Tokens; the least of them.' }),
    otherNames: z.array(z.string()).meta({ description: 'That its instances answer to as well.' }),
    instances: z.array(owner),
    fallback: z
      .array(z.string())
      .meta({ description: 'Models in its place when nobody can serve.' }),
  })
  .meta({ id: 'Model' });

export const models = z.array(model);
type Model = z.output<typeof model>;

/** All names that a call could ask for: aliases first, then the catalogues, then patterns. */
export function readModels({ snapshot, fleet }: Gateway): Model[] {
  const { directory } = fleet;
  const aliases = [...snapshot.aliases].map(([name, { targets, fallback }]): Model => {
    const found = targets.flatMap(({ instance: owner, model: wanted }) => {
      const instance = directory.instances.get(owner);
      if (!instance) return [];
      return [{ instance, model: wanted, entry: instance.catalogue.models.get(wanted) }];
    });
    return { ...described(name, found), kind: 'alias', fallback: [...fallback] };
  });
  const listed: Model[] = [];
  for (const [name, targets] of directory.exact) {
    // The other names of a model stand beside it.
    const own = targets.filter(({ entry }) => entry === undefined || entry.id === name);
    if (own.length > 0) listed.push(described(name, own));
  }
  listed.sort((a, b) => (a.model < b.model ? -1 : 1));
  const patterns = new Map<string, Target<Instance>[]>();
  for (const { pattern, instance } of directory.wildcards) {
    const target = { instance, model: pattern, entry: undefined };
    patterns.set(pattern, [...(patterns.get(pattern) ?? []), target]);
  }
  return [
    ...aliases,
    ...listed,
    ...[...patterns].map(([pattern, owners]): Model => ({
      ...described(pattern, owners),
      kind: 'pattern',
    })),
  ];
}

function described(name: string, targets: readonly Target<Instance>[]): Model {
  // Who tells what a model is for, knows; the others only tell what they could do at all.
  const told = targets.some(({ entry }) => entry?.services);
  const services = new Set<Service>();
  const otherNames = new Set<string>();
  let contextLength: number | undefined;
  for (const { instance, entry } of targets) {
    const own = entry?.services ?? (told ? [] : servicesOf(instance));
    for (const one of own) services.add(one);
    for (const other of entry?.aliases ?? []) if (other !== name) otherNames.add(other);
    contextLength = least(contextLength, entry?.contextLength);
  }
  return known({
    model: name,
    kind: 'catalogue' as const,
    services: [...services],
    contextLength,
    otherNames: [...otherNames],
    instances: targets.map((target) =>
      known({
        instance: target.instance.name,
        model: target.model,
        state: hasModel(target) ? target.instance.state : 'not there',
        loaded: target.entry?.loaded,
      }),
    ),
    fallback: [],
  });
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
