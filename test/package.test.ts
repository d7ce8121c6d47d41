import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { tempDir } from './support/temp-dir.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const windows = process.platform === 'win32';

describe('the package', () => {
  let files: readonly string[];

  beforeAll(async () => {
    // `prepare` builds, and the build stands already: without scripts npm only lists.
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      shell: windows,
    });
    const [packed] = JSON.parse(stdout) as { files: readonly { path: string }[] }[];
    files = packed?.files.map(({ path }) => path) ?? [];
  });

  it('holds the command, its code and types, the schema, the templates and the papers', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'bin/jairouter.js',
        'dist/cli.js',
        'dist/index.js',
        'dist/index.d.ts',
        'schema.json',
        'README.md',
        'CHANGELOG.md',
        'LICENSE',
        'package.json',
        'docs/configuration.md',
      ]),
    );
    expect(files.filter((file) => file.startsWith('templates/'))).not.toEqual([]);
  });

  it('holds nothing that only its developers use', () => {
    const known =
      /^(bin|dist|docs|templates)\/|^(schema\.json|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/;
    expect(files.filter((file) => !known.test(file))).toEqual([]);
    expect(files.filter((file) => /\.test\.|\.tsbuildinfo$|\.env/.test(file))).toEqual([]);
  });

  it('pins every dependency, so that a checkout and an install run the same code', async () => {
    const { dependencies } = await manifest();
    expect(Object.values(dependencies).filter((range) => !/^\d+\.\d+\.\d+$/.test(range))).toEqual(
      [],
    );
  });

  it.skipIf(windows)('has a command that can be executed', async () => {
    expect((await stat(join(root, 'bin/jairouter.js'))).mode & 0o111).toBe(0o111);
  });
});

describe('OpenTelemetry', () => {
  it('is no part of it, and nobody has to install it', async () => {
    const { dependencies, peerDependencies, peerDependenciesMeta } = await manifest();
    const ours = (packages: object) =>
      Object.keys(packages).filter((name) => name.startsWith('@opentelemetry/'));
    expect(ours(dependencies)).toEqual([]);
    expect(ours(peerDependencies)).toHaveLength(4);
    for (const name of ours(peerDependencies))
      expect(peerDependenciesMeta[name]).toEqual({ optional: true });
    // The page that tells what to install.
    const page = await readFile(join(root, 'docs/observing.md'), 'utf8');
    const [, told = ''] = /npm install (@opentelemetry.*)/.exec(page) ?? [];
    expect(told.split(' ').toSorted()).toEqual(ours(peerDependencies).toSorted());
  });

  it('is asked for by its names where it is wanted and missing', async () => {
    const folder = await tempDir();
    for (const part of ['bin', 'dist', 'package.json'])
      await cp(join(root, part), join(folder, part), { recursive: true });
    const { dependencies } = await manifest();
    await mkdir(join(folder, 'node_modules'));
    for (const name of Object.keys(dependencies))
      await symlink(
        join(root, 'node_modules', name),
        join(folder, 'node_modules', name),
        'junction',
      );
    const config = join(folder, 'jairouter.config.yaml');
    await writeFile(config, 'server: { port: 0 }\ntelemetry: { traces: true }\n');
    const env = { ...process.env, XDG_STATE_HOME: folder };
    const serve = run(process.execPath, ['bin/jairouter.js', 'serve'], { cwd: folder, env });
    await expect(serve).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^jairouter: telemetry\.traces needs packages .*: npm install @opentelemetry\/api .*\n$/,
      ) as string,
    });
  });
});

describe('an older Node', () => {
  it.each(['16.20.2', '18.20.8', '20.18.3'])(
    '%s gets one sentence and exit code 1',
    async (old) => {
      await expect(start(old)).rejects.toMatchObject({
        code: 1,
        stdout: '',
        stderr: `jairouter needs Node.js 20.19 or newer; this is ${old}. Install a newer Node.js (https://nodejs.org) and run it again.\n`,
      });
    },
  );

  it('ends where engines in package.json says', async () => {
    expect((await manifest()).engines.node).toBe('>=20.19');
    const { version } = await manifest();
    expect((await start('20.19.0')).stdout).toBe(`${version}\n`);
  });
});

/** Starts the command as if Node had another version. */
function start(version: string): Promise<{ stdout: string; stderr: string }> {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`;
  const bin = join(root, 'bin/jairouter.js');
  return run(process.execPath, [
    '--import',
    `data:text/javascript,${encodeURIComponent(pretend)}`,
    bin,
    '--version',
  ]);
}

async function manifest(): Promise<{
  version: string;
  engines: { node: string };
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, unknown>;
}> {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as never;
}
