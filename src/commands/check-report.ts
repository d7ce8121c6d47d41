import { formatSpan, plain } from '../format.ts';
import type { InspectedModel, Inspection } from '../instances/inspection.ts';
import type { Instance } from '../instances/instance.ts';
import { SERVICES } from '../service.ts';
import type { ModelProblem } from './check-models.ts';
import type { Paint } from './terminal.ts';

/** An instance that was looked at. */
export interface Checked {
  readonly instance: Instance;
  readonly inspection: Inspection;
}

const MARKS: Readonly<Record<Inspection['state'], string>> = {
  ok: '●',
  loading: '◐',
  refused: '!',
  failed: '✗',
  disabled: '-',
  off: '!',
};

/** Whether calls can be sent there; what nobody wants to be used is nobody's trouble. */
export function isFine({ state, missing }: Inspection): boolean {
  return state === 'disabled' || ((state === 'ok' || state === 'loading') && missing.length === 0);
}

/** The columns that all instances have, as wide as the widest. */
export interface Columns {
  readonly name: number;
  readonly adapter: number;
  readonly address: number;
}

export function columnsOf(instances: readonly Instance[]): Columns {
  const width = (text: (instance: Instance) => string): number =>
    Math.max(0, ...instances.map((instance) => text(instance).length));
  return {
    name: width(({ name }) => name),
    adapter: width(({ adapter }) => adapter.name),
    address: width(addressOf),
  };
}

/** What stands there while it is asked. */
export function waitingLine(instance: Instance, columns: Columns): string {
  return `${instance.name.padEnd(columns.name)}  ${instance.adapter.name.padEnd(columns.adapter)}  ${addressOf(instance)}`;
}

/** What was found: one line, and below it what is wrong and what to do. */
export function instanceLines(
  { instance, inspection }: Checked,
  columns: Columns,
  { good, bad, faint }: Paint,
): string[] {
  const { state, latency, version, problem, hint } = inspection;
  const fine = isFine(inspection);
  const said = problem && plain(problem);
  const mark = state === 'disabled' ? '-' : (fine ? good : bad)(MARKS[state]);
  const facts = [
    state === 'ok' ? '' : WORDS[state],
    version === undefined ? '' : `version ${plain(version)}`,
    latency === undefined ? '' : formatSpan(latency),
    modelsText(inspection),
  ].filter(Boolean);
  const row = [
    instance.name.padEnd(columns.name),
    instance.adapter.name.padEnd(columns.adapter),
    addressOf(instance).padEnd(columns.address),
    facts.join(', '),
  ];
  return [
    `${mark} ${row.join('  ')}`.trimEnd(),
    ...(said === undefined ? [] : [`    ${fine ? said : bad(said)}`]),
    ...(hint === undefined ? [] : [`    ${faint('→')} ${hint}`]),
  ];
}

const WORDS: Readonly<Record<Inspection['state'], string>> = {
  ok: '',
  loading: 'loading',
  refused: 'not authorised',
  failed: 'failed',
  disabled: 'disabled',
  off: 'off',
};

function addressOf({ connections }: Instance): string {
  return connections.address;
}

/** `3 models: 2 chat, 1 embeddings`; a model may do several things, or not say what. */
function modelsText({ models }: Inspection): string {
  if (!models) return '';
  if (models.length === 0) return 'no models';
  const all = `${models.length} ${models.length === 1 ? 'model' : 'models'}`;
  const silent = models.filter(({ services }) => services === undefined).length;
  if (silent === models.length) return all;
  const counts = Object.entries(countsOf(models)).map(([service, count]) => `${count} ${service}`);
  return `${all}: ${[...counts, ...(silent > 0 ? [`${silent} of unknown kind`] : [])].join(', ')}`;
}

/** @returns How many models do each kind of work, as far as they say. */
export function countsOf(models: readonly InspectedModel[]): Record<string, number> {
  return Object.fromEntries(
    SERVICES.flatMap((service) => {
      const count = models.filter(({ services }) => services?.includes(service)).length;
      return count > 0 ? [[service, count]] : [];
    }),
  );
}

/** The end of the report: what is wrong with names, and how it stands altogether. */
export function* summaryLines(
  checked: readonly Checked[],
  problems: readonly ModelProblem[],
  { good, bad, faint, strong }: Paint,
): Generator<string> {
  if (problems.length > 0) {
    yield '';
    yield strong('Names of models');
  }
  for (const { place, problem, hint } of problems) {
    yield `${bad('!')} ${place}: ${problem}`;
    if (hint !== undefined) yield `    ${faint('→')} ${hint}`;
  }
  const used = checked.filter(({ inspection }) => inspection.state !== 'disabled');
  const fine = used.filter(({ inspection }) => isFine(inspection)).length;
  yield '';
  if (used.length === 0) yield bad('There is no instance to serve with.');
  else if (fine === used.length && problems.length === 0)
    yield good(`✓ ${fine === 1 ? 'The instance is' : `All ${fine} instances are`} fine.`);
  else
    yield bad(
      `${fine} of ${used.length} ${used.length === 1 ? 'instance is' : 'instances are'} fine.`,
    );
}
