import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { HttpsOptions } from '../http/server.ts';
import { UserError } from './user-error.ts';

export interface HttpsFlags {
  readonly https?: boolean;
  /** Files in PEM form. */
  readonly cert?: string;
  readonly key?: string;
}

/**
 * @returns How to serve HTTPS; `undefined` for plain HTTP.
 * @throws UserError when the files are no certificate and its key.
 */
export function httpsFrom({ https, cert, key }: HttpsFlags): HttpsOptions | undefined {
  if (cert === undefined && key === undefined) return https ? 'self-signed' : undefined;
  if (cert === undefined || key === undefined) {
    throw new UserError('--cert and --key belong together: a certificate and its key', 2);
  }
  const pair = { cert: readPem('--cert', cert), key: readPem('--key', key) };
  try {
    createSecureContext(pair);
  } catch (error) {
    const { message } = error as Error;
    const why = /values mismatch/i.test(message) ? 'do not belong together' : 'are no such pair';
    throw new UserError(
      `--cert ${cert} and --key ${key} ${why}: a PEM certificate and its key are wanted`,
      2,
    );
  }
  return pair;
}

function readPem(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'no such file' : message;
    throw new UserError(`${option} ${file}: ${why}`, 2);
  }
}
