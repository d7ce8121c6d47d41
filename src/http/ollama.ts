import { randomUUID } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { asObject, asText, parseJson, type JsonObject } from '../adapters/json.ts';
import { ERROR_SHAPES } from '../dialects/error-shapes.ts';
import {
  API_VERSION,
  isSpoken,
  loadedTag,
  shown,
  tag,
  type KnownModel,
} from '../dialects/ollama/model-list.ts';
import { hasModel, resolve, withoutTag } from '../gateway/resolve.ts';
import type { Instance } from '../instances/instance.ts';
import { authenticate, checkBrowser, mayUse, type ApiKey } from './auth.ts';
import { readBody } from './body.ts';
import { gatewayError, type HttpError } from './errors.ts';
import { forward } from './forward.ts';
import type { Gateway } from './gateway.ts';
import { acceptableRequestId } from './headers.ts';
import { asHttpError } from './internal-error.ts';
import { patchJson } from './json-patch.ts';
import { sendJson } from './json-answer.ts';
import { findModel, listModels, type ListedModel } from './models.ts';

/** One request of Ollama's API that is no call of a model. */
interface Asked {
  readonly gateway: Gateway;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly key: ApiKey | undefined;
  readonly requestId: string;
  readonly headers: OutgoingHttpHeaders;
}

type Handler = (asked: Asked) => Promise<void> | void;

/** The routes of Ollama's API beside those that call models. */
export const OLLAMA_ROUTES: readonly (readonly [method: Method, route: string, Handler])[] = [
  ...reading('/api/tags', (asked) => ({ models: spoken(asked).map(tag) })),
  ...reading('/api/ps', (asked) => ({ models: loaded(asked).map(loadedTag) })),
  ...reading('/api/version', () => ({ version: API_VERSION })),
  ['POST', '/api/show', show],
  ['POST', '/api/pull', manage],
  ['POST', '/api/push', manage],
  ['POST', '/api/create', manage],
  ['POST', '/api/copy', manage],
  ['DELETE', '/api/delete', manage],
  ['POST', '/api/blobs/:digest', manage],
  ['HEAD', '/api/blobs/:digest', manage],
];
type Method = 'GET' | 'HEAD' | 'POST' | 'DELETE';

function reading(route: string, body: (asked: Asked) => unknown) {
  const handler: Handler = (asked) => answer(asked, body(asked));
  return (['GET', 'HEAD'] as const).map((method) => [method, route, handler] as const);
}

/** Answers such a request; errors too, as Ollama tells them. */
export async function answerOllama(
  gateway: Gateway,
  handler: Handler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = acceptableRequestId(request.headers['x-request-id']) ?? `req_${randomUUID()}`;
  let headers: OutgoingHttpHeaders = { 'x-request-id': requestId };
  try {
    const { server } = gateway.snapshot.config;
    headers = { ...headers, ...checkBrowser(request, server) };
    const key = authenticate(request.headers, server);
    await handler({ gateway, request, response, key, requestId, headers });
  } catch (thrown) {
    const error = asHttpError(gateway, thrown);
    gateway.log.say('warn', `${error.status} ${request.method} ${request.url}: ${error.message}`);
    if (response.headersSent) response.destroy();
    else {
      const body = ERROR_SHAPES.ollama.body(error.body);
      sendJson(response, error.status, body, { ...headers, ...error.headers });
    }
  }
}

function answer({ response, headers }: Asked, body: unknown): void {
  sendJson(response, 200, body, headers);
}

function spoken({ gateway, key }: Asked): readonly KnownModel[] {
  return listModels(gateway.snapshot, gateway.fleet, key).map(knownModel).filter(isSpoken);
}

function loaded({ gateway, key }: Asked): readonly KnownModel[] {
  return listModels(gateway.snapshot, gateway.fleet, key)
    .filter(({ jairouter }) => jairouter.loaded === true)
    .map(knownModel)
    .filter(isSpoken);
}

function knownModel({ id, created, owned_by: owner, jairouter }: ListedModel): KnownModel {
  return {
    id,
    created,
    services: jairouter.services,
    contextLength: jairouter.context_length ?? undefined,
    family: owner,
  };
}

