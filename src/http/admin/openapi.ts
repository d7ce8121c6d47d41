import { z } from 'zod';
import { VERSION } from '../../version.ts';
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { Route } from './route.ts';
import { problem } from './schemas.ts';

type Node = Record<string, unknown>;

/** What any route may refuse with; those that read something may also find it wrong. */
const ANY: readonly ErrorCode[] = ['invalid_admin_token', 'host_not_allowed', 'origin_not_allowed'];
const CHECKED: readonly ErrorCode[] = ['invalid_request'];
const READ: readonly ErrorCode[] = ['invalid_json', 'request_too_large'];

/**
 * Describes the routes as OpenAPI 3.1, from the schemas that they check requests by and that their
 * answers are tested against.
 */
export function describeApi(routes: Readonly<Record<string, Route>>): Node {
  const schemas: Record<string, unknown> = {};
  schemas['Error'] = plainSchema(errorAnswer, schemas);
  const paths: Record<string, Record<string, Node>> = {};
  for (const [key, route] of Object.entries(routes)) {
    const [method = '', path = ''] = key.split(' ');
    (paths[path] ??= {})[method.toLowerCase()] = operation(key, route, schemas);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'jairouter management',
      version: VERSION,
      description: 'Points in time are milliseconds since the epoch, spans are milliseconds.',
    },
    servers: [{ url: '/' }],
    security: [{ adminToken: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: { adminToken: { type: 'http', scheme: 'bearer' } },
    },
  };
}

const errorAnswer = z.object({
  error: z.object({
    message: z
      .string()
      .meta({ description: 'What is wrong and what to do, in one or more lines.' }),
    type: z.string(),
    param: z.string().nullable().meta({ description: 'The field at fault.' }),
    code: z.string().nullable().meta({ description: 'For programs.' }),
    problems: z
      .array(problem)
      .optional()
      .meta({ description: 'Each mistake of a config, with its place.' }),
  }),
});

function operation(key: string, route: Route, schemas: Record<string, unknown>): Node {
  const body = 'body' in route ? route.body : undefined;
  const errors = [
    ...ANY,
    ...(route.params || route.query || body ? CHECKED : []),
    ...(body ? READ : []),
    ...(route.errors ?? []),
  ];
  return {
    operationId: operationId(key),
    summary: route.summary,
    parameters: [
      ...parameters(route.params, 'path', schemas),
      ...parameters(route.query, 'query', schemas),
      ...('events' in route ? [LAST_EVENT_ID] : []),
    ],
    ...(body && {
      requestBody: {
        required: !body.safeParse(undefined).success,
        content: { 'application/json': { schema: plainSchema(body, schemas) } },
      },
    }),
    responses: { 200: success(route, schemas), ...refusals(errors) },
  };
}

const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  in: 'header',
  description: 'The id of the last event that arrived: what came after it is sent first.',
  schema: { type: 'string' },
};

/** `GET /admin/instances/{name}` → `getInstancesName` */
function operationId(key: string): string {
  const [first = '', ...rest] = key
    .replace('/admin/', '/')
    .split(/[^\w]+/)
    .filter(Boolean);
  return first.toLowerCase() + rest.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
}

function parameters(
  schema: z.ZodType | undefined,
  where: 'path' | 'query',
  schemas: Record<string, unknown>,
): Node[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = plainSchema(schema, schemas) as {
    properties?: Record<string, Node>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema: rest,
  }));
}

function success(route: Route, schemas: Record<string, unknown>): Node {
  if (!('events' in route)) {
    return {
      description: 'Done.',
      content: { 'application/json': { schema: plainSchema(route.answer, schemas) } },
    };
  }
  const events = Object.entries(route.events);
  const kinds = events.map(([name]) => `\`${name}\``).join(', ');
  return {
    description: `Server-sent events of the kinds ${kinds}; \`data\` is JSON.`,
    content: {
      'text/event-stream': {
        schema: { anyOf: events.map(([, schema]) => plainSchema(schema, schemas)) },
      },
    },
  };
}

/** One answer a status, with the codes that it may have. */
function refusals(codes: readonly ErrorCode[]): Record<string, Node> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set(codes)) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      status,
      {
        description: same.map((code) => `\`${code}\``).join(', '),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    ]),
  );
}

/** A schema as JSON Schema; those that have an `id` are named once, among the components. */
function plainSchema(schema: z.ZodType, components: Record<string, unknown>): Node {
  const whole = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Node;
  const { $schema: _, $defs, ...own } = whole;
  for (const [id, node] of Object.entries(($defs ?? {}) as Node)) {
    components[id] ??= pointToComponents(node);
  }
  return pointToComponents(own) as Node;
}

function pointToComponents(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(pointToComponents);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [
      key,
      key === '$ref' && typeof value === 'string'
        ? value.replace('#/$defs/', '#/components/schemas/')
        : pointToComponents(value),
    ]),
  );
}
