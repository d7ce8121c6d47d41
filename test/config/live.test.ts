import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADAPTERS } from '../../src/adapters/index.ts';
import { LiveConfig } from '../../src/config/live.ts';
import type { ServedConfig } from '../../src/config/reloaded.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { tempDir } from '../support/temp-dir.ts';

const START = `# Ours, by hand.
server:   # the server
  port: 4747   # ours

instances:
  # about one
  one:   # one itself
    adapter: openai   # kind of one
    baseUrl: "http://127.0.0.1:1"   # address of one
    apiKey: sk-one   # key of one
    models: [x, y]   # models of one
  two: { adapter: vllm, baseUrl: 'http://127.0.0.1:2' }   # two itself

models:
  # about coder
  coder:
    targets: [one/x, two/y]
# The end.
`;

interface Live {
  readonly live: LiveConfig;
  readonly file: string;
  readonly state: string;
  readonly said: string[];
  /** What serves. */
  readonly running: () => Config;
  /** What the file says; `undefined` when it is invalid. */
  readonly onDisk: () => Promise<Config | undefined>;
  readonly text: () => Promise<string>;
}

async function open(text = START, name = 'jairouter.config.yaml'): Promise<Live> {
  const folder = await tempDir();
  const file = join(folder, name);
  await writeFile(file, text);
  const load = (how: { readonly text?: string | undefined } = {}) =>
    loadConfig({ ...how, file, cwd: folder, env: {}, adapters: ADAPTERS });
  const first = (await load())!;
  let served: ServedConfig = first;
  const said: string[] = [];
  const state = join(folder, 'state');
  const live = new LiveConfig({
    first,
    load,
    apply: (config) => {
      served = config;
    },
    say: ({ message, lines = [] }) => void said.push([message, ...lines].join('\n')),
    state,
    cwd: folder,
  });
  await live.start();
  onTestFinished(() => live.close());
  return {
    live,
    file,
    state,
    said,
    running: () => served.config,
    onDisk: () =>
      load().then(
        (loaded) => loaded!.config,
        () => undefined,
      ),
    text: () => readFile(file, 'utf8'),
  };
}

