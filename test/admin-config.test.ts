import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectDescribed, openApi } from './support/admin.ts';
import { fakeBackend } from './support/fake-backend.ts';
import { startGateway, startOnFile, type TestGateway } from './support/gateway.ts';
import { tempDir } from './support/temp-dir.ts';

interface OnFile extends TestGateway {
  readonly file: string;
  /** Asks, holds the answer to the API's description, and gives it with its status. */
  ask(route: string, path?: string, body?: unknown): Promise<{ status: number; body: Answer }>;
}

/** What the tests read of an answer. */
interface Answer {
  readonly text: string;
  readonly version: number;
  readonly diff: readonly string[];
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly problems?: readonly { file: string; line: number; column: number; path: string }[];
  };
}

const SECRETS = 'sk-in-the-file|c-in-the-file|h-in-the-file|k-in-the-file|t-in-the-file';

async function onFile(name = 'jairouter.config.yaml', text?: string): Promise<OnFile> {
  const backend = await fakeBackend();
  const folder = await tempDir();
  const file = join(folder, name);
  await writeFile(
    file,
    text ??
      `# Mine.
server:
  apiKeys: [{ name: me, key: k-in-the-file }]
  adminToken: t-in-the-file
instances:
  gpu: # the big one
    adapter: openai
    baseUrl: ${backend.url}
    apiKey: sk-in-the-file
    headers: { x-team: h-in-the-file }
    weight: 2 # for now
telemetry:
  traces: { endpoint: "http://127.0.0.1:9", sampleRatio: 0, headers: { x-team: c-in-the-file } }
`,
  );
  const gateway = await startOnFile(file, { state: join(folder, 'state') });
  return {
    ...gateway,
    file,
    async ask(route, path, body) {
      const [method, template] = route.split(' ');
      const answer = await gateway.admin(`${method} ${path ?? template}`, body);
      const told: unknown = await answer.json();
      expectDescribed(await openApi(gateway), route, answer.status, told);
      expect(JSON.stringify(told)).not.toMatch(new RegExp(SECRETS));
      return { status: answer.status, body: told as Answer };
    },
  };
}

const weightOf = ({ gateway }: TestGateway) =>
  [...gateway.fleet.instances()].map(({ name, weight }) => `${name} ${weight}`).join(', ');

describe('the config over the API', () => {
  it('is shown with its comments, and without its secrets', async () => {
    const server = await onFile();
    const { body } = await server.ask('GET /admin/config');
    expect(body).toMatchObject({ file: server.file, editable: true, version: 1 });
    expect(body.text).toContain('# Mine.\n');
    expect(body.text).toContain('    apiKey: "***"\n');
    expect(body).toMatchObject({
      effective: {
        server: { adminToken: '***', apiKeys: [{ name: 'me', key: '***' }] },
        telemetry: { traces: { headers: { 'x-team': '***' } } },
        instances: { gpu: { apiKey: '***', headers: { 'x-team': '***' }, weight: 2, priority: 0 } },
      },
    });
  });

  it('is replaced by what was shown of it, with the secrets that are there', async () => {
    const server = await onFile();
    const before = await readFile(server.file, 'utf8');
    const { body: shown } = await server.ask('GET /admin/config');
    const text = shown.text.replace('weight: 2', 'weight: 5');
    const { status, body } = await server.ask('PUT /admin/config', undefined, {
      text,
      version: shown.version,
    });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { version: 2, diff: ['instances.gpu.weight: 2 -> 5'], restartNeeded: [] },
    });
    // It is applied when the answer comes.
    expect(weightOf(server)).toBe('gpu 5');
    expect(await readFile(server.file, 'utf8')).toBe(before.replace('weight: 2', 'weight: 5'));
  });

  it('is not replaced by what is invalid, and the places are told', async () => {
    const server = await onFile();
    const before = await readFile(server.file, 'utf8');
    const { body: shown } = await server.ask('GET /admin/config');
    const text = shown.text
      .replace('weight: 2', 'wait: 2')
      .replace('adapter: openai', 'adapter: x');
    const { status, body } = await server.ask('PUT /admin/config', undefined, { text });
    expect({ status, code: body.error.code }).toEqual({ status: 422, code: 'invalid_config' });
    expect(body.error.problems).toMatchObject([
      { line: 7, column: 14, path: 'instances.gpu.adapter' },
      { line: 11, column: 5, path: 'instances.gpu.wait' },
    ]);
    expect(body.error.message).toMatch(/jairouter\.config\.yaml:7:14: .*\n.*:11:5: /);
    expect(await readFile(server.file, 'utf8')).toBe(before);
    expect(weightOf(server)).toBe('gpu 2');
  });

  it('is not replaced when it is another one by now', async () => {
    const server = await onFile();
    const put = (body: object) => server.ask('PUT /admin/config', undefined, body);
    expect((await put({ text: '{}', version: 7 })).body.error.code).toBe('config_conflict');
    await writeFile(server.file, '# by hand\n{}\n');
    const { status, body } = await put({ text: 'instances: {}\n' });
    expect({ status, code: body.error.code }).toEqual({ status: 409, code: 'config_conflict' });
    expect(await readFile(server.file, 'utf8')).toBe('# by hand\n{}\n');
  });

  it('can be tried out', async () => {
    const server = await onFile();
    const before = await readFile(server.file, 'utf8');
    const { body: shown } = await server.ask('GET /admin/config');
    const validate = (text: string) =>
      server.ask('POST /admin/config/validate', undefined, { text });
    const good = await validate(shown.text.replace('weight: 2', 'weight: 3'));
    expect(good.body).toMatchObject({
      valid: true,
      problems: [],
      diff: ['instances.gpu.weight: 2 -> 3'],
    });
    const bad = await validate('instances: [\n');
    expect(bad).toMatchObject({ status: 200, body: { valid: false, diff: [] } });
    expect(await readFile(server.file, 'utf8')).toBe(before);
  });

  it('is read again by order', async () => {
    const server = await onFile();
    const reload = () => server.ask('POST /admin/reload');
    expect((await reload()).body).toMatchObject({ version: 1, diff: [] });
    const before = await readFile(server.file, 'utf8');
    await writeFile(server.file, before.replace('weight: 2', 'weight: 4'));
    await reload();
    expect(weightOf(server)).toBe('gpu 4');
    await writeFile(server.file, 'instances: 7\n');
    const { status, body } = await reload();
    expect({ status, code: body.error.code }).toEqual({ status: 422, code: 'invalid_config' });
    expect(body.error.problems).toMatchObject([{ line: 1, path: 'instances' }]);
  });

  it('goes back to an earlier version as a new one', async () => {
    const server = await onFile();
    const first = await readFile(server.file, 'utf8');
    const { body: shown } = await server.ask('GET /admin/config');
    await server.ask('PUT /admin/config', undefined, {
      text: shown.text.replace('weight: 2', 'weight: 5'),
    });
    const { body } = await server.ask(
      'POST /admin/config/rollback/{n}',
      '/admin/config/rollback/1',
    );
    expect(body).toMatchObject({ version: 3, diff: ['instances.gpu.weight: 5 -> 2'] });
    expect(await readFile(server.file, 'utf8')).toBe(first);
    const { body: history } = await server.ask('GET /admin/config/history');
    expect(history).toMatchObject([
      { version: 3, source: 'rollback', current: true },
      { version: 2, source: 'api', current: false },
      { version: 1, source: 'start', current: false },
    ]);
    const { body: second } = await server.ask(
      'GET /admin/config/history/{n}',
      '/admin/config/history/2',
    );
    expect(second.text).toBe(shown.text.replace('weight: 2', 'weight: 5'));
    for (const [route, path, status] of [
      ['GET /admin/config/history/{n}', '/admin/config/history/9', 404],
      ['POST /admin/config/rollback/{n}', '/admin/config/rollback/9', 404],
      ['POST /admin/config/rollback/{n}', '/admin/config/rollback/first', 400],
    ] as const) {
      expect((await server.ask(route, path)).status).toBe(status);
    }
  });
});

