import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { METRICS } from '../../src/observe/metrics/index.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/metrics.md', root), 'utf8');
const dashboard = JSON.parse(readFileSync(new URL('templates/grafana.json', root), 'utf8')) as {
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly gridPos: {
      readonly x: number;
      readonly y: number;
      readonly w: number;
      readonly h: number;
    };
    readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[];
  }[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: unknown }[];
  };
};

/** What Prometheus puts on every series that it scrapes. */
const TARGET_LABELS = ['job', 'instance'];

interface Used {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** The series that a query reads, with the labels that it matches by. @throws Error when it is no PromQL. */
function readQuery(query: string): { used: Used[]; grouped: string[] } {
  const text = query.replaceAll('$__rate_interval', '5m');
  const used: Used[] = [];
  const grouped: string[] = [];
  parser.parse(text).iterate({
    enter({ type, node, from, to }) {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${query}`);
      if (type.name === 'GroupingLabels') {
        for (const label of node.getChildren('LabelName'))
          grouped.push(text.slice(label.from, label.to));
      }
      if (type.name !== 'VectorSelector') return;
      const [, metric = '', matchers = ''] =
        /^(\w+)(?:\{(.*)\})?$/s.exec(text.slice(from, to)) ?? [];
      const labels = [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label!);
      used.push({ metric, labels });
    },
  });
  return { used, grouped };
}

/** Whether the series exists; histograms are read by their three parts. @returns Its labels. */
function labelsOf(series: string): readonly string[] | undefined {
  const [, base = '', part] = /^(.*?)(?:_(bucket|sum|count))?$/.exec(series)!;
  const plain = METRICS[series];
  if (plain && plain.type !== 'histogram') return plain.labels;
  const histogram = METRICS[base];
  if (histogram?.type !== 'histogram' || part === undefined) return undefined;
  return part === 'bucket' ? [...histogram.labels, 'le'] : histogram.labels;
}

/** What a query reads that does not exist. */
function problemsOf(query: string): string[] {
  const { used, grouped } = readQuery(query);
  if (used.length === 0) return [`nothing is read by ${query}`];
  return used.flatMap(({ metric, labels }) => {
    const own = labelsOf(metric);
    if (!own) return [`there is no ${metric}: ${query}`];
    return [...labels, ...grouped]
      .filter((label) => ![...own, ...TARGET_LABELS].includes(label))
      .map((label) => `${metric} has no ${label}: ${query}`);
  });
}

describe('docs/metrics.md', () => {
  const rows = [
    ...page.matchAll(/^\| `(\w+)`\s*\|\s*(\w+)\s*\|\s*([^|]*?)\s*\|\s*([^|]+?)\s*\|$/gm),
  ];

  it('explains each metric once, with its type and its labels', () => {
    const explained = rows.map(([, name, type, labels]) => ({
      name,
      type,
      labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label),
    }));
    const existing = Object.entries(METRICS).map(([name, { type, labels }]) => ({
      name,
      type,
      labels: [...labels],
    }));
    expect(explained).toEqual(existing);
  });

  it('shows alerts on what exists', () => {
    const [, yaml = ''] = /```yaml\n(groups:.*?)```/s.exec(page) ?? [];
    const { groups } = parse(yaml) as { groups: { rules: { expr: string }[] }[] };
    const alerts = groups.flatMap(({ rules }) => rules);
    expect(alerts.length).toBeGreaterThan(3);
    expect(alerts.flatMap(({ expr }) => problemsOf(expr))).toEqual([]);
  });
});

describe('the names of metrics', () => {
  it.each(Object.entries(METRICS))('follow the conventions: %s', (name, { type, labels, help }) => {
    expect(name).toMatch(/^(jairouter|process|nodejs)_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    expect(name).not.toMatch(/_(milliseconds|ms|bucket|sum|count)$/);
    // Prometheus would rename ours.
    for (const label of labels) expect(TARGET_LABELS).not.toContain(label);
    expect(help).toMatch(/^[A-Z].*\.$/);
  });
});

describe('the Grafana dashboard', () => {
  const queries = dashboard.panels.flatMap(({ targets = [] }) => targets);

  it('reads only series that exist, by labels that they have', () => {
    expect(queries.length).toBeGreaterThan(30);
    expect(queries.flatMap(({ expr }) => problemsOf(expr))).toEqual([]);
  });

  it('shows everything there is', () => {
    const shown = new Set(
      queries.flatMap(({ expr }) => readQuery(expr).used.map(({ metric }) => metric)),
    );
    const missing = Object.entries(METRICS).filter(
      ([name, { type }]) => !shown.has(type === 'histogram' ? `${name}_bucket` : name),
    );
    expect(missing.map(([name]) => name)).toEqual([]);
  });

  it('names its lines by labels that the query keeps', () => {
    for (const { expr, legendFormat = '' } of queries) {
      const { grouped, used } = readQuery(expr);
      const kept = grouped.length > 0 ? grouped : used.flatMap(({ metric }) => labelsOf(metric)!);
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        expect(kept).toContain(label);
    }
  });

  it('chooses by variables whose values exist', () => {
    const names = dashboard.templating.list.map(({ name }) => name);
    for (const { query } of dashboard.templating.list) {
      if (typeof query === 'string') continue;
      const { query: text } = query as { query: string };
      const [, series = '', label = ''] =
        /^label_values\((\w+)(?:\{.*\})?, (\w+)\)$/.exec(text) ?? [];
      expect([...(labelsOf(series) ?? []), 'job']).toContain(label);
    }
    const used = JSON.stringify(dashboard.panels).matchAll(/\$\{?(\w+)/g);
    for (const [, name] of used) expect([...names, '__rate_interval']).toContain(name);
  });

  it('has its panels side by side, each with a number of its own', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const cells = new Set<string>();
    for (const { gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells).not.toContain(`${x},${y}`);
          cells.add(`${x},${y}`);
        }
      }
    }
  });
});
