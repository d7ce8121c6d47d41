/** The figures as text, with the goals beside them. */
import { cpus, release, totalmem } from 'node:os';

export function machine() {
  const cores = cpus();
  return {
    cores: cores.length,
    cpu: cores[0]?.model.trim() ?? 'unknown',
    memoryGB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    system: `${process.platform} ${release()}`,
  };
}

/** @returns {{ target: string, met: boolean }[]} Whether the goal is met, for each that it is of. */
export function verdicts({ goal, values }) {
  if (!goal) return [];
  return goal.of
    .filter((target) => values[target] !== undefined)
    .map((target) => ({ target, met: goal.met(values[target]) }));
}

/** @param {string} name The measure's. @param {import('./measures.mjs').Figure[]} figures */
export function table(name, figures) {
  const targets = [...new Set(figures.flatMap(({ values }) => Object.keys(values)))];
  const rows = [
    [name, ...targets, 'goal'],
    ...figures.map((figure) => [
      figure.unit ? `${figure.name} (${figure.unit})` : figure.name,
      ...targets.map((target) => show(figure.values[target])),
      goalText(figure),
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 || column === row.length - 1
            ? cell.padEnd(widths[column])
            : cell.padStart(widths[column]),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function goalText(figure) {
  const results = verdicts(figure);
  if (results.length === 0) return figure.goal ? figure.goal.text : '';
  return `${figure.goal.text}: ${results.every(({ met }) => met) ? 'met' : 'MISSED'}`;
}

function show(value) {
  if (value === undefined) return '–';
  if (typeof value === 'string') return value;
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return String(Math.round(value));
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}