/** Ollama tells of its own models; of the others, we tell what we know. */
async function show(asked: Asked): Promise<void> {
  const { gateway, request, response, key, requestId, headers } = asked;
  const { fields, body } = await readFields(asked);
  const given = asText(fields['model']) ?? asText(fields['name']);
  if (given === undefined) throw gatewayError('missing_model', 'The request names no "model".');
  const { snapshot, fleet } = gateway;
  const name = withoutTag(given, snapshot.aliases, fleet.directory);
  const model = findModel(name, snapshot, fleet, key);
  if (!model) throw gatewayError('model_not_found', `model '${name}' not found`);
  const [step] = resolve(name, snapshot.aliases, fleet.directory);
  const own = step?.targets.find((target) => hasModel(target) && manages(target.instance));
  if (!own) {
    answer(asked, shown(knownModel(model)));
    return;
  }
  const renamed = Buffer.concat(patchJson(body, { set: { model: own.model }, remove: ['name'] }));
  await forward(
    own.instance,
    { method: 'POST', path: '/api/show', body: renamed, requestId, ownHeaders: headers },
    request,
    response,
  );
}

const NOTHING: { readonly fields: JsonObject; readonly body: undefined } = {
  fields: {},
  body: undefined,
};
/** Where a request names the model that it is about. */
const NAMES = ['model', 'name', 'source'] as const;

/** Models are managed where they lie, on an instance that the request names. */
async function manage(asked: Asked): Promise<void> {
  const { gateway, request, response, key, requestId, headers } = asked;
  const method = request.method as Method;
  const path = request.url ?? '/';
  // A blob is no JSON, and may be the weights of a model.
  const blob = path.startsWith('/api/blobs/');
  const { fields, body } = blob ? NOTHING : await readFields(asked);
  const field = NAMES.find((name) => typeof fields[name] === 'string');
  const { instance, model } = named(asked, field && (fields[field] as string));
  if (!mayUse(key, model ?? '*')) {
    throw gatewayError(
      'model_not_allowed',
      `The API key "${key!.name}" may not manage "${model}".`,
    );
  }
  const content =
    body && field
      ? Buffer.concat(patchJson(body, { set: { [field]: model, ...copyOf(fields, instance) } }))
      : body;
  await forward(
    instance,
    {
      method,
      path,
      body: content ?? (method === 'POST' ? request : undefined),
      requestId,
      ownHeaders: headers,
    },
    request,
    response,
  );
  // What is there has changed.
  if (method !== 'HEAD') void gateway.fleet.lookAgain();
}

/** A copy lies beside its source, whether or not it says so. */
function copyOf({ destination }: JsonObject, { name }: Instance): JsonObject {
  const prefix = `${name}/`;
  return typeof destination === 'string' && destination.startsWith(prefix)
    ? { destination: destination.slice(prefix.length) }
    : {};
}

/** @throws HttpError `unsupported_service` when it names none. */
function named(
  { gateway, request }: Asked,
  name: string | undefined,
): { instance: Instance; model: string | undefined } {
  const managers = [...gateway.fleet.instances()].filter(manages);
  const header = request.headers['x-jairouter-instance'];
  const byHeader = managers.find((instance) => instance.name === header);
  if (byHeader) return { instance: byHeader, model: name };
  const slash = name?.indexOf('/') ?? -1;
  const byName = managers.find((instance) => instance.name === name?.slice(0, slash));
  if (byName) return { instance: byName, model: name!.slice(slash + 1) };
  throw unnamed(managers);
}

function unnamed(managers: readonly Instance[]): HttpError {
  const names = managers.map((instance) => instance.name).join(', ');
  return gatewayError(
    'unsupported_service',
    managers.length === 0
      ? 'Models are managed on Ollama, and no instance here is one.'
      : `Models are managed on one instance: name it, as INSTANCE/MODEL or in the header x-jairouter-instance. There is ${names}.`,
  );
}

/** Whether it is an Ollama, on which models can be managed. */
function manages({ adapter }: Instance): boolean {
  return adapter.operations.ollamaGenerate !== undefined;
}

async function readFields({
  gateway,
  request,
}: Asked): Promise<{ fields: JsonObject; body: Buffer }> {
  const body = await readBody(request, gateway.snapshot.config.server.maxBodySize);
  const fields = asObject(parseJson(body.toString('utf8')));
  if (!fields) throw gatewayError('invalid_json', 'The request body must be a JSON object.');
  return { fields, body };
}
