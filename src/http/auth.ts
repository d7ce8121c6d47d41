import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Config } from '../config/schema.ts';
import { matchesPattern } from '../gateway/directory.ts';
import { gatewayError } from './errors.ts';
import type { Gateway } from './gateway.ts';

export type Server = Config['server'];
export type ApiKey = Server['apiKeys'][number];

/**
 * Finds the client's key among the configured ones, in a time that does not tell how near it was.
 * @returns The key; `undefined` when none is configured and so none is needed.
 * @throws HttpError `invalid_api_key` (401).
 */
export function authenticate(headers: IncomingHttpHeaders, server: Server): ApiKey | undefined {
  if (server.apiKeys.length === 0) return undefined;
  const presented = presentedKey(headers);
  if (presented === undefined) {
    throw gatewayError(
      'invalid_api_key',
      'This endpoint needs an API key: send "Authorization: Bearer KEY" with one of server.apiKeys.',
    );
  }
  const digest = sha256(presented);
  let found: ApiKey | undefined;
  for (const key of server.apiKeys) {
    if (timingSafeEqual(digest, sha256(key.key))) found = key;
  }
  if (found) return found;
  throw gatewayError(
    'invalid_api_key',
    'This API key is none of server.apiKeys: check the key that your tool sends.',
  );
}

/**
 * Lets in who holds the admin token: this run's own, or the one that the config sets. A client's API
 * key is neither.
 * @throws HttpError `invalid_admin_token` (401).
 */
export function authenticateAdmin(
  headers: IncomingHttpHeaders,
  gateway: Pick<Gateway, 'adminToken' | 'snapshot'>,
): void {
  if (isAdmin(headers, gateway)) return;
  throw gatewayError(
    'invalid_admin_token',
    bearer(headers) === undefined
      ? 'The management API needs the admin token: send "Authorization: Bearer TOKEN"; `jairouter` commands on the same account find it by themselves.'
      : 'This is not the admin token, which is new in each run unless server.adminToken sets it.',
    { headers: { 'www-authenticate': 'Bearer realm="jairouter admin"' } },
  );
}

/** Whether the client shows the admin token. */
export function isAdmin(
  headers: IncomingHttpHeaders,
  { adminToken, snapshot }: Pick<Gateway, 'adminToken' | 'snapshot'>,
): boolean {
  const presented = bearer(headers);
  const digest = sha256(presented ?? '');
  let allowed = false;
  for (const token of [adminToken, snapshot.config.server.adminToken]) {
    if (token !== undefined && timingSafeEqual(digest, sha256(token))) allowed = true;
  }
  return allowed && presented !== undefined;
}

/** What the client presents as its key, in either of the usual headers. */
export function presentedKey(headers: IncomingHttpHeaders): string | undefined {
  const other = headers['x-api-key'];
  return bearer(headers) ?? (typeof other === 'string' ? other : undefined);
}

function bearer(headers: IncomingHttpHeaders): string | undefined {
  return /^bearer\s+(.+)$/i.exec(headers.authorization ?? '')?.[1]?.trim();
}

/** Whether a key may use a model, by the name that the client sends. */
export function mayUse(key: ApiKey | undefined, model: string): boolean {
  return !key || key.models.some((pattern) => matchesPattern(pattern, model));
}

/**
 * Refuses what a web page could make a browser send: a Host that is not ours while no key protects
 * us (DNS rebinding), and an Origin that the config does not allow.
 *
 * @returns The CORS headers for the answer.
 * @throws HttpError `host_not_allowed` or `origin_not_allowed` (403).
 */
export function checkBrowser(request: IncomingMessage, server: Server): OutgoingHttpHeaders {
  const host = request.headers.host ?? '';
  const name = hostName(host);
  if (server.apiKeys.length === 0 && !isOurs(name, server)) {
    throw gatewayError(
      'host_not_allowed',
      `The Host "${host}" is not this machine's: add it to server.allowedHosts, or set server.apiKeys.`,
    );
  }
  const { origin } = request.headers;
  if (origin === undefined || isSameOrigin(origin, host)) return {};
  if (!server.cors.origins.some((pattern) => matchesPattern(pattern, origin))) {
    throw gatewayError(
      'origin_not_allowed',
      `Pages of "${origin}" may not use this endpoint: add it to server.cors.origins.`,
    );
  }
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers':
      'x-request-id, x-jairouter-instance, x-jairouter-model, x-jairouter-attempts, retry-after, ' +
      ['limit', 'remaining', 'reset']
        .flatMap((what) => [`x-ratelimit-${what}-requests`, `x-ratelimit-${what}-tokens`])
        .join(', '),
    vary: 'Origin',
  };
}

/** The answer to a browser's preflight. */
export function preflightHeaders(request: IncomingMessage): OutgoingHttpHeaders {
  return {
    'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, OPTIONS',
    'access-control-allow-headers':
      request.headers['access-control-request-headers'] ?? 'authorization, content-type',
    'access-control-max-age': '600',
  };
}

function isSameOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

function isOurs(name: string, server: Server): boolean {
  if (name === 'localhost' || name.endsWith('.localhost') || name === '::1') return true;
  if (/^127\.\d+\.\d+\.\d+$/.test(name)) return true;
  if (name === server.host.toLowerCase()) return true;
  // Bound to every address: a page can rebind a name of its own to us, never a bare address.
  if ((server.host === '0.0.0.0' || server.host === '::') && isIP(name) !== 0) return true;
  return server.allowedHosts.some((pattern) => matchesPattern(pattern.toLowerCase(), name));
}

/** The Host without its port, lower-case; IPv6 without brackets. */
function hostName(host: string): string {
  const match = /^\[([^\]]*)\](?::\d+)?$|^([^:]*)(?::\d+)?$/.exec(host.toLowerCase());
  return match?.[1] ?? match?.[2] ?? host.toLowerCase();
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
