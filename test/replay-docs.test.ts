import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRecording } from '../src/recording/read.ts';
import { runCli, startCli } from './support/cli.ts';
import { fakeBackend, json } from './support/fake-backend.ts';
import { oneInstance } from './support/gateway.ts';
import { recordingsIn } from './support/recordings.ts';
import { tempDir } from './support/temp-dir.ts';

const page = readFileSync(new URL('../docs/replay.md', import.meta.url), 'utf8');

/** The words of the one command on the page that begins so. */
function command(beginning: string): string[] {
  const lines = page.split('\n').map((line) => line.replace(/^\$ /, ''));
  const found = lines.filter((line) => line.startsWith(`jairouter ${beginning}`));
  expect({ beginning, found }).toMatchObject({ found: [expect.anything()] });
  return found[0]!.replace(/ &$/, '').split(' ').slice(1);
}

describe('docs/replay.md', () => {
  it('has commands that do what it says', async () => {
    const backend = await fakeBackend((_, response) => {
      const message = { role: 'assistant', content: 'Hi' };
      json(response, 200, { id: 'c', choices: [{ index: 0, message }] });
    });
    const home = await tempDir();
    const { instances } = oneInstance(backend.url);
    await writeFile(
      join(home, 'jairouter.config.json'),
      JSON.stringify({ instances: { 'gpu-1': instances!['a'] } }),
    );
    const ask = async (url: string): Promise<Response> => {
      const messages = [{ role: 'user', content: 'Hello' }];
      const body = JSON.stringify({ model: 'm', messages });
      return fetch(`${url}/v1/chat/completions`, { method: 'POST', body });
    };

    const recorder = startCli([...command('serve --record'), '--port', '0'], { cwd: home });
    const [, url] = await recorder.waitFor(/endpoint\s+(\S+)\/v1/);
    const first = await (await ask(url!)).text();
    await recordingsIn(join(home, 'recordings'), 1);
    const compared = await runCli([...command('replay recordings'), '--json'], { cwd: home });
    expect({ code: compared.code, stderr: compared.stderr }).toEqual({ code: 0, stderr: '' });
    await recorder.stop();
    const printed = JSON.parse(compared.stdout) as { calls: { before: object }[] };
    for (const key of [printed, printed.calls[0]!, printed.calls[0]!.before].flatMap(Object.keys))
      expect(page).toMatch(new RegExp(`^\\|.*[\`.]${key}\\b`, 'm'));

    await backend.close();
    const player = startCli([...command('serve --replay recordings'), '--port', '0'], {
      cwd: home,
    });
    const [, there] = await player.waitFor(/endpoint\s+(\S+)\/v1/);
    const again = await ask(there!);
    expect(again.headers.get('x-jairouter-replay')).toBe('exact');
    expect(await again.text()).toBe(first);
    await player.stop();
  });

  it('starts the server for tests in a way that the command line takes', async () => {
    const { code, stderr } = await runCli(command('serve --replay test/recordings'), {
      cwd: await tempDir(),
    });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'jairouter: --replay test/recordings: there is no such folder\n',
    });
  });

  it('shows a file of which all is known', () => {
    const [, example = ''] = /```json\n([\s\S]*?)\n```/.exec(page) ?? [];
    expect(readRecording(example)).toMatchObject(JSON.parse(example) as object);
  });
});
