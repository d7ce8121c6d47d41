import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCli, startCli, type RunningCli } from '../support/cli.ts';
import { chatChunk, fakeBackend, json, startEvents } from '../support/fake-backend.ts';
import { until } from '../support/gateway.ts';
import { tempDir } from '../support/temp-dir.ts';

interface Served {
  readonly cli: RunningCli & { readonly home: string };
  readonly url: string;
}

/** A file of the authority `ca.pem`, which has signed `server.pem` for `localhost`. */
function fixture(name: string): { path: string; text: string } {
  const path = fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
  return { path, text: readFileSync(path, 'utf8') };
}

async function folder(config: unknown): Promise<string> {
  const cwd = await tempDir();
  await writeFile(join(cwd, 'jairouter.config.json'), JSON.stringify(config));
  return cwd;
}

/** Runs `serve` on any free port until its instances are told. */
async function serve(
  config: unknown,
  { args = [], env = {} }: { args?: readonly string[]; env?: Record<string, string> } = {},
): Promise<Served> {
  const cwd = await folder(config);
  const cli = startCli(['serve', '-p', '0', ...args], { cwd, env });
  onTestFinished(async () => void (await cli.stop('SIGKILL')));
  const [, url] = await cli.waitFor(/(http:\/\/[^\s/]+:\d+)\/v1/);
  await cli.waitFor(/^ {2}([●✗!-] \S|no instances).*\n|"message":"● a /m);
  return { cli: { ...cli, home: cwd }, url: url! };
}

function chat(url: string, body: unknown = { model: 'm' }): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

const one = (url: string): unknown => ({
  instances: { a: { adapter: 'openai', baseUrl: url } },
});

describe('the banner', () => {
  test('tells the address, the config, and each instance with its state and models', async () => {
    const backend = await fakeBackend(undefined, { models: ['m1', 'm2', 'm3', 'm4'] });
    const { url: baseUrl } = backend;
    const { cli, url } = await serve(
      {
        instances: {
          a: { adapter: 'openai', baseUrl },
          wild: { adapter: 'openai', baseUrl, models: ['m1', 'm2', 'gpt-*'] },
          off: { adapter: 'openai', baseUrl, enabled: false },
          keyless: { adapter: 'openai', baseUrl, apiKey: '${MISSING_KEY}' },
          gone: { adapter: 'vllm', baseUrl: 'http://127.0.0.1:9' },
        },
      },
      {},
    );
    const output = cli.output();
    expect(output).toContain(`  endpoint  ${url}/v1\n`);
    expect(output).toContain('  config    jairouter.config.json\n');
    expect(output).toMatch(/ {2}● a {8}openai {2}\S+ +healthy +4 models: m1, m2, m3, …\n/);
    expect(output).toMatch(/● wild .* 2 models: m1, m2, and gpt-\*\n/);
    expect(output).toMatch(/- off .* disabled +enabled: false\n/);
    expect(output).toMatch(/! keyless .* misconfigured +the variable MISSING_KEY is not set\n/);
    expect(output).toMatch(/✗ gone +vllm .* unhealthy +connection refused\n/);
    expect(output).toMatch(/warn {2}jairouter\.config\.json:1:\d+: .* MISSING_KEY is not set/);
  });

  test('says that a config has no instances', async () => {
    const { cli } = await serve({});
    expect(cli.output()).toContain('no instances: add your backends to the config');
  });

  test('names a config of another folder by its whole path', async () => {
    const file = join(await folder({}), 'jairouter.config.json');
    const { cli } = await serve({}, { args: ['-c', file] });
    expect(cli.output()).toContain(`  config    ${file}\n`);
  });

  test('tells an endpoint that can be called where it listens on every address', async () => {
    const config = { server: { apiKeys: [{ name: 'me', key: 'k' }] } };
    const { cli, url } = await serve(config, { args: ['--host', '0.0.0.0'] });
    expect(cli.output()).toMatch(
      /endpoint {2}http:\/\/127\.0\.0\.1:\d+\/v1, and on every other address/,
    );
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  test('of a model list can’t steer the terminal', async () => {
    const { url } = await fakeBackend(undefined, { models: ['\u001b[2J', 'a\nb'] });
    const { cli } = await serve(one(url));
    expect(cli.output()).toContain('2 models:  [2J, a b\n');
  });
});

describe('HTTPS', () => {
  /** A call that takes any certificate, or only those of an authority. */
  function get(url: string, ca?: string): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const trust = ca === undefined ? { rejectUnauthorized: false } : { ca };
      request(url, trust, ({ statusCode }) => resolve(statusCode))
        .on('error', reject)
        .end();
    });
  }

  test('comes with a certificate of its own making, and says what that means', async () => {
    const cli = startCli(['serve', '-p', '0', '--https'], { cwd: await folder({}) });
    onTestFinished(async () => void (await cli.stop('SIGKILL')));
    const [, url] = await cli.waitFor(/(https:\/\/127\.0\.0\.1:\d+)\/v1/);
    await cli.waitFor(/the certificate is self-signed/);
    expect(await get(`${url}/health`)).toBe(200);
    await expect(get(`${url}/health`, fixture('ca.pem').text)).rejects.toThrow();
  });

  test('comes with the certificate that it is given', async () => {
    const files = ['--cert', fixture('server.pem').path, '--key', fixture('server.key').path];
    const cli = startCli(['serve', '-p', '0', ...files], { cwd: await folder({}) });
    onTestFinished(async () => void (await cli.stop('SIGKILL')));
    const [, port] = await cli.waitFor(/https:\/\/127\.0\.0\.1:(\d+)\/v1/);
    expect(await get(`https://localhost:${port}/health`, fixture('ca.pem').text)).toBe(200);
    expect(cli.output()).not.toContain('self-signed');
  });

  test.each([
    [['--cert', 'x.pem'], '--cert and --key belong together: a certificate and its key'],
    [['--cert', 'x.pem', '--key', 'y.pem'], '--cert x.pem: no such file'],
    [
      ['--cert', fixture('server.pem').path, '--key', fixture('ca.pem').path],
      'are no such pair: a PEM certificate and its key are wanted',
    ],
  ])('is refused without a certificate and its key: %j', async (args, message) => {
    const { code, stderr } = await runCli(['serve', ...args], { cwd: await folder({}) });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe.skipIf(process.platform !== 'linux')('--open', () => {
  test('opens the page in the browser, and says where there is none', async () => {
    const bin = await tempDir();
    await writeFile(join(bin, 'xdg-open'), '#!/bin/sh\nprintf %s "$1" > "$HOME/opened"\n', {
      mode: 0o755,
    });
    const { cli, url } = await serve({}, { args: ['--open'], env: { PATH: `${bin}:/bin` } });
    expect(cli.output()).not.toContain('no browser');
    const opened = join(cli.home, 'opened');
    await until(() => existsSync(opened) && readFileSync(opened, 'utf8') === `${url}/`);
    const without = await serve({}, { args: ['--open'], env: { PATH: '/nowhere' } });
    await without.cli.waitFor(/there is no browser to open here/);
  });
});

describe('an address that can’t be had', () => {
  test('names the port and who has it, and nothing else', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const cwd = await folder({ server: { port } });
    const { code, stdout, stderr } = await runCli(['serve'], { cwd });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const holder = process.platform === 'linux' ? `.* \\(pid ${process.pid}\\)` : 'another process';
    expect(stderr).toMatch(
      new RegExp(
        `^jairouter: cannot listen on 127.0.0.1:${port}: the port is taken by ${holder}; .*--port\\n$`,
      ),
    );
  });

  test.each([
    [['--host', '192.0.2.1', '--insecure'], /192\.0\.2\.1 is no address of this machine/],
    [
      ['--host', 'no-such-host.invalid', '--insecure'],
      /host name no-such-host\.invalid is not known/,
    ],
    [['-p', '6667'], /browsers and fetch\(\) refuse to call port 6667/],
  ])('is told in one sentence, and no other is taken: %j', async (args, message) => {
    const { code, stderr } = await runCli(['serve', ...args], { cwd: await folder({}) });
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('of other machines needs keys, or --insecure', async () => {
    const cwd = await folder({ server: { host: '0.0.0.0', port: 0 } });
    const { code, stderr } = await runCli(['serve'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^server\.host: .*--insecure/);
  });
});

describe.skipIf(process.platform === 'win32')('a signal', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('lets the running calls end: %s', async (signal) => {
    const backend = await fakeBackend(async (_, response) => {
      startEvents(response);
      response.write(chatChunk('a'));
      await new Promise((resolve) => setTimeout(resolve, 600));
      response.end(`${chatChunk('b')}data: [DONE]\n\n`);
    });
    const { cli, url } = await serve(one(backend.url));
    const answer = await chat(url, { model: 'm', stream: true });
    const ended = cli.stop(signal);
    await cli.waitFor(/stopping; 1 call is still running\n/);
    await expect(chat(url)).rejects.toThrow();
    expect(await answer.text()).toMatch(/"b"[\s\S]*\[DONE\]/);
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/200 .* m -> a .*\n$/);
  });

  test('cuts off what has not ended after 10 s, and tells it', async () => {
    const backend = await fakeBackend(() => {});
    const { cli, url } = await serve(one(backend.url));
    const answer = chat(url);
    await until(() => backend.received.length === 1);
    const began = performance.now();
    const { code, stdout } = await cli.stop('SIGTERM');
    expect(performance.now() - began).toBeGreaterThan(9_900);
    expect((await answer).status).toBe(503);
    expect(code).toBe(0);
    expect(stdout).toContain('what still ran after 10 s was cut off\n');
    expect(stdout).toMatch(/ 503 .* m -> a .*shutting down/);
  });

  test('that comes twice ends at once', async () => {
    const backend = await fakeBackend(() => {});
    const { cli, url } = await serve(one(backend.url));
    const answer = chat(url).catch(() => 'cut off');
    await until(() => backend.received.length === 1);
    const began = performance.now();
    void cli.stop('SIGTERM');
    await cli.waitFor(/stopping/);
    expect((await cli.stop('SIGINT')).code).toBe(130);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(await answer).toBe('cut off');
  });
});

describe('the log', () => {
  test('has a line for each call, without any secret', async () => {
    const backend = await fakeBackend((_, response) =>
      json(response, 200, { choices: [], usage: { prompt_tokens: 1, completion_tokens: 50 } }),
    );
    const { cli, url } = await serve(
      { instances: { a: { adapter: 'openai', baseUrl: backend.url, apiKey: '${A_KEY}' } } },
      { env: { A_KEY: 'sk-secret' } },
    );
    await (await chat(url)).text();
    await (await chat(url, { model: 'nope' })).text();
    const call =
      /^\d\d:\d\d:\d\d {2}200 {3}\/v1\/chat\/completions {2}m -> a {2}.* ms {2}first .* ms {2}.* tok\/s$/m;
    await cli.waitFor(call);
    await cli.waitFor(/^\d\d:\d\d:\d\d {2}404 .* nope .* No instance has a model "nope"/m);
    expect(cli.output()).not.toContain('sk-secret');
  });

  test('is JSON alone when machines read it', async () => {
    const backend = await fakeBackend();
    const { cli, url } = await serve(one(backend.url), { args: ['--log-format', 'json'] });
    await (await chat(url)).text();
    await cli.waitFor(/"message":"call"/);
    const { stdout } = await cli.stop();
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toContainEqual(
      expect.objectContaining({ message: 'call', model: 'm', instance: 'a', status: 200 }),
    );
  });
});
