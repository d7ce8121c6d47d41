import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Finding } from './problem.ts';
import type { Config } from './schema.ts';
import { unreadable } from './source.ts';

export interface Certificates {
  /** Absolute paths, by instance; also of those that are wrong or missing. */
  readonly files: ReadonlyMap<string, string>;
  /** What is in them, by path. */
  readonly texts: ReadonlyMap<string, string>;
  readonly errors: readonly Finding[];
}

/** Resolves each `tls.ca` from the config's folder, reads it, and proves that there is a certificate. */
export async function readCertificates(data: unknown, folder: string): Promise<Certificates> {
  const files = new Map<string, string>();
  const texts = new Map<string, string>();
  const errors: Finding[] = [];
  const instances = childOf(data, 'instances');
  for (const [name, instance] of Object.entries(isBlock(instances) ? instances : {})) {
    const ca = childOf(childOf(instance, 'tls'), 'ca');
    if (typeof ca !== 'string' || ca === '') continue;
    const file = resolve(folder, ca);
    files.set(name, file);
    try {
      const text = await readFile(file, 'utf8');
      texts.set(file, text);
      prove(text);
    } catch (error) {
      errors.push({
        path: ['instances', name, 'tls', 'ca'],
        at: 'value',
        message: `certificate ${file}: ${error instanceof BadCertificate ? error.message : unreadable(error)}`,
      });
    }
  }
  return { files, texts, errors };
}

/** The config with whole paths for its certificates. */
export function withCertificates(config: Config, { files }: Certificates): Config {
  if (files.size === 0) return config;
  const instances = Object.entries(config.instances).map(([name, instance]) => {
    const ca = files.get(name);
    return [name, ca && instance.tls ? { ...instance, tls: { ...instance.tls, ca } } : instance];
  });
  return { ...config, instances: Object.fromEntries(instances) as Config['instances'] };
}

class BadCertificate extends Error {}

function prove(text: string): void {
  const PEM = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
  const certificates = text.match(PEM) ?? [];
  if (certificates.length === 0) throw new BadCertificate('holds no certificate in PEM form');
  try {
    // TLS itself passes over what it can't read, and then says only that nothing fits.
    for (const certificate of certificates) void new X509Certificate(certificate);
  } catch {
    // Its own words are OpenSSL's.
    throw new BadCertificate('holds a certificate that is damaged');
  }
}

function isBlock(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function childOf(value: unknown, key: string): unknown {
  return isBlock(value) ? value[key] : undefined;
}
