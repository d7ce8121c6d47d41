/** What `connect` knows. By itself, since the command line needs the names at every start. */
export const TOOL_NAMES = [
  'claude-code',
  'codex',
  'opencode',
  'aider',
  'continue',
  'open-webui',
  'cursor',
  'zed',
  'openai-node',
  'openai-python',
  'curl',
] as const;
export type ToolName = (typeof TOOL_NAMES)[number];
