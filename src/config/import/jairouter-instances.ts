import type { Adapter } from '../../adapters/adapter.ts';
import { OPERATIONS, type Operation, type Service } from '../../service.ts';
import { baseUrlProblem, normalizeBaseUrl } from '../base-url.ts';
import { isOwnHeader } from '../check.ts';
import { hasVariable } from '../interpolate.ts';
import type { Deployment } from './deployments.ts';
import type { InstanceInput } from './imported.ts';
import { breakerOf, rateLimitOf } from './jairouter-settings.ts';
import {
  openaiPlace,
  adapterOfPath,
  unversioned,
  type Adapters,
  type Place,
} from './openai-place.ts';
import type { Section } from './section.ts';
import { fromSpring } from './spring-text.ts';

/** A service of JAiRouter's, with its instances: each of them is a model on a backend. */
export interface Source {
  readonly section: Section;
  readonly service: Service;
  readonly operation: Operation;
}

interface Context {
  /** The block `model`, and the whole file. */
  readonly model: Section;
  readonly whole: Section;
  readonly adapters: Adapters;
}

/** Its names of adapters, where they are not ours. */
const ADAPTER_NAMES: Readonly<Record<string, string>> = { normal: 'openai', claude: 'anthropic' };

/** @returns The models on backends, and the pools of them under the names that clients ask for. */
export function deploymentsOf(sources: readonly Source[], context: Context): Deployment[] {
  const usual = context.model.text('adapter');
  const own = context.whole.section('adapterDefinitions');
  const byId = new Map<string, Deployment>();
  const all = sources.flatMap((source) => {
    const ofService = source.section.text('adapter') ?? usual ?? 'normal';
    const breaker = breakerOf(source.section.section('circuitBreaker'));
    const found = source.section.sections('instances').flatMap((entry): Deployment[] => {
      const adapter = adapterOf(entry, ofService, { ...context, own });
      const deployment = deploymentOf(entry, source, {
        adapter,
        breaker,
        adapters: context.adapters,
      });
      const id = entry.text('instanceId');
      leaveRestOf(entry);
      if (!deployment) return [];
      if (id !== undefined) byId.set(id, deployment);
      return [deployment];
    });
    return withoutDoubles(found, source.section);
  });
  return [...all, ...poolsOf(context.model, byId)];
}

function leaveRestOf(entry: Section): void {
  entry.leaveRest(
    { tags: 'calls choose an instance by `INSTANCE/MODEL` here', id: '' },
    'there is no such option of an instance here',
  );
}

function adapterOf(
  entry: Section,
  ofService: string,
  { adapters, own }: Context & { readonly own: Section },
): Adapter {
  const name = entry.text('adapter') ?? ofService;
  const known = adapters.known[ADAPTER_NAMES[name] ?? name];
  if (known) return known;
  if (own.value(name) === undefined)
    entry.leave('adapter', 'it is no adapter here, and `openai` in its place');
  return adapters.known['openai']!;
}

function deploymentOf(
  entry: Section,
  { service, operation }: Source,
  of: {
    readonly adapter: Adapter;
    readonly breaker: InstanceInput['circuitBreaker'];
    readonly adapters: Adapters;
  },
): Deployment | undefined {
  const name = fromSpring(entry.text('name') ?? '');
  const address = fromSpring(entry.text('baseUrl') ?? '');
  if (!name || !address) {
    entry.leaveWhole(name, 'an instance needs a `name` and a `base-url`');
    return undefined;
  }
  // What an address with a variable in it is, only the environment knows.
  const problem = hasVariable(address) ? undefined : baseUrlProblem(address);
  if (problem !== undefined) {
    entry.leaveWhole(name, `its address ${problem}`);
    return undefined;
  }
  const { apiKey, headers } = credentialsOf(entry.section('headers'), of.adapter);
  const weight = entry.amount('weight');
  const rateLimit = rateLimitOf(entry.section('rateLimit'), true);
  const breaker = breakerOf(entry.section('circuitBreaker')) ?? of.breaker;
  const base = hasVariable(address) ? address : normalizeBaseUrl(address);
  const path = pathOf(entry);
  const place =
    of.adapter.name === 'openai'
      ? placeOf({ base, path }, operation, of.adapters)
      : ownPlaceOf(entry, { base, path }, { adapter: of.adapter, operation });
  if (place === undefined) return undefined;
  const isOff = /^(inactive|disabled|down|off)$/i.test(entry.text('status') ?? '');
  return {
    name,
    model: name,
    service,
    instance: {
      ...place,
      ...(isOff && { enabled: false }),
      ...(weight !== undefined && weight !== 1 && { weight }),
      ...(apiKey !== undefined && { apiKey }),
      ...(Object.keys(headers).length > 0 && { headers }),
      ...(rateLimit && { rateLimit }),
      ...(breaker && { circuitBreaker: breaker }),
    },
  };
}

