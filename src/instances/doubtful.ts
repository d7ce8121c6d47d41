import { setImmediate } from 'node:timers/promises';
import type { Adapter, Backend, OperationSpec, Reply } from '../adapters/adapter.ts';
import { readError } from '../adapters/errors.ts';
import type { Operation } from '../service.ts';

/** Finds out about the operations that only some servers of a kind have. */
export interface DoubtfulOperations {
  /** Those that this server has. Each is asked for until there is an answer, and then remembered. */
  found(): Promise<readonly Operation[]>;
  /** The server may be another one now. */
  forget(): void;
}

export function doubtfulOperations(adapter: Adapter, backend: Backend): DoubtfulOperations {
  const specs = Object.entries(adapter.operations) as [Operation, OperationSpec][];
  const doubtful = specs.filter(([, spec]) => spec.shownBy !== undefined);
  const known = new Map<Operation, boolean>();
  return {
    async found() {
      // One after the other: one connection is enough for it.
      for (const [operation, spec] of doubtful) {
        if (known.has(operation)) continue;
        // By then the connection of the request before is free again.
        await setImmediate();
        const there = await isThere(backend, spec);
        if (there !== undefined) known.set(operation, there);
      }
      return doubtful.flatMap(([operation]) => (known.get(operation) ? [operation] : []));
    },
    forget: () => known.clear(),
  };
}

/** @returns `undefined` when the answer says neither, or there is none. */
async function isThere(
  backend: Backend,
  { path, shownBy }: OperationSpec,
): Promise<boolean | undefined> {
  try {
    if (shownBy === 'get') return (await backend.get(path)).status === 405;
    return shownByRefusal(await backend.post(path, {}));
  } catch {
    return undefined;
  }
}

/** A server that has the route refuses an empty request for what it lacks: nothing is generated. */
function shownByRefusal({ status, headers, text }: Reply): boolean | undefined {
  if (status === 400 || status === 422) return true;
  // Some look for the model first.
  if (status === 404) {
    return readError(status, headers['content-type'], text).code === 'model_not_found';
  }
  return status === 401 || status === 403 || status === 429 || status >= 502 ? undefined : false;
}
