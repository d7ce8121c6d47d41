import { rankModels } from '../connect/choose-model.ts';
import type { Endpoint, OfferedModel } from '../connect/tool.ts';
import { nearestNames } from '../gateway/resolve.ts';
import { chooseServer, serverUrl } from './find-server.ts';
import { offeredModels } from './offered-models.ts';
import { readStates, stateFolder, type ServerState } from './state-file.ts';
import { UserError } from './user-error.ts';

export interface EndpointOptions {
  readonly url?: string;
  /** A key of `server.apiKeys`, or the name of one. */
  readonly key?: string;
  readonly model?: string;
  readonly smallModel?: string;
}

export interface FoundEndpoint {
  readonly endpoint: Endpoint;
  /** The name of the key, where it was taken from the server's config: it is not shown then. */
  readonly keyName: string | undefined;
}

/**
 * Finds the server that a tool is to be connected with, and a model there.
 *
 * @throws UserError with exit code 3 when there is no server.
 */
export async function endpointFor(options: EndpointOptions): Promise<FoundEndpoint> {
  const { url, own, key, keyName } = await accessTo(options);
  const listed = await offeredModels(url, { key, own });
  const ranked = rankModels(listed);
  const model = options.model === undefined ? ranked[0] : named(options.model, listed);
  if (!model) {
    throw new UserError(
      `${url} has no chat model at this moment; start a backend, or name a model with --model`,
    );
  }
  const smallModel = options.smallModel === undefined ? model : named(options.smallModel, listed);
  const others = ranked.filter(({ id }) => id !== model.id);
  return { endpoint: { url, key, model, smallModel, models: [model, ...others] }, keyName };
}

/**
 * The server that calls are to go to, and the key that opens it.
 * @throws UserError with exit code 3 when there is no server.
 */
export async function accessTo(options: Pick<EndpointOptions, 'url' | 'key'>): Promise<{
  readonly url: string;
  /** It runs here, under this account. */
  readonly own: boolean;
  readonly key: string | undefined;
  readonly keyName: string | undefined;
}> {
  const { url, state } = await serverFor(options.url);
  return { url, own: state !== undefined, ...(await keyFor(options.key, state)) };
}

async function serverFor(given: string | undefined): Promise<{ url: string; state?: ServerState }> {
  const states = await readStates(stateFolder(process.env));
  if (given === undefined) {
    const state = await chooseServer(states);
    return { url: state.url, state };
  }
  const url = serverUrl(given);
  const state = states.find((each) => each.url === url);
  return { url, ...(state && { state }) };
}

/** The key that is given; else one that the server's own config has. */
async function keyFor(
  given: string | undefined,
  state: ServerState | undefined,
): Promise<{ key: string | undefined; keyName: string | undefined }> {
  const keys = state?.config === undefined ? [] : await keysOf(state.config);
  if (given === undefined) {
    const usual = keys.find(({ models }) => models.includes('*')) ?? keys[0];
    return { key: usual?.key, keyName: usual?.name };
  }
  const known = keys.find(({ name }) => name === given);
  return { key: known?.key ?? given, keyName: known?.name };
}

/** Nothing where the config is broken at this moment: the server runs on an older one. */
async function keysOf(
  file: string,
): Promise<readonly { name: string; key: string; models: readonly string[] }[]> {
  const { loadConfig } = await import('../config/load.ts');
  const { ADAPTERS } = await import('../adapters/index.ts');
  const loaded = await loadConfig({
    file,
    cwd: process.cwd(),
    env: process.env,
    adapters: ADAPTERS,
  }).catch(() => undefined);
  return loaded?.config.server.apiKeys ?? [];
}

function named(id: string, listed: readonly OfferedModel[]): OfferedModel {
  const model = listed.find((each) => each.id === id);
  // `INSTANCE/MODEL` and names that only a pattern knows are not listed.
  if (model ?? (id.includes('/') || listed.length === 0)) return model ?? { id };
  const near = nearestNames(
    id,
    listed.map((each) => each.id),
  );
  const hint =
    near.length > 0 ? `did you mean ${near.join(' or ')}?` : '`jairouter models` lists them';
  throw new UserError(`the server lists no model ${id}; ${hint}`);
}
