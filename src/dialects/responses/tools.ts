import {
  asNumber,
  asObject,
  asObjects,
  asText,
  parseJson,
  type JsonObject,
} from '../../adapters/json.ts';
import { FREE_TEXT, freeTextOf, withGrammar, wrapFreeText } from '../free-text.ts';
import type { Tool } from '../prompt.ts';

/**
 * The kinds of tools that a client runs itself. Elsewhere each is a function; the call of it becomes
 * an item of its own kind again.
 */
export type ToolKind =
  | 'function'
  | 'custom'
  | 'local_shell'
  | 'shell'
  | 'apply_patch'
  | 'tool_search';

/** What a name that the model calls stands for. */
export interface KnownTool {
  readonly kind: ToolKind;
  readonly name: string;
  /** The group that it was declared in. */
  readonly namespace?: string | undefined;
}

export interface Toolbox {
  /** By the name that models know them by. */
  readonly known: ReadonlyMap<string, KnownTool>;
  readonly tools: readonly Tool[];
  /** Those that only a provider can run. */
  readonly dropped: readonly string[];
}

/** Reads the tools of a request. */
export function toolbox(declared: readonly JsonObject[]): Toolbox {
  const known = new Map<string, KnownTool>();
  const tools: Tool[] = [];
  const dropped: string[] = [];
  const add = (declaration: JsonObject, namespace: string | undefined): void => {
    const { type } = declaration;
    if (type === 'namespace') {
      for (const inner of asObjects(declaration['tools']) ?? []) {
        add(inner, asText(declaration['name']));
      }
      return;
    }
    const tool = toolOf(declaration);
    if (!tool) {
      dropped.push(`tools.${asText(type) ?? 'unknown'}`);
      return;
    }
    const name = flatName(tool.name, namespace);
    if (known.has(name)) return;
    known.set(name, { kind: type as ToolKind, name: tool.name, namespace });
    tools.push({ ...tool, name });
  };
  for (const declaration of declared) add(declaration, undefined);
  return { known, tools, dropped };
}

/** Groups are told apart by their names, as other dialects have none. */
export function flatName(name: string, namespace: string | undefined): string {
  return namespace === undefined ? name : `${namespace}__${name}`;
}

const SHELL_LIMITS = {
  timeout_ms: { type: 'number', description: 'The time limit in milliseconds.' },
};

/** Tools that are declared by their type alone; models of others must be told what they are. */
const TYPED: Readonly<Partial<Record<ToolKind, Omit<Tool, 'name'>>>> = {
  local_shell: {
    description: 'Runs a command on the user’s machine and returns what it prints.',
    parameters: {
      type: 'object',
      properties: {
        command: {
          type: 'array',
          items: { type: 'string' },
          description: 'The program and its arguments.',
        },
        working_directory: { type: 'string' },
        ...SHELL_LIMITS,
      },
      required: ['command'],
    },
  },
  shell: {
    description: 'Runs shell commands one after the other and returns what they print.',
    parameters: {
      type: 'object',
      properties: { commands: { type: 'array', items: { type: 'string' } }, ...SHELL_LIMITS },
      required: ['commands'],
    },
  },
  apply_patch: {
    description:
      'Creates, changes or deletes one file. A diff has lines that begin with a space, + or -, in hunks that begin with @@.',
    parameters: {
      type: 'object',
      properties: {
        type: { type: 'string', enum: ['create_file', 'update_file', 'delete_file'] },
        path: { type: 'string' },
        diff: { type: 'string', description: 'Of the whole new file, or of what changes.' },
      },
      required: ['type', 'path'],
    },
  },
};

function toolOf(declaration: JsonObject): Tool | undefined {
  const type = declaration['type'] as ToolKind;
  const name = asText(declaration['name']);
  const description = asText(declaration['description']);
  const { strict } = declaration;
  switch (type) {
    case 'function':
      return name === undefined
        ? undefined
        : {
            name,
            description,
            parameters: asObject(declaration['parameters']) ?? { type: 'object', properties: {} },
            ...(typeof strict === 'boolean' ? { strict } : {}),
          };
    case 'custom':
      return name === undefined
        ? undefined
        : {
            name,
            description: withGrammar(description, asObject(declaration['format'])),
            parameters: FREE_TEXT,
          };
    case 'tool_search':
      if (declaration['execution'] !== 'client') return undefined;
      return {
        name: type,
        description,
        parameters: asObject(declaration['parameters']) ?? { type: 'object', properties: {} },
      };
    case 'shell':
      // A container of the provider's is nothing that we have.
      if ((asText(asObject(declaration['environment'])?.['type']) ?? 'local') !== 'local') {
        return undefined;
      }
      return { name: type, ...TYPED.shell! };
    default: {
      const typed = TYPED[type];
      return typed && { name: type, ...typed };
    }
  }
}

/** The item that says that the model calls a tool, but for its id and status. */
export function callItem(tool: KnownTool, id: string, json: string): JsonObject {
  const args = asObject(parseJson(json)) ?? {};
  const { name, namespace } = tool;
  const named = { name, ...(namespace === undefined ? {} : { namespace }) };
  switch (tool.kind) {
    case 'function':
      return { type: 'function_call', call_id: id, ...named, arguments: json };
    case 'custom':
      return { type: 'custom_tool_call', call_id: id, ...named, input: freeTextOf(json) };
    case 'local_shell':
      return {
        type: 'local_shell_call',
        call_id: id,
        action: {
          type: 'exec',
          command: listOf(args['command']),
          env: asObject(args['env']) ?? {},
          timeout_ms: asNumber(args['timeout_ms']) ?? null,
          working_directory: asText(args['working_directory']) ?? null,
          user: null,
        },
      };
    case 'shell':
      return {
        type: 'shell_call',
        call_id: id,
        action: {
          commands: listOf(args['commands']),
          timeout_ms: asNumber(args['timeout_ms']) ?? null,
          max_output_length: asNumber(args['max_output_length']) ?? null,
        },
        environment: { type: 'local' },
      };
    case 'apply_patch':
      return { type: 'apply_patch_call', call_id: id, operation: args };
    case 'tool_search':
      return { type: 'tool_search_call', call_id: id, execution: 'client', arguments: args };
  }
}

function listOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** A call as an item of the conversation so far: its tool's name for models, and its arguments. */
export function calledBy(item: JsonObject): { name: string; json: string } | undefined {
  const namespace = asText(item['namespace']);
  const name = asText(item['name']);
  switch (item['type']) {
    case 'function_call':
      return name === undefined
        ? undefined
        : { name: flatName(name, namespace), json: asText(item['arguments']) ?? '{}' };
    case 'custom_tool_call':
      return name === undefined
        ? undefined
        : { name: flatName(name, namespace), json: wrapFreeText(item['input']) };
    case 'local_shell_call':
      return { name: 'local_shell', json: textOf(item['action'], ['type', 'user']) };
    case 'shell_call':
      return { name: 'shell', json: textOf(item['action'], []) };
    case 'apply_patch_call':
      return { name: 'apply_patch', json: textOf(item['operation'], []) };
    case 'tool_search_call':
      return { name: 'tool_search', json: textOf(item['arguments'], []) };
    default:
      return undefined;
  }
}

/** An action as the arguments that it was made from. */
function textOf(action: unknown, leaveOut: readonly string[]): string {
  const entries = Object.entries(asObject(action) ?? {});
  return JSON.stringify(
    Object.fromEntries(
      entries.filter(([name, value]) => value !== null && !leaveOut.includes(name)),
    ),
  );
}
