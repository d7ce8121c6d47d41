import { Agent } from 'undici';
import type { Adapter, Backend, ProbeResult } from '../adapters/adapter.ts';
import { COMPATIBLE } from '../adapters/fingerprint.ts';
import { ADAPTERS } from '../adapters/index.ts';
import { SERVICES, serviceOf, type Operation, type Service } from '../service.ts';
import { connectBackend } from './backend.ts';
import { findProviders, keyVariables } from './providers.ts';

/** A backend that was found running here, or whose key lies in the environment. */
export interface Found {
  /** A name for the instance; unique among what was found together. */
  readonly name: string;
  /** The adapter to use. */
  readonly adapter: string;
  /** What it is: the adapter's name, or that of a server that is only compatible with OpenAI. */
  readonly kind: string;
  readonly baseUrl: string;
  readonly version?: string;
  /** As it listed them; empty when it was not asked or did not say. */
  readonly models: readonly string[];
  readonly services: readonly Service[];
  /** Where its key is, or is to be put; absent when it wants none. */
  readonly apiKeyVariable?: string;
  /** Whether calls could be routed to it as it is. */
  readonly usable: boolean;
  /** One clause on its state, and what to do. */
  readonly note?: string;
}

export interface DiscoverOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where to look, by adapter or kind, in place of the well-known ports of all of them. */
  readonly ports?: Readonly<Record<string, readonly number[]>>;
  /** Milliseconds for everything. Default: 1800. */
  readonly timeout?: number;
  /** Ports that are known already, or our own. */
  readonly skipPorts?: readonly number[];
  /** Called as each port has been looked at. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What may be behind a port. */
interface Kind {
  readonly name: string;
  readonly adapter: Adapter;
  readonly ports: readonly number[];
  recognise(backend: Backend): Promise<boolean>;
}

/**
 * Looks for backends on their well-known ports of this machine, all at once, and for the keys of
 * providers in the environment. The order is that of the adapters' table. Providers are not
 * contacted, and neither jairouter itself nor its mock is ever found.
 */
export async function discover(options: DiscoverOptions): Promise<Found[]> {
  const kinds = knownKinds(options.ports);
  const skipped = new Set(options.skipPorts);
  const ports = [...new Set(kinds.flatMap((kind) => kind.ports))].filter(
    (port) => !skipped.has(port),
  );
  const deadline = performance.now() + (options.timeout ?? 1800);
  const dispatcher = new Agent();
  let done = 0;
  try {
    const sightings = await Promise.all(
      ports.map(async (port) => {
        const seen = await lookAt(port, kinds, { env: options.env, deadline, dispatcher });
        options.onProgress?.(++done, ports.length);
        return seen ? [seen] : [];
      }),
    );
    const rank = (kind: string): number => kinds.findIndex((one) => one.name === kind);
    const local = sightings.flat().sort((a, b) => rank(a.kind) - rank(b.kind));
    return named([...local, ...providers(options.env)]);
  } finally {
    await dispatcher.destroy();
  }
}

/**
 * What a server shows itself to be, whatever port it is on.
 *
 * @returns Its kind, and the adapter for it if there is one.
 */
export async function kindOf(
  backend: Backend,
): Promise<{ readonly name: string; readonly adapter: string | undefined } | undefined> {
  const kind = await recognised(askedOnce(backend), knownKinds(undefined));
  return kind && { name: kind.name, adapter: kind.adapter?.name };
}

function knownKinds(ports: DiscoverOptions['ports']): Kind[] {
  const portsOf = (name: string, usual: readonly number[]): readonly number[] =>
    ports ? (ports[name] ?? []) : usual;
  const adapters = Object.values<Adapter>(ADAPTERS).flatMap((adapter): Kind[] =>
    adapter.recognise
      ? [
          {
            name: adapter.name,
            adapter,
            ports: portsOf(adapter.name, adapter.ports),
            recognise: (backend) => adapter.recognise!(backend),
          },
        ]
      : [],
  );
  const compatible: Kind = {
    name: COMPATIBLE.name,
    adapter: ADAPTERS.openai,
    ports: portsOf(COMPATIBLE.name, COMPATIBLE.ports),
    recognise: (backend) => COMPATIBLE.recognise(backend),
  };
  return [...adapters, compatible];
}

type Sighting = Omit<Found, 'name'>;

interface Look {
  readonly env: DiscoverOptions['env'];
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  readonly dispatcher: Agent;
}

async function lookAt(
  port: number,
  kinds: readonly Kind[],
  { env, deadline, dispatcher }: Look,
): Promise<Sighting | undefined> {
  const baseUrl = `http://127.0.0.1:${port}`;
  // The deadline alone limits the time, so that a slow answer may use what the others left.
  const timeout = Infinity;
  const connect = (headers: Readonly<Record<string, string>>, path = ''): Backend =>
    connectBackend({ baseUrl: baseUrl + path, headers, timeout, deadline, dispatcher });
  const asked = askedOnce(connect({}));
  // Other developers' servers live on these ports too: they are asked what is customary there, and
  // only who turns out to serve models is asked all the rest.
  let kind = await recognised(
    asked,
    kinds.filter((one) => one.ports.includes(port)),
  );
  if (kind?.name === COMPATIBLE.name) kind = await recognised(asked, kinds);
  if (!kind || (await isOurs(asked))) return undefined;
  const path = basePathOf(kind.adapter);
  return describe(kind, {
    baseUrl: baseUrl + path,
    env,
    connect: (headers) => connect(headers, path),
  });
}