describe('an order over the API', () => {
  it('is written into the file, comes back from there, and tells what changed', async () => {
    const { live, running, text } = await open();
    expect(await live.edits.patchInstance('one', { weight: 5, models: null })).toEqual({
      kind: 'applied',
      version: 2,
      diff: ['instances.one.weight: 1 -> 5', '- instances.one.models: [x, y]'],
      warnings: [],
      restartNeeded: [],
    });
    expect(running().instances['one']?.weight).toBe(5);
    expect(await text()).toBe(
      START.replace('    models: [x, y]   # models of one\n', '    weight: 5\n'),
    );
    await live.edits.addInstance('box', { adapter: 'ollama', baseUrl: 'http://127.0.0.1:3' });
    await live.edits.edit([{ path: ['models'], value: undefined }]);
    await live.edits.removeInstance('two');
    expect(Object.keys(running().instances)).toEqual(['one', 'box']);
  });

  it('that would make the file invalid changes nothing', async () => {
    const { live, text, running } = await open();
    const before = running();
    expect(await live.edits.patchInstance('one', { weight: 0 })).toMatchObject({
      kind: 'invalid',
      problems: [{ path: 'instances.one.weight', line: 12 }],
    });
    expect(await live.edits.removeInstance('one')).toMatchObject({
      kind: 'invalid',
      problems: [{ message: 'unknown instance `one`; known: two' }],
    });
    expect(await text()).toBe(START);
    expect(running()).toBe(before);
    expect(live.status()).toMatchObject({ version: 1, restartNeeded: [] });
    expect(live.status().error).toBeUndefined();
  });

  it('is refused where it can’t be meant', async () => {
    const { live } = await open();
    await expect(live.edits.addInstance('one', {})).rejects.toMatchObject({ reason: 'conflict' });
    await expect(live.edits.patchInstance('on', {})).rejects.toMatchObject({ reason: 'missing' });
    await expect(live.edits.removeInstance('on')).rejects.toMatchObject({ reason: 'missing' });
    await expect(live.edits.rollback(7)).rejects.toMatchObject({ reason: 'missing' });
    await expect(live.edits.edit([], 7)).rejects.toMatchObject({ reason: 'conflict' });
  });

  it('is refused when the file was changed meanwhile, and leaves that change alone', async () => {
    const { live, file, text } = await open();
    const changed = `${START}# mine\n`;
    const saved = writeFile(file, changed);
    await saved;
    await expect(live.edits.patchInstance('one', { weight: 5 })).rejects.toMatchObject({
      reason: 'conflict',
      message: expect.stringContaining('just changed on disk') as string,
    });
    expect(await text()).toBe(changed);
    await live.reload('edit');
    expect(await live.edits.patchInstance('one', { weight: 5 })).toMatchObject({ kind: 'applied' });
    expect(await text()).toContain('# mine\n');
  });

  it('is refused where the config is code, but a rollback of the whole is not', async () => {
    const code = (weight: number): string =>
      `export default { instances: { a: { adapter: 'openai', weight: ${weight} } } };\n`;
    const { live, file, text } = await open(code(1), 'jairouter.config.ts');
    await expect(live.edits.patchInstance('a', { weight: 2 })).rejects.toMatchObject({
      reason: 'uneditable',
    });
    await expect(live.edits.replace(code(2))).rejects.toMatchObject({ reason: 'uneditable' });
    await writeFile(file, code(3));
    await live.reload('edit');
    expect(await live.edits.rollback(1)).toMatchObject({ kind: 'applied', version: 3 });
    expect(await text()).toBe(code(1));
  });

  it('changes our part of a package.json, and rolls back no more than that', async () => {
    const text = (port: number, more: string): string =>
      `{\n  "name": "x",${more}\n  "jairouter": { "server": { "port": ${port} } }\n}\n`;
    const { live, file, text: now } = await open(text(1, ''), 'package.json');
    await live.edits.edit([{ path: ['server', 'port'], value: 2 }]);
    expect(await now()).toBe(text(2, ''));
    await writeFile(file, text(2, ' "private": true,'));
    await live.reload('edit');
    expect(live.status().version).toBe(2);
    await live.edits.rollback(1);
    expect(await now()).toBe(text(1, ' "private": true,'));
    expect(JSON.parse(await live.edits.read())).toEqual({ server: { port: 1 } });
    await live.edits.replace('{ "server": { "port": 3 } }');
    expect(await now()).toContain('"private": true');
    expect(await now()).toContain('"port": 3');
  });

  it('has secrets as stars, which stay what they are when they come back', async () => {
    const { live, text } = await open();
    const shown = await live.edits.read();
    expect(shown).not.toContain('sk-one');
    expect(await live.edits.validate(shown.replace('[x, y]', '[x, z]'))).toEqual({
      problems: [],
      warnings: [],
      diff: ['instances.one.models: + z, - y'],
    });
    await live.edits.replace(shown.replace('[x, y]', '[x, z]'));
    expect(await text()).toBe(START.replace('[x, y]', '[x, z]'));
    await expect(live.edits.replace(shown.replaceAll('one', 'uno'))).rejects.toMatchObject({
      reason: 'conflict',
      message: expect.stringContaining('`instances.uno.apiKey` is masked') as string,
    });
  });

  it('of a whole config tells where it is wrong, and changes nothing', async () => {
    const { live, text } = await open();
    const wrong = { kind: 'invalid', problems: [{ line: 1, path: 'sever' }] };
    expect(await live.edits.replace('sever: {}\n')).toMatchObject(wrong);
    expect(await live.edits.validate('sever: {}\n')).toMatchObject({ problems: wrong.problems });
    expect(await text()).toBe(START);
  });

  it('may restore a config over an invalid file, which is kept as well', async () => {
    const { live, file, text, running } = await open();
    const broken = START.replace('port: 4747', 'prot: 4747');
    await writeFile(file, broken);
    expect((await live.reload('edit')).kind).toBe('invalid');
    await expect(live.edits.patchInstance('one', { weight: 2 })).resolves.toMatchObject({
      kind: 'invalid',
      problems: [{ path: 'server.prot' }],
    });
    expect(await live.edits.rollback(1)).toMatchObject({ kind: 'applied', version: 3 });
    expect(live.status().error).toBeUndefined();
    expect(await text()).toBe(START);
    expect(running().server.port).toBe(4747);
    expect(await live.history!.list()).toMatchObject([
      { version: 3, source: 'rollback' },
      { version: 2, invalid: true },
      { version: 1, source: 'start' },
    ]);
    expect((await live.history!.read(2))?.text).toBe(broken);
    expect(await live.edits.rollback(2)).toMatchObject({ kind: 'invalid' });
  });
});

