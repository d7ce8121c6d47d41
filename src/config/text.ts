import { Document, isMap, isScalar, isSeq, Scalar, visit } from 'yaml';
import type { ConfigInput } from './schema.ts';

export type ConfigFormat = 'yaml' | 'json' | 'ts';

export interface ConfigText {
  readonly format: ConfigFormat;
  /** Lines above it all; JSON has no comments, and leaves them out. */
  readonly comment: readonly string[];
}

/** @returns A whole config as the text of a file, which loads as it is. */
export function configText(config: ConfigInput, { format, comment }: ConfigText): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify({ $schema: SCHEMA, ...config }, null, 2)}\n`;
    case 'ts': {
      const lines = comment.map((line) => `// ${line}`.trimEnd() + '\n').join('');
      const body = literal(config, '');
      return `import { defineConfig } from 'jairouter';\n\n${lines}export default defineConfig(${body});\n`;
    }
    case 'yaml': {
      const lines = [`yaml-language-server: $schema=${SCHEMA}`, ...comment];
      return `${lines.map((line) => `# ${line}`.trimEnd() + '\n').join('')}\n${yaml(config)}`;
    }
  }
}

const SCHEMA = './node_modules/jairouter/schema.json';

function yaml(config: ConfigInput): string {
  const document = new Document(config, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, node) {
      // A plain `${X}` would break inside braces, and reads like one.
      if (typeof node.value === 'string' && node.value.includes('$'))
        node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  if (isMap(document.contents)) {
    for (const [index, { value }] of document.contents.items.entries()) {
      inline(value, 0);
      const key = document.contents.items[index]!.key;
      if (index > 0 && isScalar(key)) key.spaceBefore = true;
    }
  }
  return document.toString({ lineWidth: 0 });
}

/** Short blocks of plain values stand on one line, as a person would write them. */
function inline(node: unknown, depth: number): void {
  if (isSeq(node)) {
    node.flow = node.items.every(isScalar) && lengthOf(node) < 60;
    for (const item of node.items) inline(item, depth + 1);
  } else if (isMap(node)) {
    node.flow =
      depth > 1 && node.items.every(({ value }) => isScalar(value)) && lengthOf(node) < 80;
    for (const { value } of node.items) inline(value, depth + 1);
  }
}

function lengthOf(node: { toJSON(): unknown }): number {
  return JSON.stringify(node.toJSON()).length;
}

function literal(value: unknown, indent: string): string {
  if (typeof value === 'string') return tsText(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const deeper = `${indent}  `;
  const items = Array.isArray(value)
    ? (value as unknown[]).map((item) => literal(item, deeper))
    : Object.entries(value).map(([key, item]) => `${tsKey(key)}: ${literal(item, deeper)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const short = items.join(', ');
  if (short.length < 70 && !short.includes('\n'))
    return Array.isArray(value) ? `[${short}]` : `{ ${short} }`;
  return `${open}\n${items.map((item) => `${deeper}${item},\n`).join('')}${indent}${close}`;
}

/** @returns A key of an object in TypeScript. */
export function tsKey(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : tsText(name);
}

/** @returns A text in TypeScript, in single quotes: `${X}` must not become a template. */
export function tsText(value: string): string {
  const escaped = JSON.stringify(value).slice(1, -1);
  return `'${escaped.replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