/** Below which a server of this kind has its API, when it is one of this machine. */
function basePathOf(adapter: Adapter): string {
  if (adapter.baseUrl === undefined || adapter.cloud) return '';
  return new URL(adapter.baseUrl).pathname.replace(/\/+$/, '');
}

/** Several recognisers ask for the same page; servers log every request that they can't answer. */
function askedOnce(backend: Backend): Backend {
  const answers = new Map<string, ReturnType<Backend['get']>>();
  return {
    get(path) {
      const answer = answers.get(path) ?? backend.get(path);
      answers.set(path, answer);
      return answer;
    },
    post: (path, body) => backend.post(path, body),
  };
}

/** Whether it is jairouter, which lists its instances here, or the mock, which signs its answers. */
async function isOurs(backend: Backend): Promise<boolean> {
  try {
    const { headers, json } = await backend.get('/ready');
    if (headers['server']?.startsWith('jairouter')) return true;
    const { status, instances } = (json ?? {}) as { status?: unknown; instances?: unknown };
    return (status === 'ready' || status === 'not ready') && typeof instances === 'object';
  } catch {
    // We would have answered.
    return false;
  }
}

/** @returns The first in the order of `kinds` that says yes. */
async function recognised(backend: Backend, kinds: readonly Kind[]): Promise<Kind | undefined> {
  const verdicts = await Promise.all(
    kinds.map((kind) =>
      // An answer that does not come, or that a recogniser stumbles over, is no yes.
      kind.recognise(backend).catch(() => false),
    ),
  );
  return kinds[verdicts.indexOf(true)];
}

async function describe(
  { name: kind, adapter }: Kind,
  {
    baseUrl,
    env,
    connect,
  }: {
    readonly baseUrl: string;
    readonly env: DiscoverOptions['env'];
    readonly connect: (headers: Readonly<Record<string, string>>) => Backend;
  },
): Promise<Sighting> {
  const variables = keyVariables(adapter === ADAPTERS.openai ? { name: nameFor(kind) } : adapter);
  let result = await probe(adapter, connect({}));
  const wantsKey = result.state === 'misconfigured';
  const variable = variables.find((name) => env[name]?.trim()) ?? variables[0];
  const key = wantsKey ? env[variable]?.trim() : undefined;
  if (key) result = await probe(adapter, connect(adapter.auth(key)));
  const locked = result.state === 'misconfigured';
  const refusal = key ? `it refuses the key in ${variable}` : `it wants a key: set ${variable}`;
  const note = locked ? refusal : result.detail;
  return {
    adapter: adapter.name,
    kind,
    baseUrl,
    ...(result.version !== undefined && { version: result.version }),
    models: result.models?.map((model) => model.id) ?? [],
    services: servicesOf(adapter, result),
    ...(wantsKey && { apiKeyVariable: variable }),
    usable: !locked,
    ...(note !== undefined && { note }),
  };
}

async function probe(adapter: Adapter, backend: Backend): Promise<ProbeResult> {
  try {
    return await adapter.probe(backend);
  } catch {
    // It was recognised a moment ago, so it is there; it is only too slow for this short look.
    return { state: 'healthy', detail: 'it did not list its models in time' };
  }
}

/** What its models can do; where they do not say, what the server or else the adapter can. */
function servicesOf(adapter: Adapter, { models, operations }: ProbeResult): readonly Service[] {
  const able = operations ?? (Object.keys(adapter.operations) as Operation[]);
  const all = new Set(able.map(serviceOf));
  const told = models?.flatMap((model) => model.services ?? [...all]) ?? [];
  const wanted = new Set(told.length > 0 ? told : all);
  return SERVICES.filter((service) => wanted.has(service));
}

function providers(env: DiscoverOptions['env']): Sighting[] {
  return findProviders(env).map(({ adapter, baseUrl, apiKeyVariable, refusal }) => ({
    adapter: adapter.name,
    kind: adapter.name,
    baseUrl,
    models: [],
    services: servicesOf(adapter, { state: 'healthy' }),
    ...(refusal === undefined
      ? { apiKeyVariable, usable: true }
      : { usable: false, note: refusal }),
  }));
}

/** @returns A name for an instance. */
function nameFor(kind: string): string {
  return kind === COMPATIBLE.name ? 'local' : kind.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '');
}

/** Names each after its kind, and after its port too where there are several. */
function named(sightings: readonly Sighting[]): Found[] {
  const taken = new Set<string>();
  return sightings.map((sighting) => {
    const short = nameFor(sighting.kind);
    const name = taken.has(short) ? `${short}-${new URL(sighting.baseUrl).port}` : short;
    taken.add(name);
    return { name, ...sighting };
  });
}
