import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readStates } from '../src/commands/state-file.ts';
import { ERRORS, type ErrorCode } from '../src/http/errors.ts';
import { ROUTES } from '../src/http/admin/routes.ts';
import { startCli } from './support/cli.ts';
import { fakeBackend } from './support/fake-backend.ts';
import { stateOf } from './support/managed.ts';
import { tempDir } from './support/temp-dir.ts';

const docs = new URL('../docs/', import.meta.url);
const page = readFileSync(new URL('management.md', docs), 'utf8');

/** Its shell blocks that ask the API something, one `curl` each. */
const curls = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
  block
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.startsWith('curl ')),
);

describe('docs/management.md', () => {
  it('asks every route, with each of its methods, at least once', () => {
    const asked = curls.map((line) => {
      const [, path = ''] = /http:\/\/127\.0\.0\.1:4747([^\s'?]+)/.exec(line) ?? [];
      const method = /-X (\w+)/.exec(line)?.[1] ?? (/ -d /.test(line) ? 'POST' : 'GET');
      return { method, path };
    });
    const missing = Object.keys(ROUTES).filter((route) => {
      const [method, template = ''] = route.split(' ');
      const pattern = new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
      return !asked.some((one) => one.method === method && pattern.test(one.path));
    });
    expect(missing).toEqual([]);
  });

  it('names every error with its status', () => {
    const named = [...page.matchAll(/^\| (\d{3}) +\| (.*?) +\|/gm)].flatMap(
      ([, status, codes = '']) =>
        [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => [code, Number(status)] as const),
    );
    expect(named.length).toBeGreaterThan(8);
    for (const [code, status] of named) {
      expect([code, ERRORS[code as ErrorCode]?.status]).toEqual([code, status]);
    }
    const used = Object.values(ROUTES).flatMap(({ errors = [] }) => errors);
    expect(named.map(([code]) => code)).toEqual(expect.arrayContaining([...new Set(used)]));
  });

  it('links to headings and files that exist, as all pages do', () => {
    const headings = (text: string) =>
      [...text.matchAll(/^##+ (.+)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replaceAll(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
      );
    const pages = readdirSync(docs).filter((name) => name.endsWith('.md'));
    for (const name of [...pages, '../README.md', '../CHANGELOG.md']) {
      const text = readFileSync(new URL(name, docs), 'utf8');
      const links = text.matchAll(/\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)/g);
      for (const [, file = '', heading = ''] of links) {
        const there = new URL(file === '' ? name : file, new URL(name, docs));
        expect([name, file, existsSync(there)]).toEqual([name, file, true]);
        if (heading) expect([name, ...headings(readFileSync(there, 'utf8'))]).toContain(heading);
      }
    }
  });

  it.skipIf(process.platform === 'win32')('shows commands that work as they stand', async () => {
    const home = await tempDir();
    const { url: baseUrl } = await fakeBackend();
    await writeFile(
      join(home, 'jairouter.config.yaml'),
      [
        'server: { port: 0, apiKeys: [{ name: me, key: sk-me }] }',
        'instances:',
        `  gpu: { adapter: openai, baseUrl: "${baseUrl}" }`,
        `  laptop: { adapter: openai, baseUrl: "${baseUrl}" }`,
        'models:',
        '  coder: { targets: [gpu/m, laptop/m] }',
        '',
      ].join('\n'),
    );
    const cli = startCli(['serve'], { cwd: home });
    onTestFinished(async () => void (await cli.stop('SIGKILL')));
    const [, url = ''] = await cli.waitFor(/(http:\/\/[^\s/]+:\d+)\/v1/);
    await cli.waitFor(/● laptop/);
    await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-request-id': 'my-call-1', authorization: 'Bearer sk-me' },
      body: '{"model":"coder"}',
    });
    const [state] = await readStates(stateOf(home));
    for (const line of curls) {
      // `-w` tells the status, and so what a page that has gone wrong would hide.
      const command = line
        .replace('curl ', `curl -sS -w '\\n%{http_code}' `)
        .replaceAll('http://127.0.0.1:4747', url);
      const { stdout } = await promisify(execFile)('sh', ['-c', command], {
        env: { ...process.env, TOKEN: state!.token },
        cwd: home,
      }).catch((error: unknown) => error as { stdout: string });
      expect(`${line}\n${stdout.split('\n').at(-1)}`).toBe(`${line}\n200`);
    }
  });
});
