/** A line of Prometheus' text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Exposition {
  readonly samples: readonly Sample[];
  readonly types: ReadonlyMap<string, string>;
  /** The sum of all samples of a name whose labels are these; 0 without any. */
  readonly sum: (name: string, labels?: Readonly<Record<string, string>>) => number;
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;

/**
 * Reads Prometheus' text format (version 0.0.4), and takes no nonsense: each name is described once,
 * before its samples; no series comes twice; histograms grow and end with their count.
 * @throws Error
 */
export function parseExposition(text: string): Exposition {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const types = new Map<string, string>();
  const helped = new Set<string>();
  const samples: Sample[] = [];
  const seen = new Set<string>();
  let family = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      if (helped.has(name)) throw new Error(`${name} is described twice`);
      helped.add(name);
      family = name;
      continue;
    }
    if (kind === 'TYPE') {
      types.set(name, rest);
      continue;
    }
    const [, sample = '', labels = '', value = ''] = LINE.exec(line) ?? [];
    const suffixed = types.get(family) === 'histogram' ? /_(bucket|sum|count)$/ : /$^/;
    if (sample.replace(suffixed, '') !== family) throw new Error(`out of its place: ${line}`);
    const series = `${sample}{${labels}}`;
    if (seen.has(series)) throw new Error(`twice: ${series}`);
    seen.add(series);
    samples.push({ name: sample, labels: readLabels(labels, line), value: readValue(value, line) });
  }
  checkHistograms(samples, types);
  return {
    samples,
    types,
    sum: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name)
        .filter((sample) => Object.entries(labels).every(([key, v]) => sample.labels[key] === v))
        .reduce((sum, { value }) => sum + value, 0),
  };
}

function readLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const match = LABEL.exec(text);
    if (!match) throw new Error(`labels: ${line}`);
    labels[match[1]!] = match[2]!.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
  }
  return labels;
}

function readValue(text: string, line: string): number {
  const value = text === '+Inf' ? Infinity : Number(text);
  if (text === '' || Number.isNaN(value)) throw new Error(`value: ${line}`);
  return value;
}

function checkHistograms(samples: readonly Sample[], types: ReadonlyMap<string, string>): void {
  for (const [name, type] of types) {
    if (type !== 'histogram') continue;
    for (const { labels, value } of samples.filter((one) => one.name === `${name}_count`)) {
      const same = (one: Sample) =>
        Object.entries(labels).every(([key, label]) => one.labels[key] === label);
      const buckets = samples.filter((one) => one.name === `${name}_bucket` && same(one));
      const bounds = buckets.map((one) =>
        one.labels['le'] === '+Inf' ? Infinity : Number(one.labels['le']),
      );
      const grows = (numbers: readonly number[]) =>
        numbers.every((one, index) => index === 0 || one >= numbers[index - 1]!);
      if (!grows(bounds) || !grows(buckets.map((one) => one.value)) || bounds.at(-1) !== Infinity)
        throw new Error(`${name} does not grow`);
      if (buckets.at(-1)?.value !== value) throw new Error(`${name} does not end with its count`);
    }
  }
}
