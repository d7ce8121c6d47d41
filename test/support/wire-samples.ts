import { readdirSync, readFileSync } from 'node:fs';

/** A part of a form, as the samples write it. */
export interface SamplePart {
  readonly name: string;
  readonly value?: string;
  readonly filename?: string;
  readonly contentType?: string;
  readonly base64?: string;
}

/** One recorded exchange; `test/fixtures/wire/README.md` explains the fields. */
export interface WireSample {
  readonly backend: string;
  readonly name: string;
  readonly body_json_string?: boolean;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: Readonly<Record<string, unknown>> & {
      readonly _multipart?: readonly SamplePart[];
    };
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly sse?: string;
    readonly ends?: string;
  };
}

const FOLDER = new URL('../fixtures/wire/', import.meta.url);

/** All samples of a backend, by name. */
export function wireSamples(backend: string): readonly WireSample[] {
  const folder = new URL(`${backend}/`, FOLDER);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as WireSample);
}

/** @throws Error when there is no such sample. */
export function wireSample(backend: string, name: string): WireSample {
  const sample = wireSamples(backend).find((one) => one.name === name);
  if (!sample) throw new Error(`no wire sample ${backend}/${name}`);
  return sample;
}

/** The answer's body as it is on the wire. */
export function bodyOf({ response, body_json_string: quoted }: WireSample): Buffer {
  const { body, sse } = response;
  if (sse !== undefined) return Buffer.from(sse);
  if (typeof body === 'string') return Buffer.from(quoted ? JSON.stringify(body) : body);
  const binary = (body as { _base64?: string } | null | undefined)?._base64;
  if (binary !== undefined) return Buffer.from(binary, 'base64');
  return Buffer.from(body === undefined ? '' : JSON.stringify(body));
}
