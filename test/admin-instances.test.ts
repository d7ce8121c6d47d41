import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { InstanceDetail } from '../src/observe/status.ts';
import { expectDescribed, openApi } from './support/admin.ts';
import { fakeBackend, type FakeBackend } from './support/fake-backend.ts';
import { startGateway, startOnFile, until, type TestGateway } from './support/gateway.ts';
import { tempDir } from './support/temp-dir.ts';

const ONE = '/admin/instances/{name}';

interface Answer extends InstanceDetail {
  readonly error: { readonly code: string; readonly message: string; readonly problems?: unknown };
  readonly diff: readonly string[];
}

interface OnFile extends TestGateway {
  readonly backend: FakeBackend;
  /** What the file holds now. */
  text(): Promise<string>;
  write(text: string): Promise<void>;
  /** Asks, holds the answer to the API's description, and gives it with its status. */
  ask(route: string, path: string, body?: unknown): Promise<{ status: number; body: Answer }>;
}

async function onFile(): Promise<OnFile> {
  const backend = await fakeBackend();
  const folder = await tempDir();
  const file = join(folder, 'jairouter.config.yaml');
  const text = `instances:
  a: { adapter: openai, baseUrl: ${backend.url} } # small
  b: # large
    adapter: openai
    baseUrl: ${backend.url}
    weight: 2 # for now
models:
  coder: { targets: [b/m] }
`;
  await writeFile(file, text);
  const gateway = await startOnFile(file, { state: join(folder, 'state') });
  return {
    ...gateway,
    backend,
    text: () => readFile(file, 'utf8'),
    write: (changed) => writeFile(file, changed),
    async ask(route, path, body) {
      const [method] = route.split(' ');
      const answer = await gateway.admin(`${method} ${path}`, body);
      const told: unknown = await answer.json();
      expectDescribed(await openApi(gateway), route, answer.status, told);
      return { status: answer.status, body: told as Answer };
    },
  };
}

const patch = (server: OnFile, name: string, body: unknown) =>
  server.ask(`PATCH ${ONE}`, `/admin/instances/${name}`, body);

async function servedBy(server: TestGateway, model = 'm'): Promise<string> {
  const answer = await server.post('/v1/chat/completions', { model });
  return answer.headers.get('x-jairouter-instance') ?? String(answer.status);
}

describe('an order of the moment', () => {
  it('drains an instance, and is not written anywhere', async () => {
    const server = await onFile();
    const before = await server.text();
    expect((await patch(server, 'b', { draining: true })).body.state).toBe('draining');
    expect([await servedBy(server), await servedBy(server), await servedBy(server, 'b/m')]).toEqual(
      ['a', 'a', '503'],
    );
    expect((await patch(server, 'b', { draining: false })).body.state).toBe('healthy');
    expect(await servedBy(server, 'b/m')).toBe('b');
    expect(await server.text()).toBe(before);
  });

  it('disables and enables, over what the config says', async () => {
    const server = await onFile();
    expect((await patch(server, 'a', { enabled: false })).body.state).toBe('disabled');
    expect(await servedBy(server, 'a/m')).toBe('503');
    expect((await patch(server, 'a', { enabled: true })).body.state).not.toBe('disabled');
    await until(() => server.gateway.fleet.get('a')!.state === 'healthy');
    expect(await servedBy(server, 'a/m')).toBe('a');
  });

  it('works where there is no config file', async () => {
    const { url } = await fakeBackend();
    const gateway = await startGateway({ instances: { a: { adapter: 'openai', baseUrl: url } } });
    const answer = await gateway.admin('PATCH /admin/instances/a', { draining: true });
    expect(await answer.json()).toMatchObject({ name: 'a', state: 'draining' });
    const written = await gateway.admin('PATCH /admin/instances/a', { weight: 2 });
    expect(written.status).toBe(409);
    expect(await written.json()).toMatchObject({ error: { code: 'config_not_editable' } });
  });
});

