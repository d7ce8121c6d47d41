import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../package-root.ts';
import { stringify } from 'yaml';
import { baseUrlProblem } from './base-url.ts';
import { escapeVariables } from './interpolate.ts';
import { tsKey, tsText, type ConfigFormat } from './text.ts';

/** An instance as a new config lists it. */
export interface NewInstance {
  readonly name: string;
  readonly adapter: string;
  readonly baseUrl?: string;
  /** The environment variable that holds its key; the key itself is never written. */
  readonly apiKeyVariable?: string;
  /** One line above it; JSON has no comments, and leaves it out. */
  readonly comment?: string;
  readonly models?: readonly string[];
}

export interface NewConfig {
  readonly format: ConfigFormat;
  readonly port: number;
  readonly instances: readonly NewInstance[];
}

/**
 * Writes a first config: the template of its format, with this port and these instances.
 *
 * @returns The file's text; it loads as it is.
 * @throws TypeError when something that must not be written into a file is given as a `baseUrl` or
 * the name of a variable.
 */
export function renderConfig({ format, port, instances }: NewConfig): string {
  const template = readTemplate(format);
  const rows = instances.map((instance) => ({
    name: instance.name,
    comment: instance.comment?.replace(/\s+/g, ' ').trim(),
    options: optionsOf(instance),
  }));
  if (format === 'json') {
    const config = JSON.parse(template) as Record<string, object>;
    config['server'] = { ...config['server'], port };
    config['instances'] = Object.fromEntries(rows.map(({ name, options }) => [name, options]));
    return `${JSON.stringify(config, null, 2)}\n`;
  }
  const text = template
    .replace(/(?<=^\s*port: )\d+/m, String(port))
    .replace(/(?<=127\.0\.0\.1:)4747\b/, String(port));
  return withInstances(text, rows.flatMap(format === 'ts' ? tsLines : yamlLines));
}

function readTemplate(format: ConfigFormat): string {
  return readFileSync(join(PACKAGE_ROOT, 'templates', `jairouter.config.${format}`), 'utf8');
}

interface Options {
  readonly adapter: string;
  readonly baseUrl?: string;
  readonly apiKey?: string;
  readonly models?: readonly string[];
}

interface Row {
  readonly name: string;
  readonly comment: string | undefined;
  readonly options: Options;
}

function optionsOf({ adapter, baseUrl, apiKeyVariable, models }: NewInstance): Options {
  const problem = baseUrl === undefined ? undefined : baseUrlProblem(baseUrl);
  if (problem) throw new TypeError(`baseUrl ${problem}`);
  if (apiKeyVariable !== undefined && !/^[A-Za-z_]\w*$/.test(apiKeyVariable))
    throw new TypeError('apiKeyVariable must be the name of an environment variable');
  return {
    adapter,
    ...(baseUrl !== undefined && { baseUrl: escapeVariables(baseUrl) }),
    ...(apiKeyVariable !== undefined && { apiKey: `\${${apiKeyVariable}}` }),
    ...(models && models.length > 0 && { models: models.map(escapeVariables) }),
  };
}

/** Puts lines in the place of the template's own instances, which end at the first empty line. */
function withInstances(template: string, lines: readonly string[]): string {
  const all = template.split('\n');
  const start = all.findIndex((line) => /^\s*instances:/.test(line)) + 1;
  const end = all.indexOf('', start);
  return [...all.slice(0, start), ...lines, ...all.slice(end)].join('\n');
}

function yamlLines({ name, comment, options }: Row): string[] {
  const lines = Object.entries(options).flatMap(([key, value]: [string, string | string[]]) =>
    typeof value === 'string'
      ? [`    ${key}: ${yamlText(value)}`]
      : [`    ${key}:`, ...value.map((item) => `      - ${yamlText(item)}`)],
  );
  return [...(comment ? [`  # ${comment}`] : []), `  ${yamlText(name)}:`, ...lines];
}

function yamlText(value: string): string {
  return value.includes('$') ? JSON.stringify(value) : stringify(value, { lineWidth: 0 }).trimEnd();
}

function tsLines({ name, comment, options }: Row): string[] {
  const lines = Object.entries(options).map(([key, value]: [string, string | string[]]) => {
    const text = typeof value === 'string' ? tsText(value) : `[${value.map(tsText).join(', ')}]`;
    return `      ${key}: ${text},`;
  });
  return [...(comment ? [`    // ${comment}`] : []), `    ${tsKey(name)}: {`, ...lines, '    },'];
}
