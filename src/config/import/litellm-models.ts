import { OPERATIONS, type Operation, type Service } from '../../service.ts';
import { baseUrlProblem, normalizeBaseUrl } from '../base-url.ts';
import { isOwnHeader } from '../check.ts';
import { escapeVariables, hasVariable } from '../interpolate.ts';
import type { Deployment } from './deployments.ts';
import { PROVIDERS, whereabouts } from './litellm-providers.ts';
import { openaiPlace, type Adapters } from './openai-place.ts';
import type { Section } from './section.ts';

/** Milliseconds: the unit of LiteLLM's time spans. */
export const SECOND = 1000;

/** A deployment with what its alias, not its instance, has to take care of. */
export interface LiteLLMDeployment extends Deployment {
  /** Calls and tokens in a minute; both are limits of this one deployment. */
  readonly rpm: number | undefined;
  readonly tpm: number | undefined;
}

export interface Context {
  readonly adapters: Adapters;
  /** `credential_list`, by name. */
  readonly credentials: ReadonlyMap<string, Section>;
}

/** @returns The deployments of `model_list`; those that can't be carried over are told. */
export function deploymentsOf(entries: readonly Section[], context: Context): LiteLLMDeployment[] {
  return entries.flatMap((entry): LiteLLMDeployment[] => {
    const deployment = deploymentOf(entry, context);
    entry.leaveRest({}, 'there is no such option of a model here');
    return deployment ? [deployment] : [];
  });
}

/** LiteLLM's `mode`, as our service. */
const MODES: Readonly<Record<string, Service>> = {
  chat: 'chat',
  completion: 'chat',
  responses: 'chat',
  embedding: 'embeddings',
  rerank: 'rerank',
  audio_speech: 'speech',
  audio_transcription: 'transcription',
  image_generation: 'imageGeneration',
  image_edit: 'imageEdit',
};

function deploymentOf(entry: Section, context: Context): LiteLLMDeployment | undefined {
  const name = entry.text('model_name');
  const params = entry.section('litellm_params');
  const info = entry.section('model_info');
  const credential = context.credentials.get(params.text('litellm_credential_name') ?? '');
  const given = params.text('model');
  if (name === undefined || given === undefined) {
    entry.leaveWhole(name, 'a model needs a `model_name` and a `litellm_params.model`');
    return undefined;
  }
  const read = (key: string): string | undefined =>
    fromEnvironment(params.text(key) ?? credential?.text(key));
  const address = read('api_base') ?? read('base_url');
  const { provider, model } = whereabouts(
    fromEnvironment(given)!,
    params.text('custom_llm_provider'),
    address !== undefined,
  );
  const service = MODES[info.text('mode') ?? params.text('mode') ?? ''];
  const known = PROVIDERS[provider];
  // Who has an address and is nobody we know speaks OpenAI's API, most likely.
  const wanted = known
    ? ((service && known.services?.[service]) ?? known.adapter)
    : address && 'openai';
  const adapter = wanted === undefined ? undefined : context.adapters.known[wanted];
  if (!adapter) {
    entry.leaveWhole(name, `there is no adapter for the provider \`${provider}\` here`);
    return undefined;
  }
  const wild = wildcardProblem(name, model);
  if (wild !== undefined) {
    entry.leaveWhole(name, wild);
    return undefined;
  }
  const variable = known?.address && `\${${known.address}}`;
  const baseUrl =
    address ?? known?.baseUrl ?? (adapter.baseUrl === undefined ? variable : undefined);
  const problem =
    baseUrl === undefined || hasVariable(baseUrl) ? undefined : baseUrlProblem(baseUrl);
  if (problem !== undefined || (baseUrl === undefined && adapter.baseUrl === undefined)) {
    entry.leaveWhole(
      name,
      problem === undefined ? 'it has no `api_base`' : `its address ${problem}`,
    );
    return undefined;
  }
  const place =
    adapter.name === 'openai' && baseUrl !== undefined && !hasVariable(baseUrl)
      ? openaiPlace(rootOf(baseUrl), operationOf(service), context.adapters)
      : { adapter: adapter.name, ...addressOf(baseUrl) };
  const isTheirs =
    address === undefined || (place.adapter === known?.adapter && place.baseUrl === undefined);
  const version = adapter.name === 'azure' ? read('api_version') : undefined;
  const instance: Deployment['instance'] = {
    ...place,
    ...keyOf(read('api_key'), { params, key: known?.key, isTheirs }),
    ...(version !== undefined && { azure: azureOf(version) }),
    ...settingsOf(params, entry),
  };
  const rpm = params.amount('rpm') ?? entry.amount('rpm');
  const tpm = params.amount('tpm') ?? entry.amount('tpm');
  info.leaveRest({ id: '' }, 'tokens are counted here, and no money');
  params.leaveRest(QUIET, 'calls go on as the client sends them');
  return { name, model, service, instance, rpm, tpm };
}

