import type { CatalogueModel } from '../adapters/adapter.ts';
import { nearestNames } from '../gateway/resolve.ts';
import { kindOf } from './discovery.ts';
import type { Instance } from './instance.ts';
import type { InstanceSettings } from './settings.ts';
import { keyVariables } from './providers.ts';

/** What is wrong, and what to do about it; each a clause. */
export interface Advice {
  readonly problem: string;
  readonly hint?: string;
}

/** How the backends that people run themselves are started. */
const STARTS: Readonly<Record<string, string>> = {
  ollama: 'ollama serve',
  vllm: 'vllm serve MODEL',
  xinference: 'xinference-local',
  localai: 'local-ai run',
  gpustack: 'gpustack start',
  llamacpp: 'llama-server -m FILE',
  lmstudio: 'lms server start',
  sglang: 'python -m sglang.launch_server --model-path MODEL',
  tei: 'text-embeddings-router --model-id MODEL',
  infinity: 'infinity_emb v2 --model-id MODEL',
};

const UNVERIFIED =
  'name the authority that signed it in `tls.ca`, or trust it blindly with `tls.rejectUnauthorized: false`';

/** By the code of the error with which a connection failed. */
const FAULTS: Readonly<Record<string, (settings: InstanceSettings) => Advice>> = {
  ECONNREFUSED: (settings) => ({
    problem: `connection refused: nothing listens at ${hostOf(settings)}`,
    hint: refusedHint(settings),
  }),
  ENOTFOUND: (settings) => ({
    problem: `the host name ${nameOf(settings)} is not known`,
    hint: 'is it spelled right in `baseUrl`, and are you in the network that knows it?',
  }),
  EAI_AGAIN: (settings) => ({
    problem: `the host name ${nameOf(settings)} could not be looked up`,
    hint: 'are you online?',
  }),
  EHOSTUNREACH: notThere,
  ENETUNREACH: notThere,
  ETIMEDOUT: silent,
  UND_ERR_CONNECT_TIMEOUT: silent,
  ECONNRESET: hungUp,
  UND_ERR_SOCKET: hungUp,
  EPROTO: ({ baseUrl }) => ({
    problem: 'it does not speak TLS',
    hint: `write ${baseUrl.replace(/^https:/, 'http:')}, if it is plain HTTP`,
  }),
  ERR_SSL_WRONG_VERSION_NUMBER: ({ baseUrl }) => ({
    problem: 'it does not speak TLS',
    hint: `write ${baseUrl.replace(/^https:/, 'http:')}, if it is plain HTTP`,
  }),
  DEPTH_ZERO_SELF_SIGNED_CERT: () => ({
    problem: 'its certificate is self-signed',
    hint: UNVERIFIED,
  }),
  SELF_SIGNED_CERT_IN_CHAIN: () => ({
    problem: 'its certificate is signed by an authority that is not known here',
    hint: UNVERIFIED,
  }),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: () => ({
    problem: 'its certificate is signed by an authority that is not known here',
    hint: UNVERIFIED,
  }),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: () => ({
    problem: 'its certificate is signed by an authority that is not known here',
    hint: UNVERIFIED,
  }),
  CERT_HAS_EXPIRED: () => ({ problem: 'its certificate has expired', hint: 'renew it there' }),
  ERR_TLS_CERT_ALTNAME_INVALID: (settings) => ({
    problem: `its certificate is for another name than ${nameOf(settings)}`,
    hint: 'write the name that it is for into `baseUrl`',
  }),
};

/** @param error What a probe threw: no HTTP answer came. */
export function unreachable(error: unknown, settings: InstanceSettings): Advice {
  const { code, name, message } = error as NodeJS.ErrnoException;
  const byProxy = settings.pool.proxy;
  if (name === 'TimeoutError') return silent(settings);
  const known = FAULTS[code ?? ''];
  if (byProxy !== undefined) {
    const problem = known?.(settings).problem ?? message;
    return { problem, hint: `the way goes through the proxy ${byProxy}: is that right?` };
  }
  if (known) return known(settings);
  if (name === 'HTTPParserError' || code?.startsWith('HPE_')) {
    const secure = settings.baseUrl.replace(/^http:/, 'https:');
    return { problem: 'it does not speak HTTP', hint: `is the port right, or is it ${secure}?` };
  }
  return { problem: message || code || name };
}

