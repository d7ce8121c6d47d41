import { schema, type Config } from '../config/schema.ts';
import { discover, type DiscoverOptions, type Found } from '../instances/discovery.ts';
import type { Mock } from '../mock/server.ts';

/** A config made from what is there, for a start without a file. */
export interface FoundConfig {
  readonly config: Config;
  readonly unset: ReadonlyMap<string, string>;
  /** What was found since the last look, a line each. */
  readonly news: readonly string[];
  /** @returns The next config, when there is something new. */
  lookAgain(): Promise<FoundConfig | undefined>;
  /** Ends the mock backend, if that is what is served. */
  close(): Promise<void>;
}

/** The environment, and the ports to look at in place of the well-known ones. */
export type Where = Pick<DiscoverOptions, 'env' | 'ports'>;

/**
 * Serves what runs on this machine and the providers whose keys are set; the built-in mock backend
 * when there is nothing, so that a first run works.
 */
export async function findWithoutConfig(where: Where): Promise<FoundConfig> {
  const found = await discover(where);
  const usable = found.filter((one) => one.usable);
  const news = found.map(describe);
  if (usable.length > 0) return serving({ where, usable, known: found, mock: undefined, news });
  const { startMock } = await import('../mock/server.ts');
  const mock = await startMock({ port: 0 });
  return serving({
    where,
    usable,
    known: found,
    mock,
    news: [
      ...news,
      'nothing to serve was found on this machine, and no key of a provider is set:',
      'serving the built-in mock models, and looking on every 10 s',
    ],
  });
}

interface Sight {
  readonly where: Where;
  readonly usable: readonly Found[];
  /** All that was ever seen, usable or not. */
  readonly known: readonly Found[];
  readonly mock: Mock | undefined;
  readonly news: readonly string[];
}

function serving(sight: Sight): FoundConfig {
  const { where, usable, known, mock, news } = sight;
  return {
    config: configFor(usable, where.env, mock),
    unset: new Map(),
    news,
    async lookAgain() {
      const skipPorts = usable.map((one) => Number(new URL(one.baseUrl).port));
      const seen = await discover({ ...where, skipPorts });
      const isKnown = (one: Found): boolean =>
        known.some((other) => other.baseUrl === one.baseUrl && other.usable === one.usable);
      const fresh = distinct(
        seen.filter((one) => !isKnown(one)),
        usable,
      );
      if (fresh.length === 0) return undefined;
      const more = fresh.filter((one) => one.usable);
      const retired = more.length > 0 ? mock : undefined;
      // The mock has done its service; calls that run on it may end.
      if (retired) setTimeout(() => void retired.close(), 10_000).unref();
      return serving({
        where,
        usable: [...usable, ...more],
        known: [...known, ...fresh],
        mock: retired ? undefined : mock,
        news: [...fresh.map(describe), ...(retired ? ['the mock models are gone'] : [])],
      });
    },
    async close() {
      await mock?.close();
    },
  };
}

/** Gives those a name of their own that are called as one that is there already. */
function distinct(fresh: readonly Found[], present: readonly Found[]): Found[] {
  const names = new Set(present.map((one) => one.name));
  return fresh.map((one) =>
    names.has(one.name) ? { ...one, name: `${one.name}-${new URL(one.baseUrl).port}` } : one,
  );
}

/** @returns The config that serves what was found, or the mock in its place. */
export function configFor(usable: readonly Found[], env: Where['env'], mock?: Mock): Config {
  const instances = Object.fromEntries(
    usable.map(({ name, adapter, baseUrl, apiKeyVariable }) => [
      name,
      {
        adapter,
        baseUrl,
        ...(apiKeyVariable === undefined ? {} : { apiKey: env[apiKeyVariable]?.trim() }),
      },
    ]),
  );
  return schema.parse({
    instances: mock ? { mock: { adapter: 'openai', baseUrl: mock.url } } : instances,
  });
}

function describe({ kind, baseUrl, usable, note, apiKeyVariable }: Found): string {
  if (!usable) return `found ${kind} at ${baseUrl}, not served: ${note ?? 'not usable'}`;
  const key = apiKeyVariable === undefined ? '' : ` (key from ${apiKeyVariable})`;
  return `found ${kind} at ${baseUrl}${key}`;
}
