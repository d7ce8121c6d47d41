import { homedir } from 'node:os';
import { sep } from 'node:path';
import { editConfig } from '../connect/edit.ts';
import { NO_KEY, type Endpoint, type Tool } from '../connect/tool.ts';
import type { FoundEndpoint } from './connect-endpoint.ts';
import type { Plan } from './connect.ts';
import { paintFor } from './terminal.ts';

interface Report {
  readonly name: string;
  readonly tool: Tool;
  readonly found: FoundEndpoint;
  readonly plan: Plan | undefined;
  readonly json: boolean;
}

/** Stands for a key that was read from the server's config: it need not be on the screen. */
const HIDDEN = 'YOUR_KEY';

/** The tools there are, a line each. */
export function toolList(tools: Readonly<Record<string, Tool>>, json: boolean): string[] {
  const rows = Object.entries(tools).map(([name, { title, config }]) => ({
    tool: name,
    title,
    writes: config !== undefined,
  }));
  if (json) return [JSON.stringify(rows, null, 2)];
  const width = Math.max(...rows.map(({ tool }) => tool.length));
  return [
    ...rows.map(
      ({ tool, title, writes }) =>
        `  ${tool.padEnd(width)}  ${title}${writes ? '' : ' (no --write)'}`,
    ),
    '',
    'jairouter connect TOOL tells what to set; --write sets it, and --undo takes that back.',
  ];
}

/** What to set by hand. */
export function printed(report: Report): string[] {
  const { name, tool, plan, json } = report;
  const { endpoint, hidden } = shown(report.found);
  const env = tool.env?.(endpoint);
  if (json) return [asJson(report, { env })];
  const { strong, faint } = paintFor(process.stdout, process.env);
  const lines = [headline(report), ''];
  if (env) {
    lines.push(strong('For one shell:'));
    lines.push(...Object.entries(env).map(([key, value]) => `  ${assignment(key, value)}`), '');
  }
  if (plan && tool.config) {
    const snippet = editConfig(tool.config.format, '', tool.config.changes(endpoint, {}));
    lines.push(strong(`In ${tilde(plan.file)}:`));
    lines.push(
      ...snippet
        .trimEnd()
        .split('\n')
        .map((line) => `  ${line}`),
    );
    lines.push(faint(`  (jairouter connect ${name} --write puts it there)`), '');
  }
  const notes = tool.notes?.(endpoint) ?? [];
  if (notes.length > 0) lines.push(...notes, '');
  if (hidden !== undefined) lines.push(hidden, '');
  lines.push(strong('To test it:'), `  ${tool.test(endpoint)}`);
  return lines;
}

/** What was done. */
export function written(
  report: Report & { readonly plan: Plan; readonly backup: string | undefined },
): string[] {
  const { name, tool, plan, backup, found, json } = report;
  const isSame = plan.after === plan.before;
  if (json) return [asJson(report, { written: !isSame, backup: backup ?? null })];
  const { strong, good } = paintFor(process.stdout, process.env);
  const undo = `jairouter connect ${name} --undo`;
  return [
    headline(report),
    '',
    `${good('✓')} ${tilde(plan.file)} ${isSame ? 'says so already.' : 'is written.'}`,
    ...(isSame
      ? []
      : [
          backup === undefined
            ? `  It is new: ${strong(undo)} takes it away.`
            : `  ${tilde(backup)} is what it was: ${strong(undo)} brings it back.`,
        ]),
    ...(tool.notes?.(found.endpoint) ?? []),
    '',
    strong('To test it:'),
    `  ${tool.test(found.endpoint)}`,
  ];
}

function headline({ tool, found }: Report): string {
  const { url, model, smallModel, models } = found.endpoint;
  const { strong, faint } = paintFor(process.stdout, process.env);
  const small = smallModel.id === model.id ? '' : `, ${smallModel.id} for side work`;
  const others = models.length > 1 ? faint(` (of ${models.length}; --model chooses another)`) : '';
  return `${strong(tool.title)} → ${url} with ${strong(model.id)}${small}${others}`;
}

function shown({ endpoint, keyName }: FoundEndpoint): { endpoint: Endpoint; hidden?: string } {
  if (keyName === undefined) return { endpoint };
  return {
    endpoint: { ...endpoint, key: HIDDEN },
    hidden: `${HIDDEN} is the key \`${keyName}\` of server.apiKeys; --write fills it in.`,
  };
}

function asJson({ name, tool, found, plan }: Report, more: object): string {
  const { endpoint } = shown(found);
  const { url, model, smallModel, models } = endpoint;
  return JSON.stringify(
    {
      tool: name,
      title: tool.title,
      url,
      key: endpoint.key ?? NO_KEY,
      model: model.id,
      smallModel: smallModel.id,
      models: models.map(({ id }) => id),
      file: plan?.file ?? null,
      changes: tool.config
        ? tool.config
            .changes(endpoint, {})
            .map(({ path, value }) => ({ path, value: value ?? null }))
        : [],
      notes: tool.notes?.(endpoint) ?? [],
      test: tool.test(endpoint),
      ...more,
    },
    null,
    2,
  );
}

/** A path as people write it who have a home folder. */
export function tilde(file: string): string {
  const home = process.env['HOME'] || homedir();
  return file.startsWith(home + sep) ? `~${file.slice(home.length)}` : file;
}

function assignment(name: string, value: string): string {
  if (process.platform === 'win32') return `$env:${name} = "${value.replaceAll('"', '`"')}"`;
  return `export ${name}=${/^[\w./:@%+-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`}`;
}
