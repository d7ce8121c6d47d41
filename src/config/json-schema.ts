import { z } from 'zod';
import { VARIABLE } from './fields.ts';
import { schema } from './schema.ts';

/** The parts of JSON Schema that ours uses. */
export interface SchemaNode {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly propertyNames?: SchemaNode;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
}

/** @returns The JSON Schema (draft 2020-12) of a config file as its author writes it. */
export function jsonSchema(): SchemaNode {
  return z.toJSONSchema(schema, {
    io: 'input',
    // zod leaves out a default that stands beside a transform; ours is written as the author would.
    override({ zodSchema, jsonSchema: node }) {
      const value = z.globalRegistry.get(zodSchema)?.['default'];
      if (value !== undefined) node.default = value;
      // Whatever shape a text must have, in the file a `${VAR}` may stand for it.
      if (node.pattern && !node.pattern.includes(VARIABLE)) node.pattern += `|${VARIABLE}`;
    },
  }) as SchemaNode;
}

/** One option, as the docs list it. */
export interface Option {
  /**
   * `server.port`, `server.apiKeys[].key`, `instances.*.weight`; the options of a block that
   * several places share are listed once, under the block's name: `timeouts.connect`.
   */
  readonly path: string;
  readonly description: string;
  /** As the author would write it; `undefined`: none. */
  readonly default: unknown;
  /** Within its block. */
  readonly required: boolean;
}

/** What stands under the root's own keys rather than being shared. */
const PLACED: Readonly<Record<string, string>> = {
  service: 'services.*',
  instance: 'instances.*',
  model: 'models.*',
};

/** @returns Every option there is, each once. */
export function options(): Option[] {
  const root = jsonSchema();
  const found: Option[] = [];
  const visit = (node: SchemaNode, path: string): void => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      const at = path ? `${path}.${key}` : key;
      found.push({
        path: at,
        description: child.description ?? '',
        default: child.default,
        required: node.required?.includes(key) ?? false,
      });
      visit(child, at);
    }
    if (typeof node.additionalProperties === 'object')
      visit(node.additionalProperties, `${path}.*`);
    if (node.items) visit(node.items, `${path}[]`);
    for (const variant of node.anyOf ?? []) visit(variant, path);
  };
  visit(root, '');
  for (const [name, block] of Object.entries(root.$defs ?? {})) visit(block, PLACED[name] ?? name);
  return found;
}

/**
 * @param path Keys and indices from the root, such as `['instances', 'gpu', 'weigth']`.
 * @returns The keys that are known in the block at that path; none when it takes any.
 */
export function knownKeys(path: readonly (string | number)[]): string[] {
  const root = jsonSchema();
  let nodes = variants(root, root);
  for (const segment of path) {
    nodes = nodes.flatMap((node) => {
      const child =
        typeof segment === 'number'
          ? node.items
          : (node.properties?.[segment] ??
            (typeof node.additionalProperties === 'object'
              ? node.additionalProperties
              : undefined));
      return child ? variants(child, root) : [];
    });
  }
  return nodes.flatMap((node) => [
    ...Object.keys(node.properties ?? {}),
    ...(node.propertyNames?.enum ?? []),
  ]);
}

function variants(node: SchemaNode, root: SchemaNode): SchemaNode[] {
  const target = node.$ref ? root.$defs?.[blockName(node.$ref)] : node;
  if (!target) return [];
  return target.anyOf ? target.anyOf.flatMap((variant) => variants(variant, root)) : [target];
}

function blockName(ref: string): string {
  return ref.slice('#/$defs/'.length);
}
