import type { Operation } from '../service.ts';
import {
  defineAdapter,
  type Backend,
  type CatalogueModel,
  type OperationSpec,
  type ProbeResult,
} from './adapter.ts';
import { entriesOf, failureOf, noList } from './catalogue.ts';
import { asObject, asText, type JsonObject } from './json.ts';

export const anthropic = defineAdapter({
  name: 'anthropic',
  ports: [],
  baseUrl: 'https://api.anthropic.com',
  cloud: true,
  auth: (apiKey) => ({ 'x-api-key': apiKey, 'anthropic-version': '2023-06-01' }),
  keepAlive: 60_000,
  operations: {
    // Its own chat completions are for trials only: calls of those are translated.
    messages: { path: '/v1/messages', betas: true },
    countTokens: { path: '/v1/messages/count_tokens', betas: true },
  } satisfies Partial<Record<Operation, OperationSpec>>,
  probe,
});

/** Pages of the list that are read; there are some dozen models, and a page holds a thousand. */
const PAGES = 10;

async function probe(backend: Backend): Promise<ProbeResult> {
  const models: CatalogueModel[] = [];
  let path = '/v1/models?limit=1000';
  for (let page = 0; page < PAGES; page += 1) {
    const list = await backend.get(path);
    // Too many requests, or too many people, are an answer of a service that works.
    if (list.status === 429 || list.status === 529) return { state: 'healthy' };
    const failure = failureOf(list, path);
    if (failure) return failure;
    const entries = entriesOf(list);
    if (!entries) return noList(path);
    models.push(...entries.map(toModel));
    const body = asObject(list.json);
    const last = asText(body?.['last_id']);
    if (body?.['has_more'] !== true || last === undefined) break;
    path = `/v1/models?limit=1000&after_id=${encodeURIComponent(last)}`;
  }
  return { state: 'healthy', models };
}

function toModel(entry: JsonObject): CatalogueModel {
  const id = entry['id'] as string;
  const created = Date.parse(asText(entry['created_at']) ?? '') / 1000;
  // The list has each model with its date, and answers to its name without.
  const undated = id.replace(/-\d{8}$/, '');
  return {
    id,
    ...(undated === id ? {} : { aliases: [undated] }),
    services: ['chat'],
    ...(Number.isFinite(created) ? { created } : {}),
    ownedBy: 'anthropic',
  };
}
