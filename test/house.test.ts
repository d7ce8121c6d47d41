import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { tempDir } from './support/temp-dir.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Statements that the linter must let pass, by the file they stand in. */
const ALLOWED: Record<string, readonly string[]> = {
  'src/cli.ts': [`await import('./commands/serve.ts');`, `process.env['HOME'];`],
  'src/commands/serve.ts': [
    `import { listen } from 'listhen';`,
    `import { run } from '../http/run.ts';`,
    `process.exit(1);`,
  ],
  'src/config/load.ts': [`import { parseDocument } from 'yaml';`, `process.env['HOME'];`],
  'src/gateway/resolve.ts': [
    `import type { Config } from '../config/schema.ts';`,
    `import { timeoutsFor } from '../config/settings.ts';`,
    `import { ADAPTERS } from '../adapters/index.ts';`,
  ],
  'src/gateway/balance/random.ts': [`import type { Service } from '../../service.ts';`],
  'src/http/app.ts': [
    `import { H3 } from 'h3';`,
    `import { toNodeHandler } from 'h3/node';`,
    `import { Pool } from 'undici';`,
    `import { pick } from '../gateway/balance/random.ts';`,
    `import { record } from '../observe/record.ts';`,
  ],
  'src/http/admin/routes.ts': [
    `import { z } from 'zod';`,
    `import type { Live } from '../../config/live.ts';`,
    `import { gatewayError } from '../errors.ts';`,
  ],
  'src/instances/pool.ts': [`import { Pool } from 'undici';`],
  'src/connect/edit.ts': [
    `import { modify } from 'jsonc-parser';`,
    `import { editText } from '../config/edit.ts';`,
  ],
  'src/observe/traces.ts': [
    `import { Registry } from 'prom-client';`,
    `import { trace } from '@opentelemetry/api';`,
    `import type { Instance } from '../instances/instance.ts';`,
  ],
  'src/recording/body.ts': [
    `import { parseForm } from '../adapters/multipart.ts';`,
    `import { maskQuery } from '../observe/secrets.ts';`,
  ],
  'src/mock/server.ts': [`import { setTimeout } from 'node:timers/promises';`],
  'src/dashboard/app.ts': [
    `import { Box } from 'ink';`,
    `import type { Stats } from '../observe/stats.ts';`,
  ],
};

/** Statements that it must refuse. */
const REFUSED: Record<string, readonly string[]> = {
  'src/service.ts': [`import { H3 } from 'h3';`, `process.exit(1);`],
  'src/cli.ts': [`import { parseDocument } from 'yaml';`],
  'src/commands/check.ts': [`import { listen } from 'listhen';`],
  'src/commands/connect.ts': [`import { modify } from 'jsonc-parser';`],
  'src/commands/status.ts': [`import { render } from 'ink';`, `import { z } from 'zod';`],
  'src/config/load.ts': [`import { relay } from '../http/relay.ts';`],
  'src/gateway/resolve.ts': [
    `import { schema } from '../config/schema.ts';`,
    `import { relay } from '../http/relay.ts';`,
    `await import('../http/relay.ts');`,
    `import { Pool } from 'undici';`,
    `process.env['HOME'];`,
  ],
  'src/gateway/balance/random.ts': [`import { relay } from '../../http/relay.ts';`],
  'src/adapters/vllm.ts': [
    `import { fleet } from '../instances/fleet.ts';`,
    `import { z } from 'zod';`,
  ],
  'src/observe/log.ts': [
    `import type { Relay } from '../http/relay.ts';`,
    `const { env } = process;`,
    `import { env } from 'node:process';`,
    `console.log(1);`,
  ],
  'src/instances/pool.ts': [
    `import { relay } from '../http/relay.ts';`,
    `import { H3 } from 'h3';`,
    `import { schema } from '../config/schema.ts';`,
  ],
  'src/http/metrics.ts': [
    `import { Registry } from 'prom-client';`,
    `import { trace } from '@opentelemetry/api';`,
  ],
  'src/http/app.ts': [
    `import { serve } from '../commands/serve.ts';`,
    `import { schema } from '../config/schema.ts';`,
    `import { z } from 'zod';`,
    `process.exit(1);`,
  ],
  'src/dashboard/app.ts': [`import { stats } from '../observe/stats.ts';`],
  'src/connect/edit.ts': [
    `import { fleet } from '../instances/fleet.ts';`,
    `const { env } = process;`,
    `import { Pool } from 'undici';`,
  ],
  'src/recording/body.ts': [
    `import { relay } from '../http/relay.ts';`,
    `import { Pool } from 'undici';`,
  ],
  'src/mock/server.ts': [`import { relay } from '../http/relay.ts';`, `import { H3 } from 'h3';`],
};

