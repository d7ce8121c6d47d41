import { MockError } from './error.ts';
import { record, type Fields } from './fields.ts';
import { sample } from './sample.ts';

/** A call of one of the client's tools, whole and as it is streamed. */
export interface ToolCall {
  /** The arguments (of a custom tool: its input), as the text that a model would write. */
  readonly text: string;
  readonly whole: unknown;
  /** The first fragment, without arguments, and the others; `index` is its place among the calls. */
  readonly opening: (index: number) => unknown;
  readonly fragment: (index: number, text: string) => unknown;
  readonly reason: 'tool_calls' | 'stop';
}

/**
 * Calls a tool when the client offers some and the turn is the model's to ask: after a message of
 * the user's, or whenever `tool_choice` demands it. The arguments are valid for the tool's schema.
 */
export function toolCall(
  fields: Fields,
  messages: readonly Fields[],
  newId: () => string,
): ToolCall | undefined {
  const demanded = fields['tool_choice'];
  const offered = allowed(demanded, readTools(fields['tools']));
  const named = namedTool(demanded, offered);
  const mode = record(demanded)['type'] === 'allowed_tools' ? modeOf(demanded) : demanded;
  const asked = named !== undefined || mode === 'required';
  const tool = named ?? offered[0];
  if (!tool || mode === 'none') return undefined;
  if (!asked && messages.at(-1)?.['role'] !== 'user') return undefined;
  // OpenAI ends a turn that a named tool was demanded of with `stop`.
  return describe(tool, newId(), named ? 'stop' : 'tool_calls');
}

interface Tool {
  readonly name: string;
  readonly custom: boolean;
  readonly parameters: unknown;
}

function readTools(tools: unknown): Tool[] {
  return (Array.isArray(tools) ? (tools as unknown[]) : []).map((entry, index) => {
    const custom = record(entry)['type'] === 'custom';
    const body = record(record(entry)[custom ? 'custom' : 'function']);
    if (typeof body['name'] === 'string') {
      return { name: body['name'], custom, parameters: body['parameters'] ?? { type: 'object' } };
    }
    throw new MockError(400, `'tools[${index}]' must be a function with a name.`, {
      param: `tools[${index}]`,
      code: 'invalid_value',
    });
  });
}

function toolName(reference: unknown): unknown {
  const own = record(reference);
  return record(own['function'])['name'] ?? record(own['custom'])['name'];
}

function modeOf(demanded: unknown): unknown {
  return record(record(demanded)['allowed_tools'])['mode'];
}

function allowed(demanded: unknown, tools: readonly Tool[]): readonly Tool[] {
  const names = record(record(demanded)['allowed_tools'])['tools'];
  if (!Array.isArray(names)) return tools;
  const wanted = (names as unknown[]).map(toolName);
  return tools.filter((tool) => wanted.includes(tool.name));
}

function namedTool(demanded: unknown, tools: readonly Tool[]): Tool | undefined {
  const name = toolName(demanded);
  if (name === undefined) return undefined;
  const tool = tools.find((one) => one.name === name);
  if (tool) return tool;
  throw new MockError(400, `Tool choice ${JSON.stringify(name)} not found in 'tools' parameter.`, {
    param: 'tool_choice',
    code: 'invalid_value',
  });
}

function describe(tool: Tool, id: string, reason: ToolCall['reason']): ToolCall {
  const { name, custom } = tool;
  const text = custom ? `mock ${name}` : JSON.stringify(sample(tool.parameters));
  return { ...callOf({ name, custom, id, text }), reason };
}

/**
 * Calls a tool as a script wants it.
 *
 * @param wanted.names The first of these that is offered is called.
 * @throws MockError 400 when the client offers none of them.
 */
export function scriptedCall(
  fields: Fields,
  wanted: { readonly names: readonly string[]; readonly text: string; readonly id: string },
): ToolCall {
  const offered = readTools(fields['tools']);
  const name = wanted.names.find((each) => offered.some((tool) => tool.name === each));
  const tool = offered.find((each) => each.name === name);
  if (tool) {
    const call = callOf({ name: tool.name, custom: tool.custom, id: wanted.id, text: wanted.text });
    return { ...call, reason: 'tool_calls' };
  }
  const names = offered.map((each) => each.name).join(', ') || 'none';
  throw new MockError(
    400,
    `The script calls the tool ${wanted.names.join(' or ')}, and the client offers ${names}.`,
    { param: 'tools', code: 'script_tool_missing' },
  );
}

function callOf({
  name,
  custom,
  id,
  text,
}: {
  readonly name: string;
  readonly custom: boolean;
  readonly id: string;
  readonly text: string;
}): Omit<ToolCall, 'reason'> {
  if (custom) {
    return {
      text,
      whole: { id, type: 'custom', custom: { name, input: text } },
      opening: (index) => ({ index, id, type: 'custom', custom: { name, input: '' } }),
      fragment: (index, input) => ({ index, custom: { input } }),
    };
  }
  return {
    text,
    whole: { id, type: 'function', function: { name, arguments: text } },
    opening: (index) => ({ index, id, type: 'function', function: { name, arguments: '' } }),
    fragment: (index, piece) => ({ index, function: { arguments: piece } }),
  };
}
