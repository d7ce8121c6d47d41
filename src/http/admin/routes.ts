import { z } from 'zod';
import { readInstances } from '../instance-status.ts';
import { readStatus } from '../status.ts';
import { callId, calls, callsQuery, oneCall, recentCalls } from './calls.ts';
import {
  applied,
  configAnswer,
  configText,
  history,
  historyVersion,
  newConfig,
  outcomeOf,
  readConfig,
  readHistory,
  readVersion,
  validation,
  versionNumber,
} from './config.ts';
import { watch } from './events.ts';
import {
  addInstance,
  instancePatch,
  newInstance,
  patchInstance,
  removeInstance,
} from './instance-changes.ts';
import { explainBody, explainCall, explainQuery, explanation } from './explain.ts';
import { breakerOrder, instanceName, oneInstance, orderBreaker } from './instances.ts';
import { models, readModels } from './models.ts';
import { describeApi } from './openapi.ts';
import { eventsRoute, jsonRoute, type Method, type Route } from './route.ts';
import { call, capturedCall, instance, instanceDetail, news, status } from './schemas.ts';

/** What a change of the config may be refused for. */
const CHANGE = ['config_conflict', 'config_not_editable', 'invalid_config'] as const;

/** Made by the first who asks, as it takes a while. */
let description: Record<string, unknown> | undefined;

/** Every route of the management API, by method and path. */
export const ROUTES: Readonly<Record<`${Method} /admin/${string}`, Route>> = {
  'GET /admin/status': jsonRoute({
    summary: 'What the server is and does at this moment',
    answer: status,
    handle: ({ gateway }) => readStatus(gateway),
  }),
  'GET /admin/events': eventsRoute({
    summary: 'The status each second, and each call and piece of news as it comes',
    events: { snapshot: status, call, news },
    open: ({ gateway }, exchange) => watch(gateway, exchange),
  }),
  'GET /admin/instances': jsonRoute({
    summary: 'The instances, in the order of the config',
    answer: z.array(instance),
    handle: ({ gateway }) => readInstances(gateway),
  }),
  'POST /admin/instances': jsonRoute({
    summary: 'Puts another one into the config, and answers when it is applied',
    body: newInstance,
    answer: instanceDetail,
    errors: CHANGE,
    handle: ({ gateway, body }) => addInstance(gateway, body),
  }),
  'GET /admin/instances/{name}': jsonRoute({
    summary: 'One instance with all that is known of it',
    params: instanceName,
    answer: instanceDetail,
    errors: ['instance_not_found'],
    handle: ({ gateway, params }) => oneInstance(gateway, params.name),
  }),
  'PATCH /admin/instances/{name}': jsonRoute({
    summary: 'Gives it an order of the moment, or changes it in the config',
    params: instanceName,
    body: instancePatch,
    answer: instanceDetail,
    errors: [...CHANGE, 'instance_not_found'],
    handle: ({ gateway, params, body }) => patchInstance(gateway, params.name, body),
  }),
  'DELETE /admin/instances/{name}': jsonRoute({
    summary: 'Takes it out of the config, and answers when that is applied',
    params: instanceName,
    answer: applied,
    errors: [...CHANGE, 'instance_not_found'],
    handle: ({ gateway, params }) => removeInstance(gateway, params.name),
  }),
  'POST /admin/instances/{name}/breaker': jsonRoute({
    summary: 'Holds its circuit breaker open or closed, or lets it go; for the moment',
    params: instanceName,
    body: breakerOrder,
    answer: instanceDetail,
    errors: ['instance_not_found'],
    handle: ({ gateway, params, body }) => orderBreaker(gateway, params.name, body),
  }),
  'GET /admin/models': jsonRoute({
    summary: 'The names that a call could ask for, with who has them',
    answer: models,
    handle: ({ gateway }) => readModels(gateway),
  }),
  'GET /admin/requests': jsonRoute({
    summary: 'The last calls, the latest first; 1,000 are kept',
    query: callsQuery,
    answer: calls,
    handle: ({ gateway, query }) => recentCalls(gateway, query),
  }),
  'GET /admin/requests/{id}': jsonRoute({
    summary: 'One call by its id',
    params: callId,
    answer: capturedCall,
    errors: ['call_not_found'],
    handle: ({ gateway, params }) => oneCall(gateway, params.id),
  }),
  'GET /admin/explain': jsonRoute({
    summary: 'What would become of a call, and why; calls nobody and charges nothing',
    query: explainQuery,
    answer: explanation,
    handle: ({ gateway, query }) => explainCall(gateway, query),
  }),
  'POST /admin/explain': jsonRoute({
    summary: 'The same, about a request that is at hand',
    body: explainBody,
    answer: explanation,
    handle: ({ gateway, body }) => explainCall(gateway, body),
  }),
  'GET /admin/config': jsonRoute({
    summary: 'The config: its text as it is on disk, and what is applied of it',
    answer: configAnswer,
    handle: ({ gateway }) => readConfig(gateway),
  }),
  'PUT /admin/config': jsonRoute({
    summary: 'Replaces the config, and answers when the new one is applied',
    body: newConfig,
    answer: applied,
    errors: CHANGE,
    handle: async ({ gateway, body }) =>
      outcomeOf(await gateway.live.edits.replace(body.text, body.version)),
  }),
  'POST /admin/config/validate': jsonRoute({
    summary: 'What would come of another config; changes nothing',
    body: configText,
    answer: validation,
    errors: ['config_not_editable'],
    async handle({ gateway, body }) {
      const checked = await gateway.live.edits.validate(body.text);
      return { ...checked, valid: checked.problems.length === 0 };
    },
  }),
  'GET /admin/config/history': jsonRoute({
    summary: 'The configs that were applied, the latest first; 50 are kept',
    answer: history,
    handle: ({ gateway }) => readHistory(gateway),
  }),
  'GET /admin/config/history/{n}': jsonRoute({
    summary: 'One of them, with its text',
    params: versionNumber,
    answer: historyVersion,
    errors: ['version_not_found'],
    handle: ({ gateway, params }) => readVersion(gateway, params.n),
  }),
  'POST /admin/config/rollback/{n}': jsonRoute({
    summary: 'Makes one of them the newest version, and answers when it is applied',
    params: versionNumber,
    answer: applied,
    errors: [...CHANGE, 'version_not_found'],
    handle: async ({ gateway, params }) => outcomeOf(await gateway.live.edits.rollback(params.n)),
  }),
  'POST /admin/reload': jsonRoute({
    summary: 'Reads the config again, and answers when it is applied',
    answer: applied,
    errors: ['invalid_config'],
    handle: async ({ gateway }) =>
      outcomeOf(await gateway.live.reload('api'), 'The config is not valid:'),
  }),
  'GET /admin/openapi.json': jsonRoute({
    summary: 'This API, as OpenAPI 3.1',
    answer: z.record(z.string(), z.unknown()),
    handle: () => (description ??= describeApi(ROUTES)),
  }),
};
