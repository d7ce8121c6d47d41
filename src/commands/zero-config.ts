import { schema, type Config } from '../config/schema.ts';
import { discover, type Found } from '../instances/discovery.ts';
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

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Serves what runs on this machine and the providers whose keys are set; the built-in mock backend
 * when there is nothing, so that a first run works.
 */
export async function findWithoutConfig(env: Environment): Promise<FoundConfig> {
  const found = await discover({ env });
  const usable = found.filter((one) => one.usable);
  const news = found.map(describe);
  if (usable.length > 0) return serving({ env, usable, known: found, mock: undefined, news });
  const { startMock } = await import('../mock/server.ts');
  const mock = await startMock({ port: 0 });
  return serving({
    env,
    usable,
    known: found,
    mock,
    news: [
      ...news,
      'nothing to serve was found on this machine, and no OPENAI_API_KEY is set:',
      'serving the built-in mock models, and looking on every 10 s',
    ],
  });
}

interface Sight {
  readonly env: Environment;
  readonly usable: readonly Found[];
  /** All that was ever seen, usable or not. */
  readonly known: readonly Found[];
  readonly mock: Mock | undefined;
  readonly news: readonly string[];
}

function serving(sight: Sight): FoundConfig {
  const { env, usable, known, mock, news } = sight;
  return {
    config: configFor(usable, env, mock),
    unset: new Map(),
    news,
    async lookAgain() {
      const addresses = new Set(known.filter((one) => one.usable).map((one) => one.baseUrl));
      const skipPorts = [...addresses].map((address) => Number(new URL(address).port));
      const fresh = (await discover({ env, skipPorts })).filter(
        (one) => one.usable && !addresses.has(one.baseUrl),
      );
      if (fresh.length === 0) return undefined;
      const names = new Set(usable.map((one) => one.name));
      const named = fresh.map((one) =>
        names.has(one.name) ? { ...one, name: `${one.name}-${new URL(one.baseUrl).port}` } : one,
      );
      // The mock has done its service; calls that run on it may end.
      if (mock) setTimeout(() => void mock.close(), 10_000).unref();
      return serving({
        env,
        usable: [...usable, ...named],
        known: [...known, ...named],
        mock: undefined,
        news: [...named.map(describe), ...(mock ? ['the mock models are gone'] : [])],
      });
    },
    async close() {
      await mock?.close();
    },
  };
}

function configFor(usable: readonly Found[], env: Environment, mock: Mock | undefined): Config {
  const instances = Object.fromEntries(
    usable.map(({ name, adapter, baseUrl, apiKeyVariable }) => [
      name,
      {
        adapter,
        baseUrl,
        ...(apiKeyVariable === undefined ? {} : { apiKey: env[apiKeyVariable] }),
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