describe('a config that nobody but its author can change', () => {
  it('is shown without its secrets, also without those of another time', async () => {
    const server = await onFile(
      'jairouter.config.mjs',
      `const url = 'http://127.0.0.1:9';
export default {
  server: { apiKeys: [{ name: 'me', key: 'k-in-the-file' }] },
  instances: { gpu: { adapter: 'openai', baseUrl: url, apiKey: "sk-in-the-file" } },
};
`,
    );
    const { body } = await server.ask('GET /admin/config');
    expect(body).toMatchObject({ editable: false });
    expect(body.text).toContain("key: '***'");
    expect(body.text).toContain('baseUrl: url, apiKey: "***"');
    const before = await readFile(server.file, 'utf8');
    await writeFile(server.file, before.replace('sk-in-the-file', '${GPU_KEY}'));
    await server.ask('POST /admin/reload');
    const { body: first } = await server.ask(
      'GET /admin/config/history/{n}',
      '/admin/config/history/1',
    );
    expect(first.text).toBe(body.text);
    const put = await server.ask('PUT /admin/config', undefined, { text: 'export default {}' });
    expect(put).toMatchObject({ status: 409, body: { error: { code: 'config_not_editable' } } });
    expect(put.body.error.message).toContain('edit it by hand');
  });

  it('does not exist where the server found its backends by itself', async () => {
    const gateway = await startGateway({});
    const api = await openApi(gateway);
    const ask = async (route: string, path?: string, body?: unknown) => {
      const answer = await gateway.admin(path ?? route, body);
      const told = (await answer.json()) as Answer;
      expectDescribed(api, route, answer.status, told);
      return { status: answer.status, told };
    };
    const { told: shown } = await ask('GET /admin/config');
    expect(shown).toMatchObject({ editable: false, effective: { instances: {} } });
    expect(shown).not.toHaveProperty('text');
    expect((await ask('GET /admin/config/history')).told).toEqual([]);
    const { status, told } = await ask('PUT /admin/config', undefined, { text: '{}' });
    expect({ status, code: told.error.code }).toEqual({ status: 409, code: 'config_not_editable' });
    expect(told.error.message).toContain('`jairouter init` writes one');
    const rollback = 'POST /admin/config/rollback/{n}';
    expect((await ask(rollback, 'POST /admin/config/rollback/1')).status).toBe(404);
  });
});
