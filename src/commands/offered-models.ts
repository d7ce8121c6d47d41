import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { asNumber, asObject, asObjects, asText, type JsonObject } from '../adapters/json.ts';
import type { OfferedModel } from '../connect/tool.ts';
import { SERVICES } from '../service.ts';
import { UserError } from './user-error.ts';

/** Milliseconds; the list is answered from memory. */
const PATIENCE = 3000;

/**
 * Asks a server of ours for its models, as any client would.
 *
 * @param options.own It runs on this machine under this account, so a certificate of its own making will do.
 * @throws UserError with exit code 3 when nobody answers, 1 when the key is refused.
 */
export async function offeredModels(
  url: string,
  options: { readonly key?: string | undefined; readonly own?: boolean } = {},
): Promise<OfferedModel[]> {
  const { status, body } = await get(`${url}/v1/models`, options);
  const list = asObjects(asObject(parse(body))?.['data']);
  if (status === 401 || status === 403)
    throw new UserError(`${url} wants an API key: pass one of server.apiKeys with --key`);
  if (status !== 200 || !list)
    throw new UserError(`what answers at ${url} is no jairouter server (status ${status})`, 3);
  return list.flatMap((entry) => {
    const id = asText(entry['id']);
    return id === undefined ? [] : [{ id, ...detailsOf(entry) }];
  });
}

/** What our own list tells beside OpenAI's fields. */
function detailsOf(entry: JsonObject): Omit<OfferedModel, 'id'> {
  const own = asObject(entry['jairouter']) ?? {};
  const services = Array.isArray(own['services']) ? (own['services'] as unknown[]) : undefined;
  const contextLength = asNumber(own['context_length']);
  const { loaded, instances } = own;
  return {
    ...(services && { services: SERVICES.filter((service) => services.includes(service)) }),
    ...(contextLength !== undefined && { contextLength }),
    ...(typeof loaded === 'boolean' && { loaded }),
    ...(entry['owned_by'] === 'jairouter' && { alias: true }),
    ...(Array.isArray(instances) && { instances: instances.map(String) }),
  };
}

/** The states of a server's instances by their names, which it tells to everybody. */
export async function instanceStates(
  url: string,
  own: boolean,
): Promise<Readonly<Record<string, string>>> {
  const { body } = await get(`${url}/ready`, { own });
  const states = asObject(asObject(parse(body))?.['instances']) ?? {};
  return Object.fromEntries(Object.entries(states).map(([name, state]) => [name, String(state)]));
}

/** Node's own client: fetch would cost tens of milliseconds to load. */
function get(
  address: string,
  { key, own }: { readonly key?: string | undefined; readonly own?: boolean },
): Promise<{ status: number; body: string }> {
  const secure = address.startsWith('https:');
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(
      address,
      {
        timeout: PATIENCE,
        headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
        ...(secure && own && { rejectUnauthorized: false }),
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', reject);
      },
    );
    request.on('timeout', () => request.destroy(new Error(`no answer within ${PATIENCE} ms`)));
    request.on('error', ({ message, code }: NodeJS.ErrnoException) => {
      const why = code === 'ECONNREFUSED' ? 'connection refused' : message;
      reject(new UserError(`no jairouter server answers at ${new URL(address).origin}: ${why}`, 3));
    });
    request.end();
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whatever it is, it is no list of models.
    return undefined;
  }
}
