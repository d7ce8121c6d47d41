import type { CatalogueModel } from '../adapters/adapter.ts';
import { matchesPattern, type Catalogue } from '../gateway/directory.ts';

/**
 * The catalogue under a config's `models`: names are taken as they stand, wildcards choose from
 * what the backend lists and also admit what it does not list.
 */
export function catalogueOf(
  configured: readonly string[] | undefined,
  found: readonly CatalogueModel[] | undefined,
): Catalogue {
  const byName = new Map<string, CatalogueModel>();
  for (const model of found ?? []) {
    byName.set(model.id, model);
    for (const alias of model.aliases ?? []) if (!byName.has(alias)) byName.set(alias, model);
  }
  if (!configured) return { known: found !== undefined, models: byName, wildcards: [] };

  const wildcards = configured.filter((name) => name.includes('*'));
  const models = new Map<string, CatalogueModel>();
  for (const name of configured) {
    if (!name.includes('*')) models.set(name, byName.get(name) ?? { id: name });
  }
  for (const [name, model] of byName) {
    if (wildcards.some((pattern) => matchesPattern(pattern, name))) models.set(name, model);
  }
  return { known: true, models, wildcards };
}
