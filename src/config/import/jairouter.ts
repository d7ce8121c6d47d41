import type { Adapter } from '../../adapters/adapter.ts';
import { asObject, type JsonObject } from '../../adapters/json.ts';
import type { Operation, Service } from '../../service.ts';
import { parseHost } from '../host.ts';
import { isLoopback } from '../overrides.ts';
import type { ConfigInput } from '../schema.ts';
import { formatDuration, LONGEST_DURATION, parseDuration } from '../units.ts';
import { aliasesOf, groupDeployments } from './deployments.ts';
import { ifAny, Remains, type Imported } from './imported.ts';
import { deploymentsOf, type Source } from './jairouter-instances.ts';
import { breakerOf, rateLimitOf, strategyOf } from './jairouter-settings.ts';
import { withModels, type OwnAdapters } from './openai-place.ts';
import { Section } from './section.ts';
import { fromSpring } from './spring-text.ts';

/** JAiRouter's names of services: ours, and the operation whose path stands in its instances. */
const SERVICES: Readonly<Record<string, readonly [Service, Operation]>> = {
  chat: ['chat', 'chat'],
  embedding: ['embeddings', 'embeddings'],
  rerank: ['rerank', 'rerank'],
  tts: ['speech', 'speech'],
  stt: ['transcription', 'transcriptions'],
  imgGen: ['imageGeneration', 'imageGenerations'],
  imgEdit: ['imageEdit', 'imageEdits'],
};

/** @returns Whether a file is JAiRouter's: with or without `model` around its services. */
export function isJAiRouter(data: JsonObject): boolean {
  const services = rootOf(data, new Remains()).section('services');
  return Object.keys(SERVICES).some((name) => asObject(services.value(name)));
}

/** The config itself, as it is written by hand or as the gateway stores it: without `model`. */
function rootOf(data: JsonObject, remains: Remains): Section {
  const whole = new Section(data, '', remains);
  return asObject(data['model']) ? whole.section('model') : whole;
}

/** Makes our config of JAiRouter's. */
export function fromJAiRouter(
  data: JsonObject,
  adapters: Readonly<Record<string, Adapter>>,
): Imported {
  const remains = new Remains();
  const model = rootOf(data, remains);
  const whole = asObject(data['model']) ? new Section(data, '', remains) : model;
  whole.value('model');
  const sections = model.section('services');
  const sources: Source[] = [];
  const services: NonNullable<ConfigInput['services']> = {};
  for (const [name, [service, operation]] of Object.entries(SERVICES)) {
    const section = sections.section(name);
    if (section.keys.length === 0) continue;
    sources.push({ section, service, operation });
    const loadBalance = strategyOf(section);
    const rateLimit = rateLimitOf(section.section('rateLimit'));
    Object.assign(
      services,
      ifAny(service, { ...(loadBalance && { loadBalance }), ...(rateLimit && { rateLimit }) }),
    );
  }
  const own: OwnAdapters = {};
  const grouped = groupDeployments(
    deploymentsOf(sources, { model, whole, adapters: { known: adapters, own } }),
  );
  // Older versions have it among the services.
  const loadBalance = strategyOf(model) ?? strategyOf(sections);
  const limits = model.section('rateLimit');
  const isGlobal = limits.text('scope') === 'global';
  const limit = rateLimitOf(limits);
  const circuitBreaker = breakerOf(model.section('circuitBreaker'));
  const config: ConfigInput = {
    ...ifAny('server', serverOf(whole)),
    ...(limit && isGlobal && { rateLimit: limit }),
    ...ifAny('defaults', {
      ...(loadBalance && { loadBalance }),
      ...ifAny('timeouts', connectOf(whole.section('webclient'))),
      ...(circuitBreaker && { circuitBreaker }),
      ...(limit && !isGlobal && { rateLimit: limit }),
    }),
    ...ifAny('services', services),
    ...ifAny('adapters', withModels(own, grouped.instances)),
    instances: grouped.instances,
    ...ifAny('models', aliasesOf(grouped)),
  };
  for (const { section } of sources) section.leaveRest(REASONS, NOTHING_LIKE_IT);
  sections.leaveRest({}, 'there is no such service here');
  model.leaveRest(REASONS, NOTHING_LIKE_IT);
  if (whole !== model) whole.leaveRest(REASONS, NOTHING_LIKE_IT);
  return { from: 'JAiRouter', config, left: remains.list() };
}