describe('the history of a running server', () => {
  it('tells each version, and how it came about', async () => {
    const { live, file } = await open();
    await live.edits.patchInstance('two', { weight: 2 });
    await writeFile(file, START.replace('4747', '4748'));
    await live.reload('signal');
    await live.reload('signal');
    await live.edits.rollback(2);
    expect(await live.history!.list()).toMatchObject([
      {
        version: 4,
        source: 'rollback',
        diff: ['server.port: 4748 -> 4747', 'instances.two.weight: 1 -> 2'],
      },
      {
        version: 3,
        source: 'signal',
        diff: ['server.port: 4747 -> 4748', 'instances.two.weight: 2 -> 1'],
      },
      { version: 2, source: 'api', diff: ['instances.two.weight: 1 -> 2'] },
      { version: 1, source: 'start', diff: [] },
    ]);
    expect((await live.history!.read(1))?.text).toBe(START);
    expect(live.status()).toMatchObject({ version: 4, file });
  });

  it('that can’t be kept keeps nobody from serving', async () => {
    const folder = await tempDir();
    await writeFile(join(folder, 'state'), 'in its way');
    const file = join(folder, 'jairouter.config.yaml');
    await writeFile(file, START);
    const load = () => loadConfig({ file, cwd: folder, env: {}, adapters: ADAPTERS });
    const said: string[] = [];
    const live = new LiveConfig({
      first: (await load())!,
      load,
      apply: () => {},
      say: ({ message }) => void said.push(message),
      state: join(folder, 'state'),
      cwd: folder,
    });
    await live.start();
    onTestFinished(() => live.close());
    expect(said).toEqual([expect.stringContaining("history can't be kept")]);
    await live.edits.patchInstance('one', { weight: 2 });
    expect(await live.edits.rollback(1)).toMatchObject({ kind: 'applied', version: 3 });
  });
});

