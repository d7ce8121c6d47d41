import type { Backend, CatalogueModel, ProbeResult, Reply } from '../adapters/adapter.ts';
import { OPERATIONS, SERVICES, type Operation, type Service } from '../service.ts';
import { credentialHint, kindHint, modelHint, unreachable } from './hints.ts';
import type { Instance } from './instance.ts';

/** What one look at an instance has shown. */
export interface Inspection {
  /**
   * `refused`: it does not want our credentials, or our Host; `failed`: out of reach, broken, or not
   * what its adapter expects; `off`: it is not asked, since it is disabled or lacks a variable.
   */
  readonly state: 'ok' | 'loading' | 'refused' | 'failed' | 'disabled' | 'off';
  /** Milliseconds of its fastest answer; absent when none came. */
  readonly latency?: number;
  readonly version?: string;
  /** Absent where it did not tell them. */
  readonly models?: readonly InspectedModel[];
  /** Names of the config's `models` that it does not have. */
  readonly missing: readonly string[];
  /** One clause on what is wrong. */
  readonly problem?: string;
  /** What to do about it. */
  readonly hint?: string;
}

export interface InspectedModel {
  readonly id: string;
  /** Absent where neither its name nor its server tells. */
  readonly services?: readonly Service[];
}

/**
 * Asks an instance once what a health probe asks, and makes advice of the answer. The instance learns
 * what was found, so that models can be looked for in it afterwards.
 *
 * @param keyVariables Where its key is read from, as far as its config says.
 */
export async function inspect(
  instance: Instance,
  keyVariables: readonly string[],
): Promise<Inspection> {
  const { settings } = instance;
  if (!settings.enabled) return { state: 'disabled', missing: [] };
  if (settings.unset !== undefined) {
    const hint = `set ${settings.unset}, or put it into a .env beside the config`;
    return { state: 'off', missing: [], problem: instance.stateDetail!, hint };
  }
  const { backend, fastest } = timed(instance.backend);
  try {
    const result = await instance.adapter.probe(backend);
    instance.learn(result);
    const inspection = await answered(instance, result, keyVariables);
    return { ...inspection, ...latencyOf(fastest()) };
  } catch (error) {
    return {
      state: 'failed',
      missing: [],
      ...unreachable(error, settings),
      ...latencyOf(fastest()),
    };
  }
}

function latencyOf(fastest: number): { latency?: number } {
  return Number.isFinite(fastest) ? { latency: fastest } : {};
}

async function answered(
  instance: Instance,
  result: ProbeResult,
  keyVariables: readonly string[],
): Promise<Inspection> {
  const { state, detail, version } = result;
  const about = {
    ...(version !== undefined && { version }),
    ...(detail !== undefined && { problem: instance.mask(detail) }),
  };
  switch (state) {
    case 'misconfigured':
      return {
        state: 'refused',
        missing: [],
        ...about,
        ...credentialHint(instance, keyVariables, detail),
      };
    case 'unhealthy':
      return { state: 'failed', missing: [], ...about, ...(await kindHint(instance)) };
    case 'loading':
    case 'healthy': {
      const missing = missingModels(instance.settings.models, result.models);
      return {
        state: state === 'healthy' ? 'ok' : 'loading',
        ...about,
        ...(result.models && {
          models: result.models.map((model) => withServices(instance, model)),
        }),
        missing,
        ...(missing.length > 0 && {
          problem: `${missing.length === 1 ? 'it has no model' : 'it has no models'} ${missing.join(', ')}`,
          hint: modelHint(instance, missing, result.models ?? []),
        }),
      };
    }
  }
}

function withServices(instance: Instance, { id, services }: CatalogueModel): InspectedModel {
  const able = (Object.keys(OPERATIONS) as Operation[]).filter((each) => instance.supports(each));
  const offered = new Set(able.map((operation) => OPERATIONS[operation].service));
  if (!services && offered.size > 1) return { id };
  return {
    id,
    services: SERVICES.filter((each) => offered.has(each) && (services?.includes(each) ?? true)),
  };
}

/** Patterns may wait for models that are still to come; a name is meant as it stands. */
function missingModels(
  configured: readonly string[] | undefined,
  found: readonly CatalogueModel[] | undefined,
): readonly string[] {
  if (!configured || !found) return [];
  const names = new Set(found.flatMap(({ id, aliases = [] }) => [id, ...aliases]));
  return configured.filter((name) => !name.includes('*') && !names.has(name));
}

/** Takes the time of each answer. */
function timed(backend: Backend): { backend: Backend; fastest: () => number } {
  let fastest = Infinity;
  const clocked = async (ask: () => Promise<Reply>): Promise<Reply> => {
    const began = performance.now();
    const reply = await ask();
    fastest = Math.min(fastest, performance.now() - began);
    return reply;
  };
  return {
    backend: {
      get: (path) => clocked(() => backend.get(path)),
      post: (path, body) => clocked(() => backend.post(path, body)),
    },
    fastest: () => fastest,
  };
}