const NOTHING_LIKE_IT = 'there is no such option here';

/** Why blocks that are known are left out; an empty reason: nothing is lost. */
const REASONS: Readonly<Record<string, string>> = {
  fallback:
    'no answers are made up or kept here: other instances are tried, then the `fallback` models of an alias',
  rules: 'there are no rules here: names under `models` choose their targets',
  pools: '',
  adapter: '',
  adapterDefinitions: '',
  store: 'the config file itself is what is kept',
  storeConfig: 'the config file itself is what is kept',
  monitoring: 'metrics need no options here',
  management: 'metrics and health need no options here',
  logging: 'what is logged is chosen by `serve --log-format`',
  spring: '',
  springdoc: '',
  jairouter: '',
};

function serverOf(whole: Section): NonNullable<ConfigInput['server']> {
  const server = whole.section('server');
  const variable = server.text('port')?.includes('${') ? server.text('port') : undefined;
  const port = variable ? fromSpring(variable) : server.whole('port', { min: 0, max: 65_535 });
  const apiKeys = apiKeysOf(whole.section('jairouter'));
  const address = server.text('address');
  const host = parseHost(address ?? '');
  const isOpen = host !== undefined && (apiKeys.length > 0 || isLoopback(host));
  if (!isOpen) {
    server.leave(
      'address',
      'only this machine may call, unless `server.host` and `server.apiKeys` are set',
    );
  }
  server.leaveRest({}, NOTHING_LIKE_IT);
  return {
    ...(isOpen && { host }),
    ...(port !== undefined && { port }),
    ...(apiKeys.length > 0 && { apiKeys }),
  };
}

type ApiKeys = NonNullable<NonNullable<ConfigInput['server']>['apiKeys']>;

function apiKeysOf(jairouter: Section): ApiKeys {
  const security = jairouter.section('security');
  const apiKey = security.section('apiKey');
  const isOn = security.flag('enabled') === true && apiKey.flag('enabled') !== false;
  const keys: ApiKeys = [];
  for (const [index, key] of apiKey.sections('keys').entries()) {
    const value = key.text('keyValue');
    const text = value === undefined ? undefined : fromSpring(value);
    const name = fromSpring(key.text('keyId') ?? '') || `key-${index + 1}`;
    if (!isOn || key.flag('enabled') === false) {
      apiKey.leave('keys', 'security, or the key, is turned off there');
    } else if (text === undefined || keys.some((one) => one.name === name || one.key === text)) {
      apiKey.leave('keys', 'each key needs a value and a name of its own');
    } else {
      keys.push({ name, key: text });
    }
    key.leaveRest({ description: '', metadata: '' }, 'a key here may call, and nothing else');
  }
  apiKey.leaveRest(
    {
      headerName: /^(x-api-key|authorization)$/i.test(apiKey.text('headerName') ?? 'x-api-key')
        ? ''
        : 'keys are read from `Authorization: Bearer` and `x-api-key`',
      enabled: '',
    },
    'keys here are not cached and do not expire',
  );
  security.leaveRest({ enabled: '' }, 'there is nothing like it here');
  jairouter.leaveRest({}, 'there is nothing like it here');
  return keys;
}

function connectOf(webclient: Section): { connect?: string } {
  const connect = parseDuration(webclient.text('connectionTimeout') ?? '');
  const usable = connect && connect <= LONGEST_DURATION;
  webclient.leaveRest({}, 'answers are not held in memory, and `timeouts` limit their parts');
  return usable ? { connect: formatDuration(connect) } : {};
}
