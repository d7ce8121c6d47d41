import { createServer } from 'node:net';
import { describePortHolder } from './port-holder.ts';
import { UserError } from './user-error.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Finds out whether a server could listen there, by doing it for a moment. To be asked before a
 * library does the listening: what those say of their failure names neither its cause nor a way out.
 *
 * @throws UserError with the reason, and what to do.
 */
export async function ensureFree(address: Address): Promise<void> {
  try {
    await listenForAMoment(address);
  } catch (error) {
    throw new UserError(
      `cannot listen on ${addressText(address)}: ${await reason(error, address)}`,
    );
  }
}

/** @returns Such as `127.0.0.1:4747` and `[::1]:4747`. */
export function addressText({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** @returns The server's URL as it is called from this machine: nobody can call "every address". */
export function ownUrl(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

function listenForAMoment({ host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen({ host, port, exclusive: true }, () => void server.close(() => resolve()));
  });
}

async function reason(error: unknown, { host, port }: Address): Promise<string> {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EADDRINUSE': {
      const holder = (await describePortHolder(port)) ?? 'another process';
      return `the port is taken by ${holder}; stop that, or choose another with --port`;
    }
    case 'EACCES':
      return `port ${port} needs more rights than you have; choose one above 1023 with --port`;
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return `${host} is no address of this machine; 127.0.0.1 is, and 0.0.0.0 stands for all of them`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name ${host} is not known`;
    default:
      return message;
  }
}
