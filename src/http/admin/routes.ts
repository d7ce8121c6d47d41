import { z } from 'zod';
import { explainBody, explainCall, explainQuery, explanation } from './explain.ts';
import { describeApi } from './openapi.ts';
import { jsonRoute, type Method, type Route } from './route.ts';

/** Every route of the management API, by method and path. */
export const ROUTES: Readonly<Record<`${Method} /admin/${string}`, Route>> = {
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
    handle: () => describeApi(ROUTES),
  }),
};
