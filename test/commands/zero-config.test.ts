import { describe, expect, onTestFinished, test } from 'vitest';
import { findWithoutConfig, type FoundConfig, type Where } from '../../src/commands/zero-config.ts';
import { fakeServer, deadPort, KINDS, type Routes } from '../instances/fingerprints.ts';

async function found(where: Partial<Where>): Promise<FoundConfig> {
  const result = await findWithoutConfig({ env: {}, ports: {}, ...where });
  onTestFinished(() => result.close());
  return result;
}

/** Answers only to a key. */
const LOCKED: Routes = {
  ...KINDS.vllm,
  '/v1/models': { status: 401, body: { error: 'Unauthorized' } },
};

describe('without a config', () => {
  test('what runs here is served, under its name', async () => {
    const ollama = await fakeServer(KINDS.ollama);
    const { config, news } = await found({ ports: { ollama: [ollama] } });
    expect(news).toEqual([`found ollama at http://127.0.0.1:${ollama}`]);
    expect(config.instances).toMatchObject({
      ollama: { adapter: 'ollama', baseUrl: `http://127.0.0.1:${ollama}` },
    });
  });

  test('a key is taken from the environment, for a cloud and for a backend here', async () => {
    const vllm = await fakeServer(LOCKED, { 'Bearer local': KINDS.vllm });
    const { config, news } = await found({
      ports: { vllm: [vllm] },
      env: { OPENAI_API_KEY: 'sk-cloud\n', VLLM_API_KEY: ' local ' },
    });
    expect(news).toEqual([
      `found vllm at http://127.0.0.1:${vllm} (key from VLLM_API_KEY)`,
      'found openai at https://api.openai.com (key from OPENAI_API_KEY)',
    ]);
    expect(config.instances).toMatchObject({
      vllm: { apiKey: 'local' },
      openai: { apiKey: 'sk-cloud' },
    });
  });

  test('the mock stands in for what can’t be served, and it is said why', async () => {
    const vllm = await fakeServer(LOCKED);
    const ports = { vllm: [vllm] };
    const [locked, , mock] = (await found({ ports })).news;
    expect(locked).toBe(
      `found vllm at http://127.0.0.1:${vllm}, not served: it wants a key: set VLLM_API_KEY`,
    );
    expect(mock).toContain('mock models');
    const { config, news } = await found({ ports, env: { VLLM_API_KEY: 'wrong' } });
    expect(news[0]).toContain('not served: it refuses the key in VLLM_API_KEY');
    expect(Object.keys(config.instances)).toEqual(['mock']);
  });

  test('what is started later is found, once, and the mock goes', async () => {
    const [port, other] = [await deadPort(), await deadPort()];
    const first = await found({ ports: { ollama: [port], vllm: [other] } });
    expect(Object.keys(first.config.instances)).toEqual(['mock']);
    expect(await first.lookAgain()).toBeUndefined();

    await fakeServer(LOCKED, {}, other);
    const second = (await first.lookAgain())!;
    expect(second.news).toEqual([
      `found vllm at http://127.0.0.1:${other}, not served: it wants a key: set VLLM_API_KEY`,
    ]);
    expect(Object.keys(second.config.instances)).toEqual(['mock']);
    expect(await second.lookAgain()).toBeUndefined();

    await fakeServer(KINDS.ollama, {}, port);
    const third = (await second.lookAgain())!;
    expect(third.news).toEqual([
      `found ollama at http://127.0.0.1:${port}`,
      'the mock models are gone',
    ]);
    expect(Object.keys(third.config.instances)).toEqual(['ollama']);
    expect(await third.lookAgain()).toBeUndefined();
  });

  test('two of a kind have two names, also when the second comes later', async () => {
    const [one, two] = [await fakeServer(KINDS.ollama), await deadPort()];
    const first = await found({ ports: { ollama: [one, two] } });
    await fakeServer(KINDS.ollama, {}, two);
    const second = await first.lookAgain();
    expect(Object.keys(second!.config.instances)).toEqual(['ollama', `ollama-${two}`]);
  });
});
