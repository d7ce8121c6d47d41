import { record, type Fields } from './fields.ts';

/**
 * Makes a value that is valid for a JSON Schema: what the mock answers when a schema is demanded
 * of it. `pattern` and conditional keywords are the exceptions: it does not solve those.
 */
export function sample(schema: unknown, name = 'value'): unknown {
  return make(schema, { root: record(schema), name, depth: 0, made: { count: 0 } });
}

interface Place {
  readonly root: Fields;
  /** The property's name: it makes the strings readable. */
  readonly name: string;
  readonly depth: number;
  /** Values made so far, in the whole of it. */
  readonly made: { count: number };
}

/** From here on only what is required is made: a recursive schema has to end somewhere. */
const DEEP = 3;
/** Nothing sensible is larger; a schema that demands itself would never end. */
const DEEPEST = 24;
const MOST = 5000;

function make(schema: unknown, place: Place): unknown {
  const own = resolve(record(schema), place.root);
  const deeper = { ...place, depth: place.depth + 1 };
  if (place.depth > DEEPEST || ++place.made.count > MOST) return null;
  if ('const' in own) return own['const'];
  if (Array.isArray(own['enum'])) return (own['enum'] as unknown[])[0];
  for (const key of ['anyOf', 'oneOf']) {
    const variants = own[key];
    if (Array.isArray(variants)) {
      const { [key]: _, ...rest } = own;
      return make(merge(rest, resolve(record(choose(variants, place)), place.root)), deeper);
    }
  }
  switch (typeOf(own)) {
    case 'object':
      return makeObject(own, deeper);
    case 'array':
      return makeArray(own, deeper);
    case 'integer':
      return makeNumber(own, 1);
    case 'number':
      return makeNumber(own, 0);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return makeString(own, place.name);
  }
}

/** Deep down the shortest way out is a null or a bare type: the variant that refers nowhere. */
function choose(variants: readonly unknown[], place: Place): unknown {
  const simple = variants.find((one) => !('$ref' in record(one)));
  return place.depth >= DEEP && simple !== undefined ? simple : variants[0];
}

/** Follows `$ref` inside the document and folds `allOf` in. */
function resolve(schema: Fields, root: Fields): Fields {
  let own = schema;
  for (let hops = 0; typeof own['$ref'] === 'string' && hops < DEEPEST; hops++) {
    const { $ref, ...rest } = own;
    own = merge(rest, lookUp($ref, root));
  }
  if (!Array.isArray(own['allOf'])) return own;
  const { allOf, ...rest } = own;
  return (allOf as unknown[]).reduce<Fields>(
    (merged, part) => merge(merged, resolve(record(part), root)),
    rest,
  );
}

function lookUp(ref: string, root: Fields): Fields {
  const path = ref.replace(/^#\/?/, '').split('/').filter(Boolean);
  let at: unknown = root;
  for (const step of path) {
    at = record(at)[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return record(at);
}

function merge(one: Fields, other: Fields): Fields {
  const required = [...list(one['required']), ...list(other['required'])];
  return {
    ...other,
    ...one,
    properties: { ...record(other['properties']), ...record(one['properties']) },
    ...(required.length > 0 && { required }),
  };
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function typeOf(schema: Fields): unknown {
  const type: unknown = Array.isArray(schema['type'])
    ? ((schema['type'] as unknown[]).find((one) => one !== 'null') ?? 'null')
    : schema['type'];
  if (type !== undefined) return type;
  if (Object.keys(record(schema['properties'])).length > 0) return 'object';
  return 'items' in schema ? 'array' : 'string';
}

function makeObject(schema: Fields, place: Place): Fields {
  const properties = record(schema['properties']);
  const required = list(schema['required']).map(String);
  const optional = Object.keys(properties).filter((name) => !required.includes(name));
  const names = place.depth > DEEP ? required : [...required, ...optional];
  return Object.fromEntries(
    names.map((name) => [name, make(properties[name], { ...place, name })]),
  );
}

function makeArray(schema: Fields, place: Place): unknown[] {
  const fixed = list(schema['prefixItems']).map((item) => make(item, place));
  const least = bound(schema['minItems'], place.depth > DEEP ? 0 : 1);
  const most = bound(schema['maxItems'], Infinity);
  const unique = schema['uniqueItems'] === true;
  const choices = unique ? list(record(schema['items'])['enum']) : [];
  for (let index = fixed.length; index < Math.min(Math.max(least, fixed.length), most); index++) {
    if (schema['items'] === false) break;
    const name = unique && index > 0 ? `${place.name} ${index + 1}` : place.name;
    const value = choices[index] ?? make(schema['items'], { ...place, name });
    fixed.push(typeof value === 'number' && unique ? value + index : value);
  }
  return fixed;
}

function makeNumber(schema: Fields, whole: 0 | 1): number {
  const step = bound(schema['multipleOf'], whole);
  const above = bound(schema['exclusiveMinimum'], -Infinity);
  const below = bound(schema['exclusiveMaximum'], Infinity);
  const least = Math.max(bound(schema['minimum'], -Infinity), above);
  const most = Math.min(bound(schema['maximum'], Infinity), below);
  if (step > 0) {
    let value = Math.ceil((least > -Infinity ? least : Math.min(1, most)) / step) * step;
    if (value <= above) value += step;
    while (value > most || value >= below) value -= step;
    return value;
  }
  if (least > -Infinity && most < Infinity) return (least + most) / 2;
  if (least > -Infinity) return least + 1;
  return most < Infinity ? most - 1 : 1;
}

function bound(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-01-01T12:00:00Z',
  date: '2026-01-01',
  time: '12:00:00Z',
  duration: 'PT1H',
  email: 'mock@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/mock',
  url: 'https://example.com/mock',
  uuid: '00000000-0000-4000-8000-000000000000',
};

function makeString(schema: Fields, name: string): string {
  const format = FORMATS[String(schema['format'])];
  if (format !== undefined) return format;
  const text = `mock ${name}`.padEnd(bound(schema['minLength'], 0), '.');
  return text.slice(0, bound(schema['maxLength'], text.length));
}
