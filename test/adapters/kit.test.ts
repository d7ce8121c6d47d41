import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import * as kit from '../../src/adapters/kit.ts';
import * as entry from '../../src/index.ts';
import { tempDir } from '../support/temp-dir.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'src/adapters');
const adapters = readdirSync(folder).filter((name) =>
  /\bdefineAdapter\(\{/.test(readFileSync(join(folder, name), 'utf8')),
);

describe('jairouter/adapters', () => {
  it.each(adapters)('has all that %s is made of: there is no private door', (name) => {
    const source = readFileSync(join(folder, name), 'utf8');
    const open = readFileSync(join(folder, 'kit.ts'), 'utf8');
    const missing: string[] = [];
    for (const [, type = '', names = '', from = ''] of source.matchAll(
      /^import (type )?\{([^}]*)\} from '([^']+)';/gm,
    )) {
      for (const each of names.split(',').map((one) => one.trim())) {
        if (each === '') continue;
        const [, isType = type, own = ''] = /^(type )?(\w+)/.exec(each)!;
        // The contract's types are all exported, and the words of service.ts.
        const isContract = from === './adapter.ts' || from === '../service.ts';
        const known = isType
          ? isContract || new RegExp(`^export type \\{[^}]*\\b${own}\\b`, 'm').test(open)
          : own in kit || own in entry;
        if (!known) missing.push(own);
      }
    }
    expect(missing).toEqual([]);
    expect(source).toMatch(/^import/m);
  });

  it('is what a project gets that imports it', async () => {
    const code = "import * as all from 'jairouter/adapters'; console.log(Object.keys(all).join());";
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', code],
      { cwd: root },
    );
    expect(stdout.trim().split(',').toSorted()).toEqual(Object.keys(kit).toSorted());
  });
});

it('docs/adapters.md is code that the compiler takes, and a slip in it is one that it finds', async () => {
  const page = readFileSync(join(root, 'docs/adapters.md'), 'utf8');
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(page) ?? [];
  const project = await tempDir();
  const paths = {
    jairouter: [`${root}src/index.ts`],
    'jairouter/adapters': [`${root}src/adapters/kit.ts`],
  };
  const options = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: { noEmit: true, paths, typeRoots: [join(root, 'node_modules/@types')] },
    include: ['*.ts'],
  };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(options));
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  await writeFile(join(project, 'acme.ts'), code);
  await writeFile(join(project, 'slip.ts'), code.replace('probe,\n', 'prob: probe,\n'));
  const bin = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = await promisify(execFile)(process.execPath, [bin, '-p', project]).catch(
    (error: unknown) => error as { stdout: string },
  );
  expect(stdout).not.toContain('acme.ts');
  expect(stdout).toMatch(/slip\.ts\(.*error TS/);
});