describe('the linter keeps the house', () => {
  it('lets each folder use what it may', async () => {
    expect(await lint(ALLOWED)).toEqual([]);
  });

  it('refuses what points upward, leaves its folder or reads the environment elsewhere', async () => {
    const expected = Object.entries(REFUSED).flatMap(([file, statements]) =>
      statements.map((statement) => `${file}: ${statement}`),
    );
    expect(await lint(REFUSED)).toEqual(expected.toSorted());
  });

  it('knows every package that we depend on', async () => {
    const manifest = await readFile(join(root, 'package.json'), 'utf8');
    const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
    const statements = Object.keys(dependencies).map((name) => `import '${name}';`);
    expect(await lint({ 'src/service.ts': statements })).toHaveLength(statements.length);
  });
});

describe('starting up', () => {
  it('loads nothing but commander until a command runs, so that --version stays instant', async () => {
    const { packages, files } = await reach('src/cli.ts');
    expect(packages.filter((name) => !name.startsWith('node:'))).toEqual([
      '@commander-js/extra-typings',
    ]);
    const sources = await Promise.all(
      files.map(async (file) => ({ file, text: await readFile(join(root, file), 'utf8') })),
    );
    const commands = sources.flatMap(({ file, text }) =>
      [...text.matchAll(/import\('(.+)'\)/g)].map(([, to]) => posix.join(dirname(file), to!)),
    );
    expect(commands).toContain('src/commands/serve.ts');
    expect(commands).toContain('src/commands/explain.ts');
    expect(files.filter((file) => commands.includes(file))).toEqual([]);
  });
});

describe('the dashboard', () => {
  it('is the only one that Ink and React are loaded for', async () => {
    const commands = await readdir(join(root, 'src/commands'));
    for (const file of commands) {
      const { packages } = await reach(`src/commands/${file}`);
      expect(packages.filter((name) => /^(ink|react)/.test(name))).toEqual([]);
    }
    const { packages } = await reach('src/dashboard/open.tsx');
    expect(packages).toEqual(expect.arrayContaining(['ink', 'react']));
  });
});

/** Lays the statements out as files, one each line, and lints them by the project's own rules. */
async function lint(house: Record<string, readonly string[]>): Promise<string[]> {
  const folder = await tempDir();
  const config = await readFile(join(root, '.oxlintrc.json'), 'utf8');
  // Nothing here is installed, so nothing has a type.
  await write(folder, '.oxlintrc.json', config.replace('"typeAware": true', '"typeAware": false'));
  for (const [file, lines] of Object.entries(house)) await write(folder, file, lines.join('\n'));

  const { diagnostics } = JSON.parse(await oxlint(folder)) as {
    diagnostics: readonly {
      code: string;
      filename: string;
      labels: readonly { span: { line: number } }[];
    }[];
  };
  return diagnostics
    .filter(({ code }) => /no-restricted|no-console/.test(code))
    .map(({ filename, labels }) => {
      const file = filename.replaceAll('\\', '/');
      return `${file}: ${house[file]?.[(labels[0]?.span.line ?? 0) - 1]}`;
    })
    .toSorted();
}

async function oxlint(folder: string): Promise<string> {
  const bin = join(root, 'node_modules/oxlint/bin/oxlint');
  try {
    return (await promisify(execFile)(process.execPath, [bin, '-f', 'json'], { cwd: folder }))
      .stdout;
  } catch (error) {
    // It ends with 1 when it found something, and has still said what.
    const { stdout } = error as { stdout?: string };
    if (!stdout) throw error;
    return stdout;
  }
}

async function write(folder: string, file: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, file)), { recursive: true });
  await writeFile(join(folder, file), text);
}

/** What importing a file loads, statically: our own files, and the packages they name. */
async function reach(entry: string): Promise<{ files: string[]; packages: string[] }> {
  const files = new Set([entry]);
  const packages = new Set<string>();
  for (const file of files) {
    const source = await readFile(join(root, file), 'utf8');
    for (const [, name = ''] of source.matchAll(
      /^(?:import|export) (?!type )[^;]*?from '(.+)';/gm,
    )) {
      if (name.startsWith('.')) files.add(join(dirname(file), name).replaceAll('\\', '/'));
      else packages.add(name);
    }
  }
  return { files: [...files], packages: [...packages] };
}
