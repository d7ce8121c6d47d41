import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCli, startCli, type RunningCli } from '../support/cli.ts';
import { tempDir } from '../support/temp-dir.ts';

/** Runs `jairouter mock` on any free port. */
async function mock(...args: string[]): Promise<{ cli: RunningCli; url: string }> {
  const cli = startCli(['mock', '--port', '0', ...args], { cwd: await tempDir() });
  onTestFinished(() => void cli.stop());
  const [, url] = await cli.waitFor(/^mock backend {2}(http:\S+)$/m);
  await cli.waitFor(/^try .*\n/m);
  return { cli, url: url! };
}

function chat(url: string, model: string): Promise<Response> {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] });
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', body });
}

describe('jairouter mock', () => {
  test('says where it is, what it has and how to call it', async () => {
    const { cli, url } = await mock();
    const output = cli.output();
    expect(output).toContain('mock-chat    chat\n');
    expect(output).toContain('mock-image   imageGeneration, imageEdit\n');
    expect(output).toContain(`curl ${url}/v1/chat/completions `);
    const answer = await (await chat(url, 'mock-chat')).json();
    expect(answer).toMatchObject({
      choices: [{ message: { content: 'This is the mock model mock-chat. You said: Hello' } }],
    });
  });

  test.runIf(process.platform !== 'win32')('prints a call that a shell can run', async () => {
    const { cli } = await mock();
    const [, body] = /-d '(.*)'$/m.exec(cli.output())!;
    expect(JSON.parse(body!)).toEqual({
      model: 'mock-chat',
      messages: [{ role: 'user', content: 'Hello' }],
    });
  });

  test('serves the models that it is told to', async () => {
    const { cli, url } = await mock('--models', 'qwen3-32b, bge-m3');
    expect(cli.output()).toMatch(/qwen3-32b {2}chat\n.* bge-m3 {5}embeddings\n/);
    expect((await chat(url, 'qwen3-32b')).status).toBe(200);
    expect((await chat(url, 'mock-chat')).status).toBe(404);
  });

  test('is as slow as it is told to be', async () => {
    const { url } = await mock('--ttft', '200ms', '--tps', '100');
    const begin = performance.now();
    await chat(url, 'mock-chat');
    // 200 ms, and 13 tokens of 10 ms.
    expect(performance.now() - begin).toBeGreaterThanOrEqual(300);
  });

  test('fails when it is told to', async () => {
    const { url } = await mock('--fail', '1');
    expect((await chat(url, 'mock-chat')).status).toBe(500);
  });

  test('hangs when it is told to, and can be ended all the same', async () => {
    const { cli, url } = await mock('--hang');
    const call = chat(url, 'mock-chat').catch(() => 'broken off');
    const silence = new Promise((resolve) => setTimeout(resolve, 200, 'nothing'));
    expect(await Promise.race([call, silence])).toBe('nothing');
    expect((await cli.stop('SIGTERM')).code).toBe(0);
    expect(await call).toBe('broken off');
  });

  test('names the port that is taken, and who has it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const result = await runCli(['mock', '-p', String(port)], { cwd: await tempDir() });
    expect(result.code).toBe(1);
    const holder = process.platform === 'linux' ? `.* \\(pid ${process.pid}\\)` : 'another process';
    expect(result.stderr).toMatch(
      new RegExp(
        `^jairouter: cannot listen on 127.0.0.1:${port}: the port is taken by ${holder}; .*--port\\n$`,
      ),
    );
  });
});

describe('a script of the mock', () => {
  test('is played, and told in the greeting', async () => {
    const cwd = await tempDir();
    await writeFile(join(cwd, 'task.yaml'), '- Hello from the script.\n- Bye.\n');
    const cli = startCli(['mock', '-p', '0', '--script', 'task.yaml'], { cwd });
    onTestFinished(async () => void (await cli.stop('SIGKILL')));
    const [, url] = await cli.waitFor(/mock backend {2}(http:\S+)/);
    expect(cli.output()).toContain('script  task.yaml, 2 turns\n');
    expect(await (await chat(url!, 'mock-chat')).text()).toContain('Hello from the script.');
  });

  test.each([
    ['- { txt: a }\n', /^task\.yaml:1:5: `\[0\]\.txt` is unknown; known: text/],
    ['turns:\n  - text: [a]\n', /^task\.yaml:2:11: `turns\[0\]\.text` must be text\n$/],
    ['turns: [', /^task\.yaml:\d+:\d+: /],
  ])('is refused by the place of its mistake: %j', async (text, message) => {
    const cwd = await tempDir();
    await writeFile(join(cwd, 'task.yaml'), text);
    const { code, stderr } = await runCli(['mock', '-p', '0', '--script', 'task.yaml'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
