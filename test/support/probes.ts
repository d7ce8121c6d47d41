import { OPERATIONS } from '../../src/service.ts';

const ROUTES: readonly string[] = [
  ...OPERATIONS.messages.routes,
  ...OPERATIONS.countTokens.routes,
  ...OPERATIONS.responses.routes,
];

/** Whether a POST only asks if the backend has the route: with nothing in it, it is no call. */
export function asksForRoute(path: string, body: Buffer): boolean {
  return ROUTES.some((route) => path.endsWith(route)) && body.toString() === '{}';
}
