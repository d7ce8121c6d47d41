import type { JsonObject } from '../../adapters/json.ts';

/** What is told of a model in any dialect. */
export interface NamedModel {
  readonly id: string;
  /** Unix seconds; 0 when nobody says. */
  readonly created: number;
}

const USUAL_LIMIT = 20;
const MOST = 1000;

/** A model as Anthropic lists it. */
export function modelEntry({ id, created }: NamedModel): JsonObject {
  return {
    type: 'model',
    id,
    display_name: id,
    created_at: new Date(created * 1000).toISOString(),
  };
}

/** The page of a list that `limit`, `after_id` or `before_id` ask for. */
export function modelPage(models: readonly NamedModel[], query: URLSearchParams): JsonObject {
  const asked = Number(query.get('limit') ?? USUAL_LIMIT);
  const limit = asked >= 1 && asked <= MOST ? Math.floor(asked) : USUAL_LIMIT;
  const place = (name: string) => models.findIndex(({ id }) => id === query.get(name));
  const before = place('before_id');
  const start = before >= 0 ? Math.max(0, before - limit) : place('after_id') + 1;
  const end = Math.min(before >= 0 ? before : Infinity, start + limit);
  const data = models.slice(start, end);
  return {
    data: data.map(modelEntry),
    has_more: before >= 0 ? start > 0 : end < models.length,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}
