import type { Prompt, Tool, ToolChoice } from './prompt.ts';

/** What a request says of the calls that it wants. */
export interface ToolWish {
  readonly choice?: ToolChoice | undefined;
  /** The only tools that may be called, by name; absent: all. */
  readonly allowed?: readonly string[] | undefined;
}

/**
 * The tools that a model is offered, and which it is to call. Other dialects can't say that a tool is
 * known but not allowed, so it is not offered; and a choice of what is not offered is none.
 */
export function chosen(
  tools: readonly Tool[],
  { choice, allowed }: ToolWish,
  dropped: Set<string>,
): Pick<Prompt, 'tools' | 'toolChoice'> {
  const offered = allowed ? tools.filter(({ name }) => allowed.includes(name)) : tools;
  const absent = typeof choice === 'object' && !offered.some(({ name }) => name === choice.name);
  if (absent) dropped.add('tool_choice');
  return { tools: offered, toolChoice: absent || offered.length === 0 ? undefined : choice };
}