describe('a change of the config', () => {
  it('is written with all that stands around it, and holds when the answer comes', async () => {
    const server = await onFile();
    const before = await server.text();
    const { status, body } = await patch(server, 'b', { weight: 5, draining: true });
    expect({ status, weight: body.weight, state: body.state }).toEqual({
      status: 200,
      weight: 5,
      state: 'draining',
    });
    expect(await server.text()).toBe(before.replace('weight: 2 # for now', 'weight: 5 # for now'));
    expect((await patch(server, 'b', { maxConcurrency: 3 })).body.maxConcurrency).toBe(3);
    expect(await server.text()).toContain('    maxConcurrency: 3\n');
    const gone = await patch(server, 'b', { maxConcurrency: null });
    expect(gone.body).not.toHaveProperty('maxConcurrency');
    expect(await server.text()).not.toContain('maxConcurrency');
  });

  it('adds an instance and takes it out again', async () => {
    const server = await onFile();
    const before = await server.text();
    const options = { adapter: 'openai', baseUrl: server.backend.url, models: ['new-*'] };
    const { status, body } = await server.ask('POST /admin/instances', '/admin/instances', {
      name: 'c',
      ...options,
    });
    expect({ status, name: body.name, wildcards: body.wildcards }).toEqual({
      status: 200,
      name: 'c',
      wildcards: ['new-*'],
    });
    expect(await servedBy(server, 'new-model')).toBe('c');
    const again = await server.ask('POST /admin/instances', '/admin/instances', {
      name: 'c',
      ...options,
    });
    expect(again).toMatchObject({ status: 409, body: { error: { code: 'config_conflict' } } });
    const removed = await server.ask(`DELETE ${ONE}`, '/admin/instances/c');
    expect(removed).toMatchObject({ status: 200, body: { diff: ['- instances.c'] } });
    expect(await servedBy(server, 'new-model')).toBe('404');
    expect(await server.text()).toBe(before);
  });

  it('that would not be valid is refused with its places, and nothing is written', async () => {
    const server = await onFile();
    const before = await server.text();
    const refused = async (answer: Promise<{ status: number; body: Answer }>) => {
      const { status, body } = await answer;
      return `${status} ${body.error.code} ${body.error.message}`;
    };
    const add = (body: unknown) => server.ask('POST /admin/instances', '/admin/instances', body);
    expect(await refused(add({ name: 'c', adapter: 'olama' }))).toMatch(
      /^422 invalid_config .*jairouter\.config\.yaml:\d+:\d+: unknown adapter `olama`; did you mean `ollama`\?/,
    );
    expect(await refused(add({ name: 'a/b', adapter: 'openai' }))).toMatch(/^422 .*plain letters/);
    expect(await refused(add({ adapter: 'openai' }))).toMatch(/^400 .*`name` is missing/);
    // An alias still leads there.
    expect(await refused(server.ask(`DELETE ${ONE}`, '/admin/instances/b'))).toMatch(
      /^422 invalid_config The config was not changed, as it would not be valid: .*\.yaml:\d+:\d+: unknown instance `b`/,
    );
    expect(await refused(patch(server, 'a', { weight: 0 }))).toMatch(
      /^400 .*`weight` must be above 0/,
    );
    expect(await refused(patch(server, 'a', { wieght: 1 }))).toMatch(
      /^400 .*`wieght`.* \(known: enabled, /,
    );
    expect(await refused(patch(server, 'a', {}))).toMatch(/^400 .*the body must say what/);
    expect(await refused(patch(server, 'x', { draining: true }))).toMatch(
      /^404 instance_not_found There is no instance "x": there are a, b\./,
    );
    expect(await refused(server.ask(`DELETE ${ONE}`, '/admin/instances/x'))).toMatch(/^404/);
    expect(await server.text()).toBe(before);
  });

  it('is refused while the file is not the one that was read', async () => {
    const server = await onFile();
    await server.write('instances: {\n');
    const { status, body } = await patch(server, 'a', { weight: 2 });
    expect({ status, code: body.error.code }).toEqual({ status: 409, code: 'config_conflict' });
    expect(await server.text()).toBe('instances: {\n');
  });
});