function refusedHint({ adapter, baseUrl }: InstanceSettings): string {
  const start = STARTS[adapter.name];
  const port = new URL(baseUrl).port || (baseUrl.startsWith('https:') ? '443' : '80');
  const usual = adapter.ports.filter((each) => String(each) !== port);
  const running = start === undefined ? 'is it running?' : `is it running (\`${start}\`)?`;
  return adapter.ports.length > 0 && usual.length === adapter.ports.length
    ? `${running} Its usual port is ${usual.join(' or ')}.`
    : running;
}

function notThere(settings: InstanceSettings): Advice {
  return {
    problem: `there is no way to ${hostOf(settings)}`,
    hint: 'is the machine on, and are you in its network?',
  };
}

function silent(settings: InstanceSettings): Advice {
  return {
    problem: `no answer within ${settings.health.timeout} ms`,
    hint: 'is the address right, and no firewall between? A slow one needs a longer `health.timeout`.',
  };
}

function hungUp(settings: InstanceSettings): Advice {
  const { baseUrl } = settings;
  const secure = baseUrl.startsWith('http:')
    ? ` It may want ${baseUrl.replace(/^http:/, 'https:')}.`
    : '';
  return { problem: 'it hangs up without an answer', hint: `is the port right?${secure}` };
}

/** @param detail What the probe made of the refusal; some backends refuse for reasons of their own. */
export function credentialHint(
  { name, adapter, settings }: Instance,
  variables: readonly string[],
  detail: string | undefined,
): { readonly hint?: string } {
  // It says what to do already, and it is not about a key.
  if (detail?.includes('OLLAMA_')) return {};
  if (settings.apiKey === undefined) {
    const [variable] = keyVariables(adapter);
    return { hint: `it wants a key: set \`instances.${name}.apiKey\`, such as "\${${variable}}"` };
  }
  if (variables.length === 0) return { hint: `\`instances.${name}.apiKey\` is not the right key` };
  return { hint: `the key from ${variables.join(' and ')} is not the right one for it` };
}

/** What to do about a server that is there, and is not what its adapter expects. */
export async function kindHint({
  adapter,
  backend,
}: Instance): Promise<{ readonly hint?: string }> {
  const kind = await kindOf(backend);
  if (!kind || kind.adapter === adapter.name) return {};
  return {
    hint:
      kind.adapter === undefined
        ? `it shows itself as ${kind.name}, which has no adapter`
        : `it shows itself as ${kind.name}: write \`adapter: ${kind.adapter}\``,
  };
}

/** What to do about models that are in the config and not on the instance. */
export function modelHint(
  { adapter }: Instance,
  missing: readonly string[],
  found: readonly CatalogueModel[],
): string {
  const ids = found.map(({ id }) => id);
  const near = new Set(missing.flatMap((name) => nearestNames(name, ids)));
  const meant = near.size > 0 ? `is ${[...near].slice(0, 3).join(' or ')} meant?` : undefined;
  if (adapter.name === 'ollama') {
    const pull = missing.map((name) => `ollama pull ${name}`).join(', ');
    return meant === undefined ? pull : `${meant} Else: ${pull}`;
  }
  if (meant !== undefined) return meant;
  return ids.length === 0
    ? 'it has none at all'
    : `it has ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', …' : ''}`;
}

function hostOf({ baseUrl }: InstanceSettings): string {
  return new URL(baseUrl).host;
}

function nameOf({ baseUrl }: InstanceSettings): string {
  return new URL(baseUrl).hostname;
}
