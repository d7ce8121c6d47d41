import { describe, expect, it } from 'vitest';
import { deadPort, fakeBackend } from '../support/fake-backend.ts';
import { startManagedOnFile } from '../support/managed.ts';
import { HAS_TMUX, openTerminal } from '../support/terminal.ts';

describe.skipIf(!HAS_TMUX)('a narrow terminal (skipped without tmux)', () => {
  it('gets no line that it would have to break itself', async () => {
    const backend = await fakeBackend(undefined, {
      models: ['a-model-with-a-rather-long-name', 'another-model-with-a-long-name'],
    });
    const server = await startManagedOnFile(`instances:
  the-box-under-the-desk: { adapter: openai, baseUrl: "${backend.url}", maxConcurrency: 16 }
  the-one-that-is-gone: { adapter: vllm, baseUrl: "http://127.0.0.1:${await deadPort()}" }
  groq: { adapter: groq, apiKey: "\${GROQ_API_KEY}" }
models:
  coder: { targets: [the-box-under-the-desk/a-model-with-a-rather-long-name], fallback: [groq/x] }
`);
    const commands = ['status --once', 'models', 'explain coder --verbose', 'check'];
    const terminal = await openTerminal(['--version'], {
      cwd: server.home,
      columns: 70,
      rows: 200,
    });
    await terminal.sees('ended 0');
    for (const command of commands) {
      await terminal.press(`clear; jairouter ${command}; echo "ended: $?"`, 'Enter');
      await terminal.sees(/ended: \d/);
      // tmux joins what it has broken.
      const lines = (await terminal.joined()).split('\n');
      expect(lines.length).toBeGreaterThan(3);
      expect(lines.filter((line) => line.length > 70)).toEqual([]);
    }
  });
});