/** Options that nothing is lost with. */
const QUIET: Readonly<Record<string, string>> = {
  api_version: '',
  drop_params: '',
  merge_reasoning_content_in_choices: '',
  tags: 'calls choose an instance by `INSTANCE/MODEL` here',
  max_budget: 'tokens are counted here, and no money',
  budget_duration: 'tokens are counted here, and no money',
  input_cost_per_token: 'tokens are counted here, and no money',
  output_cost_per_token: 'tokens are counted here, and no money',
  input_cost_per_second: 'tokens are counted here, and no money',
  output_cost_per_second: 'tokens are counted here, and no money',
  mock_response: '`jairouter mock` answers without a model',
};

/** `os.environ/X` reads the environment, in any text of LiteLLM's. */
export function fromEnvironment(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const variable = /^os\.environ\/([A-Za-z_][A-Za-z0-9_]*)$/.exec(text)?.[1];
  return variable === undefined ? escapeVariables(text) : `\${${variable}}`;
}

/** A pattern stands for the same names on both sides here. */
function wildcardProblem(name: string, model: string): string | undefined {
  if (!name.includes('*') && !model.includes('*')) return undefined;
  if (name === model || (model === '*' && /^[^/*]+\/\*$/.test(name))) return undefined;
  return 'a pattern can be no other name for what it stands for';
}

function addressOf(baseUrl: string | undefined): { baseUrl?: string } {
  if (baseUrl === undefined) return {};
  return { baseUrl: hasVariable(baseUrl) ? baseUrl : normalizeBaseUrl(baseUrl) };
}

/** LiteLLM appends `/chat/completions` alone to an address; a bare host is most likely meant with `/v1`. */
function rootOf(baseUrl: string): string {
  const { origin, pathname } = new URL(baseUrl);
  return origin + (pathname.replace(/\/+$/, '') || '/v1');
}

/** What stands for a service. */
function operationOf(service: Service = 'chat'): Operation {
  const all = Object.keys(OPERATIONS) as Operation[];
  return all.find((operation) => OPERATIONS[operation].service === service)!;
}

/** Azure's newer API goes by names in the place of a date. */
function azureOf(version: string): Deployment['instance']['azure'] {
  return /^(v1|latest|preview)$/.test(version) ? { api: 'v1' } : { apiVersion: version };
}

/** Placeholders that people write where no key is wanted. */
const NO_KEY = /^(none|null|empty|dummy|fake.*|not-?needed|unused|x+|-)$/i;

function keyOf(
  given: string | undefined,
  { params, key, isTheirs }: { params: Section; key: string | undefined; isTheirs: boolean },
): { apiKey?: string } {
  if (given !== undefined) return NO_KEY.test(given) ? {} : { apiKey: given };
  if (key === undefined) return {};
  if (isTheirs || key !== 'OPENAI_API_KEY') return { apiKey: `\${${key}}` };
  params.leave('api_key', 'OPENAI_API_KEY goes to no other address than the one of its `apiKey`');
  return {};
}

/** What else an instance has. */
function settingsOf(params: Section, entry: Section): Partial<Deployment['instance']> {
  const weight = params.amount('weight');
  const range = { min: 0, max: 1000 };
  const priority = params.whole('order', range) ?? entry.whole('order', range);
  const maxConcurrency = params.whole('max_parallel_requests');
  const firstByte =
    params.duration('timeout', SECOND) ?? params.duration('request_timeout', SECOND);
  const firstEvent = params.duration('stream_timeout', SECOND);
  const headers = headersOf(params);
  const unverified = params.flag('ssl_verify') === false;
  return {
    ...(weight !== undefined && weight !== 1 && { weight }),
    ...(priority !== undefined && { priority }),
    ...(maxConcurrency !== undefined && { maxConcurrency }),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...((firstByte ?? firstEvent) !== undefined && {
      timeouts: {
        ...(firstByte !== undefined && { firstByte }),
        ...(firstEvent !== undefined && { firstEvent }),
      },
    }),
    ...(unverified && { tls: { rejectUnauthorized: false } }),
  };
}

function headersOf(params: Section): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const key of ['extra_headers', 'headers']) {
    const section = params.section(key);
    for (const name of section.keys) {
      const value = fromEnvironment(section.text(name));
      if (value !== undefined && isOwnHeader(name, value)) headers[name] = value;
      else section.leave(name, 'it can be no header');
    }
  }
  const organization = fromEnvironment(params.text('organization'));
  if (organization !== undefined) headers['OpenAI-Organization'] = organization;
  return headers;
}