describe('any sequence of edits, over the API and by hand', () => {
  const name = fc.constantFrom('one', 'two', 'three', 'four');
  const option = fc.oneof(
    fc.record({ weight: fc.constantFrom(1, 2, 0.5, 0, null) }),
    fc.record({ maxConcurrency: fc.constantFrom(1, 5, null) }),
    fc.record({ models: fc.constantFrom(['x'], ['x', 'z'], ['y', 'x'], [], null) }),
    fc.record({ timeouts: fc.constantFrom({ idle: '5s' }, { idle: '6s', connect: '1s' }, null) }),
    fc.record({ nonsense: fc.constant(1) }),
  );
  type Step = (live: Live) => Promise<unknown>;
  const byHand =
    (change: (text: string) => string): Step =>
    async ({ file, live, text }) => {
      await writeFile(`${file}.new`, change(await text()));
      await rename(`${file}.new`, file);
      await live.reload('edit');
    };
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.tuple(name, option).map(
      ([instance, options]): Step =>
        ({ live }) =>
          live.edits.patchInstance(instance, options),
    ),
    fc.tuple(name, fc.integer({ min: 1, max: 9 })).map(
      ([instance, port]): Step =>
        ({ live }) =>
          live.edits.addInstance(instance, {
            adapter: 'vllm',
            baseUrl: `http://127.0.0.1:${port}`,
          }),
    ),
    name.map(
      (instance): Step =>
        ({ live }) =>
          live.edits.removeInstance(instance),
    ),
    fc.tuple(name, fc.constantFrom('coder', 'other')).map(
      ([instance, alias]): Step =>
        ({ live }) =>
          live.edits.edit([{ path: ['models', alias, 'targets'], value: [`${instance}/x`] }]),
    ),
    fc.integer({ min: 1, max: 6 }).map(
      (version): Step =>
        ({ live }) =>
          live.edits.rollback(version),
    ),
    fc
      .integer({ min: 1, max: 9 })
      .map((port) => byHand((text) => text.replace(/port: \d+/, `port: ${port}`))),
    fc.constant(byHand((text) => text.replace('[x, y]', '[ x,  y ]'))),
    fc.constant(byHand((text) => `${text}# by hand\n`)),
    // What is shown, sent back with a line more; secrets are masked in it.
    fc.constant<Step>(async ({ live, text }) => {
      const before = await text();
      const shown = await live.edits.read();
      if (shown.includes('sk-one')) throw new Error('it showed a secret');
      const result = await live.edits.replace(`${shown}# by hand\n`);
      const wanted = result.kind === 'applied' ? `${before}# by hand\n` : before;
      if ((await text()) !== wanted) throw new Error('it wrote something else');
      return result;
    }),
    // A mistake, and its mending.
    fc.constant(byHand((text) => text.replace('adapter:', 'adaptr:'))),
    fc.constant(byHand((text) => text.replaceAll('adaptr:', 'adapter:'))),
    // Saved, and not read yet.
    fc.constant<Step>(async ({ file, live, text }) => {
      await writeFile(file, `${await text()}# unread\n`);
      // Refused, unless the watch was quicker.
      await live.edits.patchInstance('one', { weight: 7 }).catch(() => {});
      await live.reload('edit');
      if (!(await text()).includes('# unread')) throw new Error('it wrote over what it never read');
    }),
  );

  it(
    'leaves the file and what serves the same, and the comments where they are',
    { timeout: 60_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
          const all = await open();
          const { live, running, onDisk, text } = all;
          for (const take of steps) {
            const [before, served] = [await text(), running()];
            const versions = (await live.history!.list()).length;
            // Half of them are refused, as it should be.
            const result = await take(all).catch((error: unknown) => {
              expect(error).toMatchObject({ name: 'EditError' });
              return 'refused';
            });
            const valid = await onDisk();
            if (valid) {
              expect(running()).toEqual({
                ...valid,
                server: { ...valid.server, port: 4747 },
              });
              expect(live.status().error).toBeUndefined();
              expect(live.status().restartNeeded).toEqual(
                valid.server.port === 4747 ? [] : ['server.port'],
              );
            } else {
              expect(running()).toEqual(served);
              expect(live.status().error).toBeDefined();
            }
            const changed = (await text()) !== before;
            if (result === 'refused') expect(changed).toBe(false);
            const history = await live.history!.list();
            if (changed && valid) {
              expect((await live.history!.read(live.status().version))?.text).toBe(await text());
            } else expect(history).toHaveLength(versions);
            expectComments(await text());
          }
          await live.close();
        }),
        { numRuns: 25 },
      );
    },
  );

  /** Those of the author's, in their order; one that is about a thing goes with it. */
  function expectComments(text: string): void {
    const wanted = (START.match(/#.*/g) ?? []).filter((comment) => {
      const within = /of one|one itself/.test(comment);
      if (within) return text.includes(comment);
      return comment !== '# two itself' || text.includes(comment);
    });
    const found = (text.match(/#.*/g) ?? []).filter(
      (comment) => !/by hand$|unread/.test(comment) || comment === '# Ours, by hand.',
    );
    expect(found).toEqual(wanted);
    if (/^ {2}one:/m.test(text)) expect(text).toContain('# one itself');
    if (text.includes('"http://127.0.0.1:1"')) expect(text).toContain('# address of one');
    if (/^ {2}two: \{/m.test(text)) expect(text).toContain('# two itself');
  }
});
