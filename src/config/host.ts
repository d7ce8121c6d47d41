import { isIP } from 'node:net';

export const HOST_WANTED = 'must be an IP address or a host name, like 127.0.0.1 or 0.0.0.0';

/** @returns The address to listen on, IPv6 without its brackets; `undefined` when it is none. */
export function parseHost(text: string): string | undefined {
  const host = text.trim().replace(/^\[(.*)\]$/, '$1');
  // listhen takes any other for a slip, and quietly listens on localhost.
  const usable = /^(?!-)[\d.:A-Za-z-]{1,63}(?<!-)$/.test(host);
  return usable && (isIP(host) !== 0 || !host.includes(':')) ? host : undefined;
}
