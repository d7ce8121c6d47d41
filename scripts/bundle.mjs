// Bundles the command and the package's entry, with what they use, into dist/. Node spends most of
// a start on finding and reading files: hundreds of them without this, a handful with it.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

// What an earlier build left; types are written by the compiler beside us.
for (const name of readdirSync(dist, { recursive: true })) {
  if (name.endsWith('.js')) rmSync(join(dist, name));
}

const bundle = await rolldown({
  cwd: root,
  input: { cli: 'src/cli.ts', index: 'src/index.ts', adapters: 'src/adapters/kit.ts' },
  platform: 'node',
  // Otherwise React's build for development is bundled too, which is half as slow again.
  transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  plugins: [withoutDevtools(), withoutFetch(), withLazySegmenters()],
  // It finds files of its own beside itself.
  external: [/^jiti($|\/)/],
  // Its main file requires its parts in a way that can't be bundled.
  resolve: { alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' } },
  logLevel: 'warn',
});
const { output } = await bundle.write({
  dir: dist,
  format: 'esm',
  chunkFileNames: 'chunks/[name]-[hash].js',
});
await bundle.close();
writeFileSync(join(dist, 'THIRD-PARTY-LICENSES.txt'), licenses(output));

/** Ink loads React's developer tools, and a WebSocket client for them, when it is debugged itself. */
function withoutDevtools() {
  return {
    name: 'without-devtools',
    load: (id) => (/[\\/]ink[\\/]build[\\/]devtools\.js$/.test(id) ? 'export {};' : undefined),
  };
}

/** Yoga reads its own bytes with fetch where there is one, and Node takes 40 ms to get that ready. */
function withoutFetch() {
  return {
    name: 'without-fetch',
    transform(code, id) {
      if (!/[\\/]yoga-wasm-base64-esm\.js$/.test(id)) return undefined;
      const changed = code.replaceAll('typeof fetch', 'typeof undefined');
      if (changed === code) throw new Error('Yoga no longer asks for fetch: this plugin can go');
      return changed;
    },
  };
}

/** The first segmenter of a process takes 15 ms, and none is needed before there is a wide character. */
function withLazySegmenters() {
  return {
    name: 'with-lazy-segmenters',
    transform: (code) =>
      code.replaceAll(
        /new Intl\.Segmenter\(([^()]*)\)/g,
        '({ segment(text) { return (this.own ??= new Intl.Segmenter($1)).segment(text); } })',
      ),
  };
}

/** The licences of all packages whose code is in the bundle, as most of them ask for. */
function licenses(chunks) {
  const folders = new Set();
  for (const chunk of chunks) {
    for (const file of chunk.moduleIds ?? []) {
      const match = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(file);
      if (match) folders.add(match[0]);
    }
  }
  return [...folders]
    .toSorted((a, b) => a.localeCompare(b))
    .map(notice)
    .join('\n');
}

function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(join(folder, file), 'utf8') : '';
  return `${'-'.repeat(72)}\n${name} ${version} (${license})\n\n${text.trim()}\n`;
}
