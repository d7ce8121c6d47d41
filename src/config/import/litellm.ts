import type { Adapter } from '../../adapters/adapter.ts';
import { asObject, asObjects, type JsonObject } from '../../adapters/json.ts';
import { escapeVariables } from '../interpolate.ts';
import type { ConfigInput } from '../schema.ts';
import type { Strategy } from '../options/service.ts';
import { aliasesOf, groupDeployments, type Deployment } from './deployments.ts';
import { ifAny, Remains, type Imported, type ModelInput } from './imported.ts';
import {
  deploymentsOf,
  fromEnvironment,
  SECOND,
  type LiteLLMDeployment,
} from './litellm-models.ts';
import { withModels, type OwnAdapters } from './openai-place.ts';
import { Section } from './section.ts';

/** @returns Whether a file is LiteLLM's. */
export function isLiteLLM(data: JsonObject): boolean {
  return Array.isArray(data['model_list']);
}

/** Makes our config of LiteLLM's `config.yaml`. */
export function fromLiteLLM(
  data: JsonObject,
  adapters: Readonly<Record<string, Adapter>>,
): Imported {
  const remains = new Remains();
  const whole = new Section(data, '', remains);
  const router = whole.section('router_settings');
  const library = whole.section('litellm_settings');
  const general = whole.section('general_settings');
  const strategy = strategyOf(router);
  const own: OwnAdapters = {};
  const entries = deploymentsOf(whole.sections('model_list'), {
    adapters: { known: adapters, own },
    credentials: credentialsOf(whole),
  });
  const grouped = groupDeployments(entries.map((entry) => withLimit(entry, entries, strategy)));
  const models = modelsOf(grouped, { entries, router, library });
  // Most may stand in either place; the router's wins.
  const either = <T>(read: (owner: Section) => T | undefined): T | undefined => {
    const [one, other] = [read(router), read(library)];
    return one ?? other;
  };
  const retries = either((owner) => owner.whole('num_retries', { min: 0 }));
  const firstByte =
    router.duration('timeout', SECOND) ?? library.duration('request_timeout', SECOND);
  const firstEvent = router.duration('stream_timeout', SECOND);
  const fails = either((owner) => owner.whole('allowed_fails', { min: 0, max: 1000 }));
  const openFor = either((owner) => owner.duration('cooldown_time', SECOND));
  const timeouts = {
    ...(firstByte !== undefined && { firstByte }),
    ...(firstEvent !== undefined && { firstEvent }),
  };
  const circuitBreaker = {
    ...(fails !== undefined && { failureThreshold: fails + 1 }),
    ...(openFor !== undefined && { openFor }),
  };
  const usual = fromEnvironment(general.text('completion_model'));
  const config: ConfigInput = {
    ...ifAny('server', serverOf(general)),
    ...ifAny('defaults', {
      ...(strategy && { loadBalance: strategy }),
      ...ifAny('timeouts', timeouts),
      ...(retries !== undefined && { retry: { attempts: Math.min(20, retries + 1) } }),
      ...ifAny('circuitBreaker', circuitBreaker),
    }),
    ...(usual !== undefined && { services: { chat: { defaultModel: usual } } }),
    ...ifAny('adapters', withModels(own, grouped.instances)),
    instances: grouped.instances,
    ...ifAny('models', models),
  };
  whole.leaveRest(WHOLE, 'there is no such option here');
  router.leaveRest(ROUTER, 'there is no such option here');
  library.leaveRest(LIBRARY, 'there is no such option here');
  general.leaveRest(GENERAL, 'there is no such option here');
  remains.add('--port', 'the port is 4747 here, not 4000; `server.port` changes it');
  return { from: 'LiteLLM', config, left: remains.list() };
}

/** `credential_list` has keys and addresses that models refer to by name. */
function credentialsOf(whole: Section): ReadonlyMap<string, Section> {
  const all = new Map<string, Section>();
  for (const credential of whole.sections('credential_list')) {
    const name = credential.text('credential_name');
    if (name !== undefined) all.set(name, credential.section('credential_values'));
  }
  return all;
}

