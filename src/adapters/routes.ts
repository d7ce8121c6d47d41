import type { Operation } from '../service.ts';
import type { Adapter, Backend, Reply } from './adapter.ts';
import { asObject } from './json.ts';

interface Routes {
  /** What the server was when it told them. */
  readonly server: string;
  readonly operations: readonly Operation[] | undefined;
}
const ROUTES = new WeakMap<Backend, Routes>();

/**
 * The operations that a FastAPI server has routes for: vLLM and SGLang have those that their model,
 * or their kind of process, can serve. They are told in the API description: hundreds of kilobytes,
 * asked for once per server.
 * @param server What changes when it may have other routes.
 * @returns `undefined` where the description is turned off, or is that of something in between.
 */
export async function routesOf(
  backend: Backend,
  server: string,
  operations: Adapter['operations'],
): Promise<readonly Operation[] | undefined> {
  const known = ROUTES.get(backend);
  if (known?.server === server) return known.operations;
  const reply = await description(backend);
  if (!reply) return undefined;
  const paths = asObject(asObject(reply.json)?.['paths']) ?? {};
  const found = (Object.keys(operations) as Operation[]).filter(
    (name) => operations[name]!.path in paths,
  );
  const routes = { server, operations: found.length > 0 ? found : undefined };
  ROUTES.set(backend, routes);
  return routes.operations;
}

/** @returns `undefined` when it is to be asked again: a busy server may need long to write it. */
async function description(backend: Backend): Promise<Reply | undefined> {
  try {
    const reply = await backend.get('/openapi.json');
    return reply.status < 500 ? reply : undefined;
  } catch {
    return undefined;
  }
}
