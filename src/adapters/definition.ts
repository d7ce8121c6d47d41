import { serviceOf, type Operation, type Service } from '../service.ts';
import type { Adapter, Backend, OperationSpec, ProbeResult } from './adapter.ts';
import { bearer } from './auth.ts';
import { inBatches } from './batches.ts';
import { failureOf } from './catalogue.ts';

/** Where a server shows what it is. */
export interface Mark {
  /** From the root of its host. */
  readonly path: string;
  /** In the text of the answer. */
  readonly says: RegExp;
  /** And in this header of it. */
  readonly header?: readonly [name: string, says: RegExp];
}

/** An adapter as data: what it does otherwise than the one it is like. */
export interface AdapterDefinition {
  readonly name: string;
  /** Where all its instances are, or its usual place on this machine. */
  readonly baseUrl?: string;
  /** Pays by use and is not ours. */
  readonly cloud?: boolean;
  readonly ports?: readonly number[];
  /** Variables that may hold its key, the usual one first. */
  readonly keyVariables?: readonly string[];
  /** What it offers; absent: all that its model does. */
  readonly services?: readonly Service[];
  /** Single operations of those services that it does not have. */
  readonly without?: readonly Operation[];
  /** What stands in the place of the `/v1` that paths begin with; may be empty. */
  readonly prefix?: string;
  /** Paths that differ in more than that, below `baseUrl`; `models` is where it lists its own. */
  readonly paths?: Readonly<Partial<Record<Operation | 'models', string>>>;
  /** The header that carries its key, and the word before the key; absent: `Authorization: Bearer`. */
  readonly auth?: { readonly header: string; readonly scheme?: string };
  /** Embeddings that one request may ask for; longer calls become several requests. */
  readonly maxInputs?: number;
  /** The models of a server that lists none: it is only asked whether it answers. */
  readonly models?: readonly string[];
  /** Request fields of chats that it reads beside OpenAI's; absent: those that its model does. */
  readonly extras?: readonly string[];
  /** How discovery tells it from others; one will do. Absent: it is not looked for. */
  readonly marks?: readonly Mark[];
}

/** Makes an adapter out of data. It does all that the definition does not name as `base` does. */
export function adapterFrom(definition: AdapterDefinition, base: Adapter): Adapter {
  const { name, auth, marks } = definition;
  const own = Object.entries(definition).filter(([key]) => PLACE.has(key));
  const inherited = Object.entries(base).filter(([key]) => !PLACE.has(key) && key !== 'recognise');
  return {
    ...(Object.fromEntries([...inherited, ...own]) as unknown as Adapter),
    name,
    ports: definition.ports ?? [],
    auth: auth ? (key) => keyHeader(auth, key) : base.auth,
    operations: operationsOf(definition, base),
    probe: probeOf(definition, base),
    ...(marks && { recognise: (backend) => bearsOne(backend, marks) }),
  };
}

/** Where a server is and what its key is called is nobody else's to say. */
const PLACE: ReadonlySet<string> = new Set(['baseUrl', 'cloud', 'keyVariables']);

function keyHeader({ header, scheme }: NonNullable<AdapterDefinition['auth']>, key: string) {
  const name = header.toLowerCase();
  if (name === 'authorization' && scheme === undefined) return bearer(key);
  return { [name]: scheme ? `${scheme} ${key}` : key };
}

function operationsOf(definition: AdapterDefinition, base: Adapter): Adapter['operations'] {
  const { services, without, paths, maxInputs, extras } = definition;
  const kept = Object.entries(base.operations) as [Operation, OperationSpec][];
  return Object.fromEntries(
    kept
      .filter(([operation]) => services?.includes(serviceOf(operation)) ?? true)
      .filter(([operation]) => !without?.includes(operation))
      .map(([operation, given]): [Operation, OperationSpec] => {
        const spec = {
          ...given,
          path: paths?.[operation] ?? moved(given.path, definition),
          ...(operation === 'chat' && extras && { extras }),
        };
        const limited = operation === 'embeddings' && maxInputs !== undefined;
        return [operation, limited ? inBatches(spec, { inputs: maxInputs }) : spec];
      }),
  );
}

const LIST = '/v1/models';

function moved(path: string, { prefix }: AdapterDefinition): string {
  return prefix === undefined ? path : path.replace(/^\/v1(?=\/)/, prefix);
}

function probeOf(definition: AdapterDefinition, base: Adapter): Adapter['probe'] {
  const { models, paths } = definition;
  const listPath = paths?.models ?? moved(LIST, definition);
  if (models) return (backend) => probeWithoutList(backend, listPath, models);
  if (listPath === LIST && definition.prefix === undefined) return (backend) => base.probe(backend);
  const place = (path: string) => {
    const [route = ''] = path.split('?', 1);
    return route === LIST ? listPath + path.slice(route.length) : moved(path, definition);
  };
  // Adapters remember things by the backend, so each has one view of it.
  const views = new WeakMap<Backend, Backend>();
  return (backend) => {
    let view = views.get(backend);
    if (!view) {
      view = {
        ...backend,
        get: (path) => backend.get(place(path)),
        post: (path, body) => backend.post(place(path), body),
      };
      views.set(backend, view);
    }
    return base.probe(view);
  };
}

async function probeWithoutList(
  backend: Backend,
  path: string,
  names: readonly string[],
): Promise<ProbeResult> {
  const reply = await backend.get(path);
  const absent = [404, 405, 501].includes(reply.status);
  const failure = absent || reply.status === 429 ? undefined : failureOf(reply, path);
  return failure ?? { state: 'healthy', models: names.map((id) => ({ id })) };
}

async function bearsOne(backend: Backend, marks: readonly Mark[]): Promise<boolean> {
  const seen = await Promise.all(
    marks.map(async ({ path, header, says }) => {
      const { headers, text } = await backend.get(path);
      return says.test(text) && (!header || header[1].test(headers[header[0]] ?? ''));
    }),
  );
  return seen.includes(true);
}
