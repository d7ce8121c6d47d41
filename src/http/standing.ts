import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../adapters/json.ts';
import { asObjects } from '../adapters/json.ts';
import { itemsOf } from '../dialects/responses/read-request.ts';
import type { Instance } from '../instances/instance.ts';
import type { Server } from './auth.ts';
import type { Call, ClientRequest } from './call.ts';
import { patchJson } from './json-patch.ts';
import type { Gateway } from './gateway.ts';
import type { Keeper, ResponseStore } from './response-store.ts';
import type { Only } from './road.ts';

/** A call of Responses, with all that was said before it. */
export interface Standing {
  /** The call as one that refers to nothing, as far as we have what it refers to. */
  readonly client: ClientRequest;
  readonly input: readonly JsonObject[];
  readonly before: readonly JsonObject[];
  /** The client may come back for the answer. */
  readonly kept: boolean;
  /** The answer's id, where it is not the backend that keeps it. */
  readonly id: string;
  /** What it stands upon that only some backend can have. */
  readonly missing: string | undefined;
  /** Those that may have it. */
  readonly only: Only | undefined;
}

/** Finds what a call of Responses stands upon. */
export function standOn(
  { responses: store, snapshot }: Gateway,
  call: Call,
  client: ClientRequest,
): Standing {
  const { fields } = client;
  const key = call.key?.name;
  const asked = fields['previous_response_id'];
  const previous = typeof asked === 'string' ? store.find(asked, key) : undefined;
  const missing = typeof asked === 'string' && !previous ? asked : undefined;
  const before = previous
    ? [...previous.before, ...previous.input, ...(asObjects(previous.response['output']) ?? [])]
    : [];
  const said = saidIn(fields);
  const input = said.map((item) => (isReference(item) ? (found(item, store, key) ?? item) : item));
  const changed = previous !== undefined || input.some((item, index) => item !== said[index]);
  return {
    client: changed ? standalone(client, [...before, ...input]) : client,
    input: input.map(named),
    before,
    kept: fields['store'] !== false,
    id: `resp_${randomUUID().replaceAll('-', '')}`,
    missing,
    only:
      missing === undefined
        ? undefined
        : {
            has: mayKeep(store.keeper(missing, key), snapshot.config.server),
            reason: `does not have the response "${missing}"`,
          },
  };
}

/**
 * Which instances may have a response that is not here. What nobody has seen may be of an earlier run;
 * but where there are several keys, it may be another's.
 */
export function mayKeep(keeper: Keeper, { apiKeys }: Server): (instance: Instance) => boolean {
  if (keeper === 'nobody') return () => false;
  if (keeper === 'unknown') return apiKeys.length > 1 ? () => false : keepsResponses;
  return ({ name }) => name === keeper.instance;
}

/** Whether it keeps what it has answered, so that calls may stand upon it there. */
function keepsResponses(instance: Instance): boolean {
  const { responses } = instance.adapter.operations;
  return responses?.keeps === true && instance.asked('responses') === 'responses';
}

/** What is no list of items is the backend's to refuse, or the translation's. */
function saidIn(fields: JsonObject): readonly JsonObject[] {
  try {
    return itemsOf(fields);
  } catch {
    return [];
  }
}

function isReference({ type }: JsonObject): boolean {
  return type === 'item_reference';
}

function found(
  { id }: JsonObject,
  store: ResponseStore,
  key: string | undefined,
): JsonObject | undefined {
  return typeof id === 'string' ? store.item(id, key) : undefined;
}

/** The same call with everything in it. */
function standalone(client: ClientRequest, input: readonly JsonObject[]): ClientRequest {
  const change = { set: { input }, remove: ['previous_response_id'] };
  return {
    ...client,
    // What it stood upon is part of its answer's look.
    fields: { ...client.fields, input },
    body: Buffer.concat(patchJson(client.body, change)),
  };
}

/** Items can be listed, and need ids for that. */
function named(item: JsonObject): JsonObject {
  return typeof item['id'] === 'string'
    ? item
    : { id: `item_${randomUUID().replaceAll('-', '')}`, ...item };
}
