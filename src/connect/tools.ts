import { aider, claudeCode, codex, opencode } from './agents.ts';
import { curl, openaiNode, openaiPython, openWebui } from './apps.ts';
import { continueDev, cursor, zed } from './editors.ts';
import type { ToolName } from './tool-names.ts';
import type { Tool } from './tool.ts';

/** The programs that `connect` knows, by the name that it takes. */
export const TOOLS: Readonly<Record<ToolName, Tool>> = {
  'claude-code': claudeCode,
  codex,
  opencode,
  aider,
  continue: continueDev,
  'open-webui': openWebui,
  cursor,
  zed,
  'openai-node': openaiNode,
  'openai-python': openaiPython,
  curl,
};
