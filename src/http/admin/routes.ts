import { z } from 'zod';
import { describeApi } from './openapi.ts';
import { jsonRoute, type Method, type Route } from './route.ts';

/** Every route of the management API, by method and path. */
export const ROUTES: Readonly<Record<`${Method} /admin/${string}`, Route>> = {
  'GET /admin/openapi.json': jsonRoute({
    summary: 'This API, as OpenAPI 3.1',
    answer: z.record(z.string(), z.unknown()),
    handle: () => describeApi(ROUTES),
  }),
};
