// The agents, how they are asked, and what the mock tells them to do: write a file with their own tool
// for that, copy it with a command, and say that all is done.
import { join } from 'node:path';

const PROMPT = 'Write hello.txt, then copy it to copy.txt.';
const HELLO = 'Hello from the script.';
const LAST = 'All is done.';

/** Calls on the side, such as for a title, offer no tools and get the mock's own words. */
const task = (turns) => ({ when: { tools: true, user: 'hello.txt' }, turns });

export const AGENTS = {
  'claude-code': {
    title: 'Claude Code',
    package: '@anthropic-ai/claude-code',
    bin: 'claude',
    prompt: PROMPT,
    args: (prompt) => ['-p', prompt, '--allowedTools', 'Write', 'Bash'],
    env: {
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      DISABLE_TELEMETRY: '1',
      DISABLE_ERROR_REPORTING: '1',
    },
    script: (work) =>
      task([
        {
          text: 'I write the file.',
          tools: [
            {
              name: 'Write',
              arguments: { file_path: join(work, 'hello.txt'), content: `${HELLO}\n` },
            },
          ],
        },
        { tools: [{ name: 'Bash', arguments: { command: 'cp hello.txt copy.txt' } }] },
        LAST,
      ]),
  },
  codex: {
    title: 'Codex',
    package: '@openai/codex',
    bin: 'codex',
    prompt: PROMPT,
    args: (prompt) => [
      'exec',
      '--skip-git-repo-check',
      '--dangerously-bypass-approvals-and-sandbox',
      // What it would ask others than the model for.
      ...['apps', 'plugins'].flatMap((feature) => ['--disable', feature]),
      ...['analytics.enabled=false', 'check_for_update_on_startup=false'].flatMap((setting) => [
        '-c',
        setting,
      ]),
      prompt,
    ],
    env: {},
    script: () =>
      task([
        {
          text: 'I write the file.',
          tools: [
            {
              name: 'exec_command',
              arguments: { cmd: `printf '%s\\n' '${HELLO}' > hello.txt` },
            },
          ],
        },
        {
          tools: [
            {
              name: 'exec_command',
              arguments: { cmd: 'cp hello.txt copy.txt' },
            },
          ],
        },
        LAST,
      ]),
  },
  opencode: {
    title: 'OpenCode',
    package: 'opencode-ai',
    bin: 'opencode',
    prompt: PROMPT,
    args: (prompt) => ['run', prompt],
    env: {
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
      OPENCODE_PURE: '1',
    },
    script: (work) =>
      task([
        {
          text: 'I write the file.',
          tools: [
            {
              name: 'write',
              arguments: { filePath: join(work, 'hello.txt'), content: `${HELLO}\n` },
            },
          ],
        },
        {
          tools: [
            {
              name: 'bash',
              arguments: { command: 'cp hello.txt copy.txt', description: 'Copies the file' },
            },
          ],
        },
        LAST,
      ]),
  },
};
