import { expect } from 'vitest';
import { z } from 'zod';
import type { TestGateway } from './gateway.ts';

type Node = Record<string, unknown>;

/** The API's description of itself, as another tool would read it. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Node };
}
export interface Operation {
  readonly summary: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly required: boolean };
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: Node }>> }>
  >;
}

export async function openApi({ admin }: Pick<TestGateway, 'admin'>): Promise<OpenApi> {
  return (await (await admin('GET /admin/openapi.json')).json()) as OpenApi;
}

/** Holds an answer to what the description says of it; a field that it does not know fails too. */
export function expectDescribed(
  api: OpenApi,
  route: string,
  status: number,
  answer: unknown,
): void {
  const [method = '', path = ''] = route.split(' ');
  const response = api.paths[path]?.[method.toLowerCase()]?.responses[String(status)];
  expect(response, `${route} tells of status ${status}`).toBeDefined();
  const { schema } = response!.content['application/json']!;
  const whole = closed({
    ...schema,
    $defs: api.components.schemas,
  }) as z.core.JSONSchema.JSONSchema;
  const { error } = z.fromJSONSchema(whole).safeParse(answer);
  expect(error && `${route}: ${z.prettifyError(error)}`).toBeUndefined();
}

/** The same, with no room for what is not named. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== 'object' || node === null) return node;
  const inside = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [
      key,
      key === '$ref' ? String(value).replace('#/components/schemas/', '#/$defs/') : closed(value),
    ]),
  );
  const open = !('properties' in node) || 'additionalProperties' in node;
  return open ? inside : { ...inside, additionalProperties: false };
}
