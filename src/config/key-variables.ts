import { asObject, asText } from '../adapters/json.ts';
import { variablesIn } from './interpolate.ts';
import { readSource } from './source.ts';

/**
 * The variables from which the instances of a config read their keys, by instance. A config that was
 * loaded has them filled in and knows no more where they came from.
 *
 * @param file Absolute.
 */
export async function keyVariablesIn(
  file: string,
  cwd: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { data } = await readSource(file, cwd);
  const instances = Object.entries(asObject(asObject(data)?.['instances']) ?? {});
  return new Map(
    instances.map(([name, instance]) => [
      name,
      variablesIn(asText(asObject(instance)?.['apiKey']) ?? ''),
    ]),
  );
}