/** The key that an adapter puts into a header by itself, and all other headers. */
function credentialsOf(
  section: Section,
  adapter: Adapter,
): { apiKey?: string; headers: Record<string, string> } {
  const headers: Record<string, string> = {};
  let apiKey: string | undefined;
  for (const name of section.keys) {
    const value = fromSpring(section.text(name) ?? '');
    if (value === undefined || !isOwnHeader(name, value)) {
      section.leave(name, 'it is no header, or has no value that can be carried over');
      continue;
    }
    const key = keyIn(name, value, adapter);
    if (key !== undefined) apiKey = key;
    else if (value !== '') headers[name] = value;
  }
  return { ...(apiKey && { apiKey }), headers };
}

function keyIn(name: string, value: string, adapter: Adapter): string | undefined {
  const shape = Object.entries(adapter.auth('KEY')).find(
    ([header]) => header === name.toLowerCase(),
  )?.[1];
  const [before = '', after = ''] = shape?.split('KEY') ?? [];
  const fits = shape !== undefined && value.toLowerCase().startsWith(before.toLowerCase());
  return fits ? value.slice(before.length, value.length - after.length).trim() : undefined;
}

interface Target {
  readonly base: string;
  /** As JAiRouter has it: the whole of it, or none. */
  readonly path: string | undefined;
}

function pathOf(entry: Section): string | undefined {
  const path = fromSpring(entry.text('path') ?? '')?.replace(/\/+$/, '');
  if (!path) return undefined;
  if (/^\/?[^\s?#]+$/.test(path)) return path.startsWith('/') ? path : `/${path}`;
  entry.leave('path', 'it is no path');
  return undefined;
}

/** Paths that are not quite OpenAI's are what an adapter of one's own is for. */
function placeOf({ base, path }: Target, operation: Operation, adapters: Adapters): Place {
  const own = adapters.known['openai']!.operations[operation]!.path;
  const route = [own, ...OPERATIONS[operation].routes].find((one) => path?.endsWith(one));
  const end = unversioned(route ?? own);
  if (!path) return openaiPlace(`${base}/v1`, operation, adapters);
  const root = path.endsWith(end) ? path.slice(0, -end.length) : undefined;
  // Where nothing stands before it, all else is most likely below `/v1`.
  return root
    ? openaiPlace(base + root, operation, adapters)
    : {
        adapter: adapterOfPath(path, operation, adapters),
        baseUrl: base,
      };
}

/**
 * Where an adapter with paths of its own finds its backend: JAiRouter's path may have something before
 * them, as in `/api/v1/chat/completions`.
 * @returns `undefined` when the backend can't be reached by the adapter.
 */
function ownPlaceOf(
  entry: Section,
  { base, path }: Target,
  { adapter, operation }: { readonly adapter: Adapter; readonly operation: Operation },
): Place | undefined {
  const own = adapter.operations[operation]?.path;
  if (own === undefined) {
    entry.leaveWhole(
      entry.text('name'),
      `the adapter \`${adapter.name}\` has no such service here`,
    );
    return undefined;
  }
  const usual = [own, ...OPERATIONS[operation].routes].find((route) => path?.endsWith(route));
  if (path && !usual)
    entry.leave('path', `the adapter \`${adapter.name}\` calls its own paths, ${own} and others`);
  const prefix = path && usual ? path.slice(0, -usual.length) : '';
  return { adapter: adapter.name, baseUrl: base + prefix };
}

/** The same model at the same place twice is one with the weight of both. */
function withoutDoubles(found: readonly Deployment[], section: Section): Deployment[] {
  const single = new Map<string, Deployment>();
  for (const one of found) {
    const { weight = 1, ...instance } = one.instance;
    const key = JSON.stringify([one.model, instance]);
    const before = single.get(key);
    if (!before) {
      single.set(key, one);
      continue;
    }
    section.leave(
      'instances',
      'a model that is listed twice at one address is one, of both weights',
    );
    const sum = Number(before.instance.weight ?? 1) + Number(weight);
    single.set(key, { ...one, instance: { ...instance, weight: sum } });
  }
  return [...single.values()];
}

/** A pool's members under the pool's name; they are chosen by the service's strategy. */
function poolsOf(model: Section, byId: ReadonlyMap<string, Deployment>): Deployment[] {
  return model.sections('pools').flatMap((pool) => {
    const name = pool.text('poolName');
    if (name === undefined || pool.flag('enabled') === false) return [];
    const members = pool.sections('members').flatMap((member): Deployment[] => {
      const deployment = byId.get(member.text('instanceId') ?? '');
      if (!deployment) member.leave('instanceId', 'there is no such instance');
      member.leaveRest({}, "an instance's own `weight` counts, in all of its pools");
      return deployment ? [{ ...deployment, name }] : [];
    });
    pool.leaveRest(
      { name: '', serviceType: '', description: '' },
      'the strategy of the service counts',
    );
    return members;
  });
}
