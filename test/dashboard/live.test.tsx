import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { connectAdmin } from '../../src/commands/admin-client.ts';
import { liveFeed } from '../../src/commands/live-feed.ts';
import type { InstanceStatus, Status } from '../../src/observe/status.ts';
import { mountOn, type Mounted } from '../support/dashboard.tsx';
import { chatChunk, fakeBackend, json, startEvents } from '../support/fake-backend.ts';
import { ADMIN_TOKEN } from '../support/gateway.ts';
import { startManagedOnFile, type ManagedOnFile } from '../support/managed.ts';

const CHAT = '/v1/chat/completions';

interface Stage {
  readonly board: Mounted;
  readonly server: ManagedOnFile;
  /** How the server has it, once that is so. */
  readonly comes: (name: string, holds: (instance: InstanceStatus) => boolean) => Promise<void>;
}

/** A server on a config file, whose two backends tell who they are, and its dashboard. */
async function stage(more = ''): Promise<Stage> {
  const [gpu, laptop] = [await fakeBackend(), await fakeBackend()];
  for (const [name, backend] of Object.entries({ gpu, laptop })) {
    backend.behave = (_, response) =>
      json(response, 200, {
        choices: [
          { message: { content: `The sky is blue, says ${name}.` }, finish_reason: 'stop' },
        ],
        usage: { prompt_tokens: 12, completion_tokens: name.length },
      });
  }
  const server = await startManagedOnFile(`# Ours.
instances:
  gpu: { adapter: openai, baseUrl: ${gpu.url}, weight: 2 } # the big one
  laptop: { adapter: openai, baseUrl: ${laptop.url}, priority: 1 }
models:
  coder: { targets: [gpu/m, laptop/m] }
${more}`);
  const client = connectAdmin({ url: server.url, token: ADMIN_TOKEN, own: true });
  const board = mountOn(
    liveFeed({
      server: client,
      find: () => Promise.resolve(client),
      now: Date.now,
      key: undefined,
    }),
    { size: { columns: 140, rows: 60 } },
  );
  await board.sees('● gpu');
  return {
    board,
    server,
    async comes(name, holds) {
      const deadline = performance.now() + 5000;
      for (;;) {
        const { instances } = await client.get<Status>('/admin/status');
        if (holds(instances.find((one) => one.name === name)!)) return;
        if (performance.now() > deadline)
          throw new Error(`it did not come to that:\n${board.text()}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

describe('orders to a real server', () => {
  it('drain, enable and disable an instance', async () => {
    const { board, server, comes } = await stage();
    const answeredBy = async (): Promise<string | null> =>
      (await server.post(CHAT, { model: 'coder' })).headers.get('x-jairouter-instance');
    await board.press('d');
    await board.sees('Drain gpu? New calls go elsewhere.');
    await board.press('y');
    await comes('gpu', ({ state }) => state === 'draining');
    await board.sees(/◌ gpu +openai +draining/);
    expect(await answeredBy()).toBe('laptop');
    await board.press('e');
    await comes('gpu', ({ state }) => state === 'healthy');
    expect(await answeredBy()).toBe('gpu');
    await board.press('x');
    await board.sees('Disable gpu?');
    await board.press('y');
    await comes('gpu', ({ state }) => state === 'disabled');
    expect(await answeredBy()).toBe('laptop');
    await board.press('e');
    await comes('gpu', ({ state }) => state === 'healthy');
    await board.sees('gpu takes calls');
    // Nothing of this is in the file.
    expect(await readFile(server.file, 'utf8')).not.toMatch(/drain|enabled/);
  });

  it('write a weight into the config file, and leave the rest of it as it was', async () => {
    const { board, server, comes } = await stage();
    await board.press('+', '+', '-', '+');
    await board.sees('Weight of gpu: 2 → 4');
    await board.press('enter');
    await comes('gpu', ({ weight }) => weight === 4);
    await board.sees('gpu has weight 4');
    expect(await readFile(server.file, 'utf8')).toMatch(/^# Ours\.\n[^]*weight: 4 } # the big one/);
    await board.sees(/instances\.gpu\.weight: 2 -> 4/);
  });

  it('hold a breaker open and closed, and reset it', async () => {
    const { board, comes } = await stage();
    const breaker = (state: string) => comes('gpu', (one) => one.breaker.state === state);
    await board.press('b');
    await board.sees('Breaker of gpu, which is closed');
    await board.press('end', 'enter');
    await board.sees('Keep all calls away from gpu?');
    await board.press('y');
    await breaker('forced-open');
    await board.sees(/● gpu .* held open/);
    await board.press('b', 'down', 'enter');
    await breaker('forced-closed');
    await board.sees(/● gpu .* held closed/);
    await board.press('b');
    await board.sees('Breaker of gpu, which is forced-closed');
    await board.press('enter');
    await breaker('closed');
    await board.press('enter');
    // All of it is on its page.
    await board.sees(/forced-open[^]*forced-closed|forced-closed[^]*forced-open/);
  });

  it('read the config again, and go back in its history', async () => {
    const { board, server, comes } = await stage();
    const text = await readFile(server.file, 'utf8');
    await writeFile(server.file, text.replace('weight: 2', 'weight: 5'));
    await board.press('R');
    await board.sees('Read the config file again?');
    await board.press('y');
    await comes('gpu', ({ weight }) => weight === 5);
    await board.sees(/config +.*\n.*instances\.gpu\.weight: 2 -> 5/);
    await board.press('H');
    await board.sees(/▸ 2 .* in effect, \w+: instances\.gpu\.weight: 2 -> 5/);
    await board.press('down', 'enter');
    await board.sees('Write version 1 back into the config file?');
    await board.press('y');
    await comes('gpu', ({ weight }) => weight === 2);
    await board.sees('the config is applied as version 3, with 1 change');
    expect(await readFile(server.file, 'utf8')).toBe(text);
  });

  it('are refused in words', async () => {
    const { board, server } = await stage();
    const text = await readFile(server.file, 'utf8');
    await writeFile(server.file, 'instances: { gpu: { adapter: nobody } }\n');
    await board.press('R', 'y');
    await board.sees(/✗ The config is not valid.*unknown adapter `nobody`/s);
    await board.press('escape');
    // What is wrong stays on the screen until it is mended.
    await board.sees(/✗ config not applied: .*jairouter\.config\.yaml:1:\d+/);
    await board.sees(/✗ invalid since \d\d:\d\d:\d\d/);
    await board.sees('● gpu');
    await writeFile(server.file, text);
    await board.seesNot('config not applied');
    expect(board.text()).toMatch(/jairouter\.config\.yaml ✓ version \d/);
  });
});

describe('a captured call of a real server', () => {
  it('shows its bodies, and is copied as a command that makes the same call', async () => {
    const { board, server } = await stage('capture: true\n');
    const body = JSON.stringify({
      model: 'coder',
      messages: [{ role: 'user', content: "Why's it?" }],
    });
    const answer: unknown = await (await server.post(CHAT, body)).json();
    await board.sees(/✓ 200 +chat +coder/);
    await board.press('3', 'enter');
    await board.sees(`"content": "Why's it?"`);
    await board.sees('"content": "The sky is blue, says gpu."');
    await board.press('c');
    await board.sees('The call as a command');
    expect(board.copied[0]).toContain(`curl '${server.url}${CHAT}'`);
    const { stdout } = await promisify(execFile)('sh', ['-c', `${board.copied[0]!} --silent`]);
    expect(JSON.parse(stdout)).toEqual(answer);
    expect(server.outcomes).toHaveLength(2);
  });

  it('is sent again to another instance, and both answers are compared', async () => {
    const { board, server } = await stage('capture: true\n');
    await server.post(CHAT, { model: 'coder' });
    await board.sees(/✓ 200 +chat +coder/);
    await board.press('3', 'r');
    await board.sees(/▸ wherever it is routed/);
    await board.sees(/gpu\/m .*as before/);
    await board.press('end', 'enter');
    await board.sees('The sky is blue, says [-gpu.-]{+laptop.+}');
    expect(board.line('│ instance')).toMatch(/gpu +laptop/);
    expect(board.line('│ total')).toMatch(/ms +[\d.]+ ms/);
    expect(board.line('│ first byte')).toMatch(/ms +[\d.]+ ms/);
    expect(board.line('│ tokens out')).toMatch(/3 +6/);
    expect(server.outcomes.at(-1)).toMatchObject({ instance: 'laptop' });
  });

  it('shows the words of a stream before its events', async () => {
    const { board, server } = await stage('capture: true\n');
    const gpu = await fakeBackend((_, response) => {
      startEvents(response);
      response.end(`${chatChunk('Hello ')}${chatChunk('there')}data: [DONE]\n\n`);
    });
    const text = await readFile(server.file, 'utf8');
    await writeFile(server.file, text.replace(/(gpu: .*baseUrl: )[^,]+/, `$1${gpu.url}`));
    await board.sees(/instances\.gpu\.baseUrl/);
    await (await server.post(CHAT, { model: 'coder', stream: true })).text();
    await board.sees(/✓ 200 +chat +coder/);
    await board.press('3', 'enter');
    await board.sees(/Hello there +│?\n[^]*As it came[^]*data: \[DONE\]/);
  });

  it('is compared by what its bytes are, where they are no text', async () => {
    const { board, server } = await stage('capture: true\n');
    const voice = await fakeBackend(
      (_, response) => {
        response.writeHead(200, { 'content-type': 'audio/mpeg' });
        response.end(Buffer.from([0xff, 0xfb, 0, 1, 2]));
      },
      { models: ['tts-1'] },
    );
    await server.admin('POST /admin/instances', {
      name: 'voice',
      adapter: 'openai',
      baseUrl: voice.url,
    });
    await server.post('/v1/audio/speech', { model: 'tts-1', input: 'Hi', voice: 'x' });
    await board.sees(/✓ 200 +speech +tts-1/);
    await board.press('3', 'enter');
    await board.sees(/audio\/mpeg[^]*5 B[^]*SHA-256 [\da-f]+/);
    await board.press('r');
    await board.sees(/▸ wherever it is routed/);
    await board.press('enter');
    await board.sees('Text: no difference');
  });
});
