import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deadPort, fakeServer, KINDS } from '../instances/fingerprints.ts';
import { runCli, type CliResult } from '../support/cli.ts';
import { fakeBackend } from '../support/fake-backend.ts';
import { tempDir } from '../support/temp-dir.ts';

async function check(
  config: unknown,
  { args = [], env = {} }: { args?: readonly string[]; env?: Record<string, string> } = {},
): Promise<CliResult> {
  const cwd = await tempDir();
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  await writeFile(join(cwd, 'jairouter.config.json'), text);
  return runCli(['check', ...args], { cwd, env });
}

describe('check', () => {
  test('says that all is well', async () => {
    const { url } = await fakeBackend(undefined, { models: ['a', 'b'] });
    const { code, stdout, stderr } = await check({
      instances: {
        one: { adapter: 'openai', baseUrl: url },
        other: { adapter: 'openai', baseUrl: url, enabled: false },
      },
      models: { mine: { targets: ['one/a'], fallback: ['b'] } },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^✓ jairouter\.config\.json is valid\n\n● one {4}openai {2}http:\S+ {2}\d+ ms, 2 models\n- other .*disabled\n\n✓ The instance is fine\.\n$/,
    );
  });

  test('says what is wrong with each instance, in the order of the config, and what to do', async () => {
    const { url } = await fakeBackend();
    const port = await deadPort();
    const { code, stdout } = await check({
      instances: {
        gone: { adapter: 'ollama', baseUrl: `http://127.0.0.1:${port}` },
        keyless: { adapter: 'openai', baseUrl: url, apiKey: '${A_KEY}' },
        fine: { adapter: 'openai', baseUrl: url },
      },
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/! jairouter\.config\.json:1:\d+: .* A_KEY is not set/);
    expect(stdout).toMatch(
      /✗ gone[\s\S]*connection refused[\s\S]*→ is it running \(`ollama serve`\)[\s\S]*! keyless[\s\S]*→ set A_KEY[\s\S]*● fine/,
    );
    expect(stdout).toMatch(/\n1 of 3 instances are fine\.\n$/);
  });

  test('says which variable holds the key that is refused', async () => {
    const locked = {
      ...KINDS.vllm,
      '/v1/models': { status: 401, body: { error: 'Unauthorized' } },
    };
    const baseUrl = `http://127.0.0.1:${await fakeServer(locked)}`;
    const config = { instances: { gpu: { adapter: 'vllm', baseUrl, apiKey: '${GPU_KEY}' } } };
    const { code, stdout } = await check(config, { env: { GPU_KEY: 'sk-secret' } });
    expect(code).toBe(1);
    expect(stdout).toContain('→ the key from GPU_KEY is not the right one for it\n');
    expect(stdout).not.toContain('sk-secret');
  });

  test('says which names of models lead nowhere', async () => {
    const { url } = await fakeBackend(undefined, { models: ['qwen3', 'bge'] });
    const { code, stdout } = await check({
      instances: { gpu: { adapter: 'openai', baseUrl: url } },
      services: { chat: { defaultModel: 'codr' } },
      models: { coder: { targets: ['gpu/qwen', 'gpu/qwen3'], fallback: ['gpt-5', 'bge'] } },
    });
    expect(code).toBe(1);
    expect(stdout).toContain(
      '! models.coder: gpu has no model qwen\n    → is qwen3 meant?\n' +
        '! models.coder.fallback: no instance has the model gpt-5\n' +
        '! services.chat.defaultModel: no instance has the model codr\n    → is coder meant?\n',
    );
  });

  test('holds nothing against names on an instance that could not be asked', async () => {
    const baseUrl = `http://127.0.0.1:${await deadPort()}`;
    const { stdout } = await check({
      instances: { gpu: { adapter: 'openai', baseUrl } },
      models: { coder: { targets: ['gpu/qwen'], fallback: ['gpt-5'] } },
    });
    expect(stdout).not.toContain('models.coder');
  });

  test('fails where nothing could serve', async () => {
    const { code, stdout } = await check({});
    expect(code).toBe(1);
    expect(stdout).toContain('There is no instance to serve with.\n');
  });

  test('shows an invalid config by its places', async () => {
    const { code, stdout, stderr } = await check('{"server":{"prot":1}}');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^jairouter\.config\.json:1:\d+: .*prot/);
  });
});

describe('check --json', () => {
  test('has all of it, in a shape of its own', async () => {
    const { url } = await fakeBackend(undefined, { models: ['text-embedding-x', 'm'] });
    const baseUrl = `http://127.0.0.1:${await deadPort()}`;
    const config = {
      instances: {
        up: { adapter: 'openai', baseUrl: url, models: ['m', 'n'] },
        down: { adapter: 'openai', baseUrl },
        all: { adapter: 'openai', baseUrl: url },
      },
      models: { mine: { targets: ['all/x'] } },
    };
    const { code, stdout } = await check(config, { args: ['--json'] });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      config: {
        file: expect.stringMatching(/jairouter\.config\.json$/) as string,
        valid: true,
        problems: [],
        warnings: [],
      },
      instances: [
        {
          name: 'up',
          adapter: 'openai',
          baseUrl: url,
          state: 'ok',
          reachable: true,
          authorised: true,
          version: null,
          latencyMs: expect.any(Number) as number,
          services: { embeddings: 1 },
          models: [
            { id: 'text-embedding-x', services: ['embeddings'] },
            { id: 'm', services: null },
          ],
          missingModels: ['n'],
          problem: 'it has no model n',
          hint: 'is m meant?',
        },
        {
          name: 'down',
          adapter: 'openai',
          baseUrl,
          state: 'failed',
          reachable: false,
          authorised: null,
          version: null,
          latencyMs: null,
          services: null,
          models: null,
          missingModels: [],
          problem: expect.stringContaining('connection refused') as string,
          hint: 'is it running?',
        },
        expect.objectContaining({ name: 'all', state: 'ok' }),
      ],
      names: [
        { place: 'models.mine', problem: 'all has no model x', hint: expect.any(String) as string },
      ],
    });
  });

  test('has an invalid config too', async () => {
    const { code, stdout, stderr } = await check('{"server":{"prot":1}}', { args: ['--json'] });
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      config: {
        valid: false,
        problems: [{ file: 'jairouter.config.json', line: 1, path: 'server.prot' }],
      },
      instances: [],
    });
  });
});