/** By LiteLLM's names; what goes by usage or price has nothing that is quite like it. */
const STRATEGIES: Readonly<Record<string, Strategy>> = {
  'simple-shuffle': 'random',
  'least-busy': 'least-connections',
  'latency-based-routing': 'latency',
  'usage-based-routing': 'least-connections',
  'usage-based-routing-v2': 'least-connections',
};

function strategyOf(router: Section): Strategy | undefined {
  const name = router.text('routing_strategy');
  if (name === undefined) return undefined;
  const strategy = STRATEGIES[name];
  if (!strategy) router.leave('routing_strategy', 'there is no such strategy here');
  else if (name.startsWith('usage')) {
    router.leave('routing_strategy', '`least-connections` is what is nearest to it');
  }
  return strategy;
}

/**
 * A deployment's own limit makes an instance of its own of it. Where all of a name's deployments
 * have one, LiteLLM's shuffle goes by them as by weights.
 */
function withLimit(
  entry: LiteLLMDeployment,
  all: readonly LiteLLMDeployment[],
  strategy: Strategy | undefined,
): Deployment {
  const { name, model, service, instance, rpm, tpm } = entry;
  const peers = all.filter((one) => one.name === name);
  const isShuffle = strategy === undefined || strategy === 'random';
  const byRate =
    isShuffle &&
    peers.length > 1 &&
    peers.every((one) => one.rpm !== undefined && one.instance.weight === undefined);
  const limit =
    rpm !== undefined
      ? { rate: `${rpm}/m` }
      : tpm !== undefined
        ? { rate: `${tpm}/m`, cost: 'tokens' as const }
        : undefined;
  return {
    name,
    model,
    service,
    instance: {
      ...instance,
      ...(byRate && { weight: rpm }),
      ...(limit && { rateLimit: limit }),
    },
  };
}

interface Names {
  readonly entries: readonly LiteLLMDeployment[];
  readonly router: Section;
  readonly library: Section;
}

function modelsOf(
  grouped: ReturnType<typeof groupDeployments>,
  { entries, router, library }: Names,
): Record<string, ModelInput> {
  const models = aliasesOf(grouped);
  const { instances } = grouped;
  // No alias may stand before an instance's own models.
  const isFree = (name: string): boolean =>
    name !== '' && !name.includes('*') && !Object.hasOwn(instances, name.split('/', 1)[0]!);
  const alias = (name: string): ModelInput | undefined => {
    const targets = grouped.targets.get(name);
    return targets && isFree(name) ? (models[name] ??= { targets }) : undefined;
  };
  for (const { name, rpm, tpm } of entries) {
    // An instance has one limit: the other is the name's, where only this one answers to it.
    if (rpm === undefined || tpm === undefined) continue;
    const own = grouped.targets.get(name)?.length === 1 ? alias(name) : undefined;
    if (own) own.rateLimit = { rate: `${tpm}/m`, cost: 'tokens' };
    else router.leave('model_list tpm', 'a model has one limit on an instance: `rpm` is kept');
  }
  fallBack([...grouped.targets.keys()], alias, { router, library });
  const others = router.section('model_group_alias');
  for (const name of others.keys) {
    const value = others.value(name);
    const model = String(asObject(value)?.['model'] ?? value);
    const targets = grouped.targets.get(model);
    if (targets && isFree(name) && !model.includes('*'))
      models[name] = { targets, ...models[model] };
    else others.leave(name, 'there is no such model in `model_list`, or it may not be called so');
  }
  // In the order in which the other file names them.
  const order = [...grouped.targets.keys(), ...others.keys];
  return Object.fromEntries(
    [...new Set(order)].flatMap((name) => (models[name] ? [[name, models[name]]] : [])),
  );
}

