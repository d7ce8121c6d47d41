import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { schema } from '../src/config/schema.ts';
import { chatChunk, fakeBackend, startEvents } from './support/fake-backend.ts';
import { oneInstance, startGateway } from './support/gateway.ts';

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');

describe('the README', () => {
  it('shows a config that is valid', () => {
    const blocks = [...readme.matchAll(/```yaml\n([\s\S]+?)```/g)].map(([, text = '']) => text);
    expect(blocks).not.toEqual([]);
    for (const block of blocks)
      expect(schema.safeParse(parse(block)).error?.issues).toBeUndefined();
  });

  it('links to files that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = '']) => link);
    expect(links).not.toEqual([]);
    expect(links.filter((link) => !existsSync(new URL(`../${link}`, import.meta.url)))).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('shows commands that work as they stand', async () => {
    const backend = await fakeBackend(
      (_, response) => {
        startEvents(response);
        response.end(`${chatChunk('Hello')}data: [DONE]\n\n`);
      },
      { models: ['qwen3:8b'] },
    );
    const { url } = await startGateway(oneInstance(backend.url));
    const curls = [...readme.matchAll(/^curl (?:.*\\\n)*.*$/gm)].map(([command]) => command);
    expect(curls).toHaveLength(2);
    for (const command of curls) {
      const { stdout } = await promisify(execFile)('sh', [
        '-c',
        command.replace('curl ', 'curl -sS --fail ').replaceAll('http://127.0.0.1:4747', url),
      ]);
      expect(stdout).toMatch(/"qwen3:8b"|^data: .*Hello/);
    }
  });

  it('names scripts that exist', async () => {
    const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8');
    const { scripts } = JSON.parse(manifest) as { scripts: Record<string, string> };
    const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);
    expect(named).not.toEqual([]);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});
