import { validateHeaderName, validateHeaderValue } from 'node:http';
import { unlikeEmbeddings } from './embedding-models.ts';
import { ownAddressWarnings } from './own-address.ts';
import { pathText, type Finding, type Path } from './problem.ts';
import { suggestion } from './suggest.ts';

/** What has to be known of an adapter to check a config. */
export interface KnownAdapter {
  readonly name: string;
  /** Present when instances may leave out theirs. */
  readonly baseUrl?: string;
  /** Present when it can be asked to load a model. */
  readonly warm?: unknown;
  /** The blocks of an instance that it reads, beside those that all do. */
  readonly options?: readonly string[];
}

export interface Checked {
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/**
 * What the schema can't see: whether names that refer to one another exist, whether headers can be
 * sent, and whether options fit together. It reads the config before validation, so that its complaints come together with the
 * schema's; what is not of the right type is the schema's to say.
 *
 * @param data With its variables filled in.
 * @param off Instances that an unset variable has turned off.
 */
export function check(
  data: unknown,
  { adapters, off }: { adapters: readonly KnownAdapter[]; off: ReadonlyMap<string, string> },
): Checked {
  const config = block(data);
  const instances = block(config['instances']);
  const models = block(config['models']);
  const errors: Finding[] = [];
  const warnings: Finding[] = [];
  for (const [name, value] of Object.entries(instances)) {
    const path = ['instances', name];
    const instance = block(value);
    const wantsAddress = !off.has(name);
    errors.push(
      ...adapterErrors(instance, path, { adapters, wantsAddress }),
      ...headerErrors(instance, path),
      ...limitErrors(instance, path),
    );
  }
  for (const [alias, value] of Object.entries(models)) {
    const path = ['models', alias];
    errors.push(
      ...aliasErrors(alias, path, instances),
      ...targetErrors(value, path, instances),
      ...embeddingErrors(alias, path, models),
      ...limitErrors(block(value), path),
    );
    warnings.push(...fallbackWarnings(alias, value, path, { instances, models }));
  }
  const services = block(config['services']);
  for (const [name, value] of Object.entries(services))
    errors.push(...limitErrors(block(value), ['services', name]));
  const { apiKeys, adminToken } = block(config['server']);
  for (const [index, value] of list(apiKeys).entries())
    errors.push(...limitErrors(block(value), ['server', 'apiKeys', index]));
  errors.push(
    ...apiKeyErrors(apiKeys),
    ...adminTokenErrors(adminToken, list(apiKeys)),
    ...limitErrors(config, []),
    ...limitErrors(block(config['defaults']), ['defaults']),
  );
  warnings.push(
    ...defaultModelWarnings(services, { instances, models }),
    ...ownAddressWarnings(instances, block(config['server'])),
  );
  return { errors, warnings };
}

type Block = Readonly<Record<string, unknown>>;

function adapterErrors(
  instance: Block,
  path: Path,
  { adapters, wantsAddress }: { adapters: readonly KnownAdapter[]; wantsAddress: boolean },
): Finding[] {
  const name = instance['adapter'];
  if (typeof name !== 'string' || name === '') return [];
  const adapter = adapters.find((known) => known.name === name);
  const at = (key: string, message: string): Finding => ({
    path: [...path, key],
    at: 'value',
    message,
  });
  if (!adapter) {
    const names = adapters.map((known) => known.name);
    return [at('adapter', `unknown adapter \`${name}\`${suggestion(name, names)}`)];
  }
  if (instance['warm'] !== undefined && adapter.warm === undefined) {
    return [
      at('warm', `the \`${name}\` adapter can't be asked to load a model; leave \`warm\` out`),
    ];
  }
  const foreign = adapters
    .flatMap((known) => known.options ?? [])
    .find((block) => instance[block] !== undefined && !adapter.options?.includes(block));
  if (foreign !== undefined) {
    const owners = adapters.filter((known) => known.options?.includes(foreign));
    const names = owners.map((known) => `\`${known.name}\``).join(', ');
    return [
      {
        path: [...path, foreign],
        at: 'key',
        message: `\`${pathText([...path, foreign])}\` is for the adapter ${names}, not for \`${name}\`; leave it out`,
      },
    ];
  }
  if (wantsAddress && instance['baseUrl'] === undefined && adapter.baseUrl === undefined)
    return [
      at(
        'baseUrl',
        `\`${pathText([...path, 'baseUrl'])}\` is missing: the \`${name}\` adapter has no address of its own`,
      ),
    ];
  return [];
}

/** Headers that belong to one connection, and so to the HTTP client alone. */
const OF_CONNECTION =
  /^(connection|keep-alive|proxy-connection|transfer-encoding|content-length|upgrade|expect|te|trailer)$/i;

function headerErrors(instance: Block, path: Path): Finding[] {
  const found: Finding[] = [];
  const apiKey = instance['apiKey'];
  if (typeof apiKey === 'string' && !isHeaderValue(apiKey))
    found.push({
      path: [...path, 'apiKey'],
      at: 'value',
      message: `\`${pathText([...path, 'apiKey'])}\` has a character that no header can carry, such as a line break`,
    });
  for (const [name, value] of Object.entries(block(instance['headers']))) {
    const at: Path = [...path, 'headers', name];
    if (!isHeaderName(name))
      found.push({ path: at, at: 'key', message: `\`${name}\` can't be the name of a header` });
    else if (OF_CONNECTION.test(name))
      found.push({
        path: at,
        at: 'key',
        message: `the header \`${name}\` is set by the connection itself; leave it out`,
      });
    else if (typeof value === 'string' && !isHeaderValue(value))
      found.push({
        path: at,
        at: 'value',
        message: `\`${pathText(at)}\` has a character that no header can carry, such as a line break`,
      });
  }
  return found;
}

/** A window has no burst beside its rate: a `capacity` there is a misunderstanding. */
function limitErrors(owner: Block, path: Path): Finding[] {
  const { algorithm, capacity } = block(owner['rateLimit']);
  const windowed = algorithm === 'sliding-window' || algorithm === 'fixed-window';
  if (!windowed || capacity === undefined) return [];
  const at: Path = [...path, 'rateLimit', 'capacity'];
  return [
    {
      path: at,
      at: 'key',
      message: `\`${pathText(at)}\` can't stand beside \`algorithm: ${algorithm}\`, which admits its \`rate\` and no more; leave it out, or use \`token-bucket\``,
    },
  ];
}

/** @returns Whether an instance may send such a header with every request. */
export function isOwnHeader(name: string, value: string): boolean {
  return isHeaderName(name) && !OF_CONNECTION.test(name) && isHeaderValue(value);
}

function isHeaderName(name: string): boolean {
  return !throws(() => validateHeaderName(name));
}

function isHeaderValue(value: string): boolean {
  return !throws(() => validateHeaderValue('x', value));
}

function throws(action: () => void): boolean {
  try {
    action();
    return false;
  } catch {
    // Node's own words name its API, not the config; the caller has better ones.
    return true;
  }
}

function aliasErrors(alias: string, path: Path, instances: Block): Finding[] {
  const [owner = ''] = alias.split('/', 1);
  if (owner === alias || !Object.hasOwn(instances, owner)) return [];
  return [
    {
      path,
      at: 'key',
      message: `the alias \`${alias}\` would hide the model of that name on the instance \`${owner}\`; call it something else`,
    },
  ];
}

function targetErrors(model: unknown, path: Path, instances: Block): Finding[] {
  const found: Finding[] = [];
  for (const [index, target] of list(block(model)['targets']).entries()) {
    if (typeof target !== 'string' || !target.includes('/')) continue;
    const [owner = ''] = target.split('/', 1);
    if (owner === '' || Object.hasOwn(instances, owner)) continue;
    found.push({
      path: [...path, 'targets', index],
      at: 'value',
      message: `unknown instance \`${owner}\`${suggestion(owner, Object.keys(instances))}`,
    });
  }
  return found;
}

/**
 * Vectors of two models can't be compared, and an index of both finds nothing right, so no name may
 * stand for both.
 */
function embeddingErrors(alias: string, path: Path, models: Block): Finding[] {
  const { sameEmbeddings } = block(models[alias]);
  if (sameEmbeddings === true || sameEmbeddings === 'true') return [];
  const unlike = unlikeEmbeddings(meanings(alias, models, new Set()));
  if (!unlike) return [];
  const [one, other] = unlike.map((name) => `\`${name}\``);
  return [
    {
      path,
      at: 'key',
      message: `\`${pathText(path)}\` stands for two embedding models, ${one} and ${other}, whose vectors can't be compared; give each a name of its own, or set \`sameEmbeddings: true\` if they are one model`,
    },
  ];
}

/** The backends' names of all models that calls for this name may reach. */
function meanings(name: string, models: Block, seen: Set<string>): readonly string[] {
  if (seen.has(name)) return [];
  seen.add(name);
  if (!Object.hasOwn(models, name)) return [name];
  const { targets, fallback } = block(models[name]);
  const texts = (value: unknown) => list(value).filter((one) => typeof one === 'string');
  return [
    ...texts(targets).map((target) => target.slice(target.indexOf('/') + 1)),
    ...texts(fallback).flatMap((other) => meanings(other, models, seen)),
  ];
}

interface Names {
  readonly instances: Block;
  readonly models: Block;
}

function fallbackWarnings(alias: string, model: unknown, path: Path, names: Names): Finding[] {
  const found: Finding[] = [];
  for (const [index, fallback] of list(block(model)['fallback']).entries()) {
    if (typeof fallback !== 'string') continue;
    const at: Path = [...path, 'fallback', index];
    if (fallback === alias)
      found.push({ path: at, at: 'value', message: `\`${alias}\` falls back to itself` });
    else if (!mayResolve(fallback, names))
      found.push({ path: at, at: 'value', message: `no instance has the model \`${fallback}\`` });
  }
  return found;
}

function defaultModelWarnings(services: Block, names: Names): Finding[] {
  return Object.entries(services).flatMap(([service, value]): Finding[] => {
    const model = block(value)['defaultModel'];
    if (typeof model !== 'string' || mayResolve(model, names)) return [];
    return [
      {
        path: ['services', service, 'defaultModel'],
        at: 'value',
        message: `no instance has the model \`${model}\``,
      },
    ];
  });
}

/** Whether a model name stands for something, as far as a config can tell. */
function mayResolve(name: string, { instances, models }: Names): boolean {
  if (Object.hasOwn(models, name)) return true;
  const [owner = ''] = name.split('/', 1);
  if (owner !== name && Object.hasOwn(instances, owner)) return true;
  return Object.values(instances).some((value) => {
    const listed = block(value)['models'];
    // An instance that lists none is asked for its models when it runs.
    return (
      listed === undefined ||
      list(listed).some((each) => typeof each === 'string' && fits(each, name))
    );
  });
}

/** `*` in a pattern stands for any run of characters. */
function fits(pattern: string, name: string): boolean {
  const pieces = pattern.split('*').map((piece) => piece.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${pieces.join('.*')}$`, 's').test(name);
}

function apiKeyErrors(value: unknown): Finding[] {
  const found: Finding[] = [];
  const keys = list(value).map(block);
  for (const [index, each] of keys.entries()) {
    for (const option of ['name', 'key']) {
      const text = each[option];
      const first = keys.findIndex((other) => other[option] === text);
      if (typeof text !== 'string' || first === index) continue;
      found.push({
        path: ['server', 'apiKeys', index, option],
        at: 'value',
        message: `\`server.apiKeys[${index}]\` has the same ${option} as \`server.apiKeys[${first}]\``,
      });
    }
  }
  return found;
}

/** Who may call must not manage for it, and what no header can carry would lock everybody out. */
function adminTokenErrors(token: unknown, apiKeys: readonly unknown[]): Finding[] {
  if (typeof token !== 'string') return [];
  const at = (message: string): Finding[] => [
    { path: ['server', 'adminToken'], at: 'value', message: `\`server.adminToken\` ${message}` },
  ];
  const same = apiKeys.findIndex((each) => block(each)['key'] === token);
  if (same >= 0) {
    return at(`is also the key of \`server.apiKeys[${same}]\`, whose holders may call, not manage`);
  }
  return /^[!-~]*$/.test(token) ? [] : at('must be plain letters, digits and signs without spaces');
}

function block(value: unknown): Block {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Block)
    : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
