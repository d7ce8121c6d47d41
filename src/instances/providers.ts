import type { Adapter } from '../adapters/adapter.ts';
import { ADAPTERS } from '../adapters/index.ts';

/** A cloud whose key is set in the environment. */
export interface Provider {
  readonly adapter: Adapter;
  readonly baseUrl: string;
  readonly apiKeyVariable: string;
  /** Why the key must not be sent there. */
  readonly refusal?: string;
}

/** @returns The clouds whose keys are set, in the order of the adapters' table. */
export function findProviders(env: Readonly<Record<string, string | undefined>>): Provider[] {
  return Object.values<Adapter>(ADAPTERS).flatMap((adapter): Provider[] => {
    const apiKeyVariable = keyVariables(adapter).find((name) => env[name]?.trim());
    if (!adapter.cloud || !apiKeyVariable) return [];
    const addressVariable = [
      apiKeyVariable.replace(/_API_KEY$/, '_BASE_URL'),
      ...(adapter.addressVariables ?? []),
    ].find((name) => env[name]?.trim());
    const usual = adapter.baseUrl;
    if (addressVariable === undefined) {
      return usual === undefined ? [] : [{ adapter, apiKeyVariable, baseUrl: usual }];
    }
    // A key belongs to the address that is set beside it, and must go nowhere else. On this machine
    // servers are found by their ports, and the address may well be our own.
    const baseUrl = remote(env[addressVariable]!.trim());
    if (baseUrl !== undefined) return [{ adapter, apiKeyVariable, baseUrl }];
    const refusal = `${addressVariable} names another address, so ${apiKeyVariable} is not sent here`;
    return usual === undefined ? [] : [{ adapter, apiKeyVariable, baseUrl: usual, refusal }];
  });
}

/** @returns Where a key of that backend is looked for, in this order: `VLLM_API_KEY`. */
export function keyVariables(
  of: Pick<Adapter, 'name' | 'keyVariables'>,
): readonly [string, ...string[]] {
  const [first, ...more] = of.keyVariables ?? [];
  return [first ?? `${of.name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}_API_KEY`, ...more];
}

/** @returns The address as a `baseUrl`; `undefined` when it is this machine's, or none at all. */
function remote(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const { hostname, origin, pathname, protocol } = new URL(address);
  const here = /^(localhost|.*\.localhost|127\..*|\[::1\]|0\.0\.0\.0)$/.test(hostname);
  if (here || !/^https?:$/.test(protocol)) return undefined;
  return origin + pathname.replace(/\/+$/, '').replace(/\/v1$/, '');
}
