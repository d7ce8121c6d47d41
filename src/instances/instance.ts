import { isDeepStrictEqual } from 'node:util';
import type { Dispatcher } from 'undici';
import type { Adapter, CatalogueModel, ProbeResult } from '../adapters/adapter.ts';
import type { HealthSettings } from '../config/settings.ts';
import { LatencyAverage } from '../gateway/balance/latency-average.ts';
import {
  matchesPattern,
  type Catalogue,
  type InstanceState,
  type Routable,
} from '../gateway/directory.ts';
import { OPERATIONS, type Operation, type Service } from '../service.ts';
import { openPool, type PoolOptions } from './pool.ts';

/** What the config says of one instance, with everything inherited filled in. */
export interface InstanceSettings {
  readonly name: string;
  readonly adapter: Adapter;
  /** Without a trailing slash or `/v1`. */
  readonly baseUrl: string;
  readonly weight: number;
  readonly priority: number;
  readonly enabled: boolean;
  readonly apiKey: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Narrows what the adapter can do. */
  readonly services: readonly Service[] | undefined;
  /** Names and wildcards that stand for, or choose from, the backend's own list. */
  readonly models: readonly string[] | undefined;
  readonly health: HealthSettings;
  readonly pool: PoolOptions;
  /** A variable that its config names and the environment lacks: the instance is off. */
  readonly unset: string | undefined;
}

/** One running backend: its connections, its counters, and what is known of it now. */
export class Instance implements Routable {
  readonly settings: InstanceSettings;
  readonly name: string;
  readonly adapter: Adapter;
  readonly weight: number;
  readonly priority: number;
  /** Credentials and the config's own headers, lower-case names, as sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Scheme, host and port. */
  readonly origin: string;
  /** What `baseUrl` has after the host; without a trailing slash. */
  readonly basePath: string;
  /** Attempts running now. */
  inFlight = 0;
  state: InstanceState = 'unknown';
  stateDetail: string | undefined;
  nextLook: number | undefined;
  version: string | undefined;
  catalogue: Catalogue;
  readonly #latency = new LatencyAverage();
  #listed: readonly CatalogueModel[] | undefined;
  #operations: ReadonlySet<Operation>;
  #dispatcher: Dispatcher | undefined;

  constructor(settings: InstanceSettings) {
    this.settings = settings;
    this.name = settings.name;
    this.adapter = settings.adapter;
    this.weight = settings.weight;
    this.priority = settings.priority;
    const url = new URL(settings.baseUrl);
    this.origin = url.origin;
    this.basePath = url.pathname.replace(/\/+$/, '');
    this.headers = ownHeaders(settings);
    this.catalogue = catalogueOf(settings.models, undefined);
    this.#operations = this.#allowed(undefined);
    if (!settings.enabled) {
      this.state = 'disabled';
      this.stateDetail = 'enabled: false';
    } else if (settings.unset !== undefined) {
      this.state = 'misconfigured';
      this.stateDetail = `the variable ${settings.unset} is not set`;
    }
  }

  /** The connections to it; opened by the first use. */
  get dispatcher(): Dispatcher {
    this.#dispatcher ??= openPool(this.origin, this.settings.pool);
    return this.#dispatcher;
  }

  /** Takes our credentials out of a text of the backend's: some repeat a key that they refuse. */
  mask(text: string): string {
    const { apiKey } = this.settings;
    return apiKey === undefined || apiKey.length < 4 ? text : text.replaceAll(apiKey, '***');
  }

  /** A connection of its own, for one request; the caller closes it. */
  openFresh(): Dispatcher {
    return openPool(this.origin, this.settings.pool);
  }

  /**
   * Gets a file that an answer links to.
   * @throws Error when the backend does not give it.
   */
  async fetch(path: string, signal: AbortSignal): Promise<Buffer> {
    const { statusCode, body } = await this.dispatcher.request({
      origin: this.origin,
      path: this.basePath + path,
      method: 'GET',
      headers: { ...this.headers },
      signal,
    });
    const bytes = Buffer.from(await body.arrayBuffer());
    if (statusCode !== 200) throw new Error(`GET ${path} answered ${statusCode}`);
    return bytes;
  }

  /** Somebody else's paid service, as far as its address tells: to be probed rarely. */
  get cloud(): boolean {
    return this.adapter.cloud === true && !isNearby(new URL(this.origin).hostname);
  }

  /** Whether the config keeps it from being used at all, whatever a probe would say. */
  get off(): boolean {
    return !this.settings.enabled || this.settings.unset !== undefined;
  }

  supports(operation: Operation): boolean {
    return this.#operations.has(operation);
  }

  latency(now: number): number {
    return this.#latency.value(now);
  }

  /** Takes note of an answer's time to first byte, in milliseconds. */
  observeLatency(sample: number, now: number): void {
    this.#latency.observe(sample, now);
  }

  /** Takes over what a probe has found; the state is the health checker's to decide. */
  learn(result: ProbeResult): void {
    if (result.version !== undefined) this.version = result.version;
    // The same list again must not look like a change: an index over all models depends on it.
    if (result.models && !isDeepStrictEqual(result.models, this.#listed)) {
      this.#listed = result.models;
      this.catalogue = catalogueOf(this.settings.models, result.models);
    }
    if (result.operations) this.#operations = this.#allowed(result.operations);
  }

  /** Ends idle connections now and the others when their answers are over. */
  async close(): Promise<void> {
    await this.#dispatcher?.close();
  }

  /** Ends every connection now. */
  async destroy(): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  #allowed(offered: readonly Operation[] | undefined): ReadonlySet<Operation> {
    const { services } = this.settings;
    const own = Object.keys(this.adapter.operations) as Operation[];
    return new Set(
      own.filter(
        (operation) =>
          (offered?.includes(operation) ?? true) &&
          (services?.includes(OPERATIONS[operation].service) ?? true),
      ),
    );
  }
}

/** An address on this machine or its network: adapters for clouds serve their imitations too. */
function isNearby(hostname: string): boolean {
  if (!hostname.includes('.') || hostname.startsWith('[')) return true;
  if (/\.(local|localhost|lan|home|internal)$/.test(hostname)) return true;
  return /^(127|10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$/.test(hostname);
}

function ownHeaders({ adapter, apiKey, headers }: InstanceSettings): Record<string, string> {
  const own: Record<string, string> = apiKey === undefined ? {} : { ...adapter.auth(apiKey) };
  for (const [name, value] of Object.entries(headers)) own[name.toLowerCase()] = value;
  return own;
}

/**
 * The catalogue under a config's `models`: names are taken as they stand, wildcards choose from
 * what the backend lists and also admit what it does not list.
 */
function catalogueOf(
  configured: readonly string[] | undefined,
  found: readonly CatalogueModel[] | undefined,
): Catalogue {
  const byName = new Map<string, CatalogueModel>();
  for (const model of found ?? []) {
    byName.set(model.id, model);
    for (const alias of model.aliases ?? []) if (!byName.has(alias)) byName.set(alias, model);
  }
  if (!configured) return { known: found !== undefined, models: byName, wildcards: [] };

  const wildcards = configured.filter((name) => name.includes('*'));
  const models = new Map<string, CatalogueModel>();
  for (const name of configured) {
    if (!name.includes('*')) models.set(name, byName.get(name) ?? { id: name });
  }
  for (const [name, model] of byName) {
    if (wildcards.some((pattern) => matchesPattern(pattern, name))) models.set(name, model);
  }
  return { known: true, models, wildcards };
}