function fallBack(
  names: readonly string[],
  alias: (name: string) => ModelInput | undefined,
  { router, library }: Omit<Names, 'entries'>,
): void {
  for (const owner of [library, router]) {
    for (const entry of asObjects(owner.value('fallbacks')) ?? []) {
      for (const [name, value] of Object.entries(entry)) {
        const fallback = namesIn(value);
        const own = alias(name);
        if (own && fallback.length > 0) own.fallback = fallback;
        else
          owner.leave(
            'fallbacks',
            'only a model with a name of its own can fall back, no pattern and no `INSTANCE/MODEL`',
          );
      }
    }
  }
  const usual = [
    ...namesIn(library.value('default_fallbacks')),
    ...namesIn(router.value('default_fallbacks')),
  ];
  for (const name of names) {
    const fallback = usual.filter((each) => each !== name);
    const own = fallback.length > 0 ? alias(name) : undefined;
    if (own) own.fallback ??= fallback;
  }
}

function namesIn(value: unknown): string[] {
  return [value]
    .flat()
    .filter((each) => typeof each === 'string' && each !== '')
    .map((each) => escapeVariables(each as string));
}

function serverOf(general: Section): NonNullable<ConfigInput['server']> {
  const key = fromEnvironment(general.text('master_key'));
  const size = general.amount('max_request_size_mb');
  return {
    ...(key !== undefined && { apiKeys: [{ name: 'master', key }] }),
    ...(size !== undefined && { maxBodySize: `${size}mb` }),
  };
}

const REDIS = 'what is counted is kept in this one process';
const MONEY = 'tokens are counted here, and no money';
const PLUGINS = 'there are no hooks into calls here';

const WHOLE: Readonly<Record<string, string>> = {
  include: '',
  environment_variables: 'set them in the environment, or in a `.env` beside the config',
  callback_settings: PLUGINS,
  guardrails: PLUGINS,
  mcp_servers: 'it is no MCP gateway',
};

const ROUTER: Readonly<Record<string, string>> = {
  redis_host: REDIS,
  redis_port: REDIS,
  redis_password: REDIS,
  redis_url: REDIS,
  cache_responses: 'answers are not cached',
  context_window_fallbacks: 'a `fallback` model is for when no target can serve, not for a refusal',
  content_policy_fallbacks: 'a `fallback` model is for when no target can serve, not for a refusal',
  retry_policy: 'what is tried again does not go by the kind of error here',
  allowed_fails_policy: 'what is tried again does not go by the kind of error here',
  retry_after: 'retries go elsewhere at once, and rest as long as a backend asks for',
  disable_cooldowns: "a breaker can't be turned off; `failureThreshold` can be raised",
  enable_pre_call_checks: '',
  enable_tag_filtering: 'calls choose an instance by `INSTANCE/MODEL` here',
  provider_budget_config: MONEY,
};

const LIBRARY: Readonly<Record<string, string>> = {
  ...ROUTER,
  drop_params: '',
  set_verbose: '',
  telemetry: '',
  json_logs: '`serve --log-format json` writes such a log',
  callbacks: PLUGINS,
  success_callback: PLUGINS,
  failure_callback: PLUGINS,
  service_callbacks: PLUGINS,
  cache: 'answers are not cached',
  cache_params: 'answers are not cached',
  max_budget: MONEY,
  budget_duration: MONEY,
};

const DATABASE = 'keys are in `server.apiKeys`, and there is no database';
const GENERAL: Readonly<Record<string, string>> = {
  database_url: DATABASE,
  database_connection_pool_limit: DATABASE,
  store_model_in_db: DATABASE,
  disable_spend_logs: DATABASE,
  alerting: 'there are no alerts; metrics can be watched for them',
  background_health_checks: '',
  health_check_interval: '',
  pass_through_endpoints: 'only the routes of the API go on to a backend',
  max_parallel_requests: '`maxConcurrency` is an option of an instance',
  global_max_parallel_requests: '`maxConcurrency` is an option of an instance',
};
