import { z } from 'zod';
import { readInstances } from '../instance-status.ts';
import { readStatus } from '../status.ts';
import { callId, calls, callsQuery, oneCall, recentCalls } from './calls.ts';
import { watch } from './events.ts';
import { explainBody, explainCall, explainQuery, explanation } from './explain.ts';
import { breakerOrder, instanceName, oneInstance, orderBreaker } from './instances.ts';
import { models, readModels } from './models.ts';
import { describeApi } from './openapi.ts';
import { eventsRoute, jsonRoute, type Method, type Route } from './route.ts';
import { call, instance, instanceDetail, news, status } from './schemas.ts';

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
  'GET /admin/instances/{name}': jsonRoute({
    summary: 'One instance with all that is known of it',
    params: instanceName,
    answer: instanceDetail,
    errors: ['instance_not_found'],
    handle: ({ gateway, params }) => oneInstance(gateway, params.name),
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
    answer: call,
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
  'GET /admin/openapi.json': jsonRoute({
    summary: 'This API, as OpenAPI 3.1',
    answer: z.record(z.string(), z.unknown()),
    handle: () => (description ??= describeApi(ROUTES)),
  }),
};
