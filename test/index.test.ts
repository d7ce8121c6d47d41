import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { defineConfig } from '../src/index.ts';

describe('the package', () => {
  it('gives a config back as it is, and knows its options by type', () => {
    const config = {
      server: { port: '${PORT}' },
      instances: { a: { adapter: 'ollama' } },
    };
    expect(defineConfig(config)).toBe(config);
    // @ts-expect-error: there is no such option
    defineConfig({ server: { prot: 1 } });
    // @ts-expect-error: there is no such strategy
    defineConfig({ defaults: { loadBalance: 'best' } });
    // @ts-expect-error: an instance has an adapter
    defineConfig({ instances: { a: {} } });
  });

  it('loads no other package, so that a config in code is read at once', async () => {
    const seen = new Set<string>();
    const visit = async (url: URL): Promise<void> => {
      if (seen.has(url.href)) return;
      seen.add(url.href);
      const source = await readFile(url, 'utf8');
      for (const [, specifier = ''] of source.matchAll(
        /^(?:import|export)(?! type)[^;]*?from '([^']+)'/gm,
      )) {
        expect(specifier).toMatch(/^\./);
        await visit(new URL(specifier, url));
      }
    };
    await visit(new URL('../src/index.ts', import.meta.url));
    expect([...seen].map((href) => href.replace(/.*\/src\//, ''))).toEqual([
      'index.ts',
      'adapters/adapter.ts',
    ]);
  });

  it('is what a project gets that imports it', async () => {
    const code = "import * as all from 'jairouter'; console.log(Object.keys(all).join());";
    // The package may name itself: this goes through `exports` in package.json, as an install does.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', code],
      { cwd: new URL('..', import.meta.url) },
    );
    expect(stdout.trim()).toBe('RequestRefused,defineAdapter,defineConfig');
  });
});
