import { formatBytes, formatClock, formatCount, formatSpan, plain } from '../../format.ts';
import type { InstanceDetail, InstanceStatus, Percentiles } from '../../observe/status.ts';
import { bar, sparkline } from '../chart.ts';
import { countdown, counted, duration, rate } from '../figures.ts';
import type { Line } from '../line.ts';
import { errors, perSecond, tokens } from '../panes/instances.ts';
import { breakerOf, STATES } from '../symbols.ts';
import { beside, facts, grid, heading, paragraph, yamlLines } from './page.ts';

export interface InstancePage {
  /** Absent when the config has it no more. */
  readonly instance: InstanceStatus | undefined;
  readonly detail: InstanceDetail | undefined;
  /** On the server's clock. */
  readonly now: number;
}

/** All that is known of one instance. */
export function instanceLines(
  { instance, detail, now }: InstancePage,
  width: number,
): readonly Line[] {
  if (!instance) return [['The config has this instance no more.']];
  const left = (columns: number): Line[] => [
    ...general(instance, now, columns),
    [],
    ...traffic(instance, now, columns),
    ...(detail ? [[], ...histogram(detail, columns), [], ...lastErrors(detail, columns)] : []),
  ];
  if (!detail) return left(width);
  const right = (columns: number): Line[] => [
    ...catalogue(detail, columns),
    [],
    ...operations(detail, columns),
    [],
    ...breakerHistory(detail, columns),
    [],
    ...config(detail, columns),
  ];
  return beside(width, left, right);
}

function general(instance: InstanceStatus, now: number, width: number): Line[] {
  const { state, stateDetail, stateSince, nextLookAt, breaker, maxConcurrency } = instance;
  const { symbol, tone } = STATES[state];
  const limit = maxConcurrency === undefined ? '' : ` of ${maxConcurrency}`;
  return [
    heading('State'),
    ...facts(
      [
        [
          'state',
          [[`${symbol} ${state}`, tone], ` for ${formatSpan(Math.max(0, now - stateSince))}`],
        ],
        ['because', stateDetail],
        ['next probe', nextLookAt === undefined ? undefined : `in ${countdown(nextLookAt - now)}`],
        [
          'breaker',
          [breakerOf(instance, now), ` for ${formatSpan(Math.max(0, now - breaker.since))}`],
        ],
        ['because', breaker.reason],
        ['running', `${instance.inFlight}${limit}, ${instance.queued} waiting for room`],
        ['connections', String(instance.connections)],
        ['address', instance.baseUrl],
        [
          'adapter',
          `${instance.adapter}${instance.version ? `, version ${instance.version}` : ''}`,
        ],
        ['weight', `${instance.weight}, priority ${instance.priority}`],
        ['services', instance.services.join(', ')],
      ],
      width,
    ),
  ];
}

function traffic({ recent, totals }: InstanceStatus, now: number, width: number): Line[] {
  const room = Math.max(10, Math.min(60, width - 14));
  const max = Math.max(1, ...recent.perSecond);
  const second = Math.floor(now / 1000);
  const speed = `${tokens(recent)} tok/s`;
  return [
    heading('Last minute'),
    ...facts(
      [
        ['attempts', [[sparkline(recent.perSecond, { width: room, max, second }), 'chart']]],
        ['rate', `${rate(perSecond(recent))} each second, ${speed}`],
        ['failed', [errors(recent.errorShare)]],
        ['duration', quantiles(recent.duration)],
        ['first byte', quantiles(recent.firstByte)],
      ],
      width,
    ),
    [],
    heading('Since the start'),
    ...facts(
      [
        [
          'attempts',
          `${formatCount(totals.calls)}: ${formatCount(totals.ok)} good, ${formatCount(totals.failed)} failed, ${formatCount(totals.broken)} cut, ${formatCount(totals.aborted)} left by the client`,
        ],
        [
          'errors',
          Object.entries(totals.errors)
            .toSorted(([, a], [, b]) => b - a)
            .map(([code, number]) => `${code} ${formatCount(number)}`)
            .join(', '),
        ],
        [
          'tokens',
          `${formatCount(totals.tokensIn)} in, ${formatCount(totals.tokensOut)} out${totals.tokensGuessed > 0 ? `, and about ${formatCount(totals.tokensGuessed)} that were not counted` : ''}`,
        ],
        ['bytes', `${formatBytes(totals.bytesIn)} in, ${formatBytes(totals.bytesOut)} out`],
      ],
      width,
    ),
  ];
}

function quantiles(values: Percentiles | undefined): string | undefined {
  return (
    values &&
    `p50 ${duration(values.p50)}, p95 ${duration(values.p95)}, p99 ${duration(values.p99)}`
  );
}

/** How many good answers took how long; neighbouring steps are joined until they fit on a page. */
function histogram({ histogram: steps }: InstanceDetail, width: number): Line[] {
  const first = steps.findIndex(({ count: number }) => number > 0);
  const title = heading('Durations, last minute');
  if (first < 0) return [title, [['no good answer', 'faint']]];
  const last = steps.findLastIndex(({ count: number }) => number > 0);
  const seen = steps.slice(first, last + 1);
  const size = Math.ceil(seen.length / 12);
  const joined: { until: number; count: number }[] = [];
  for (let index = 0; index < seen.length; index += size) {
    const group = seen.slice(index, index + size);
    const sum = group.reduce((all, step) => all + step.count, 0);
    joined.push({ until: group.at(-1)!.until, count: sum });
  }
  const most = Math.max(...joined.map((step) => step.count));
  const room = Math.max(8, Math.min(48, width - 22));
  return [
    title,
    ...joined.map((step): Line => {
      const label = `≤ ${duration(step.until)}`.padStart(9);
      return [
        [label, 'faint'],
        '  ',
        [bar(step.count / most, room), 'chart'],
        ` ${step.count === 0 ? '' : formatCount(step.count)}`,
      ];
    }),
  ];
}

function lastErrors({ lastErrors: all }: InstanceDetail, width: number): Line[] {
  const title = heading('Last errors');
  if (all.length === 0) return [title, [['none', 'faint']]];
  return [
    title,
    ...all.flatMap(({ at, model, message, call }): Line[] => [
      [[formatClock(at), 'faint'], '  ', plain(model), '  ', [plain(call), 'faint']],
      ...paragraph(`  ${message}`, width, 'bad'),
    ]),
  ];
}

function breakerHistory({ breakerHistory: all }: InstanceDetail, width: number): Line[] {
  if (all.length === 0) return [heading('Breaker'), [['has not opened yet', 'faint']]];
  return [
    heading('Breaker'),
    ...grid(
      all.map((one) => [
        [[formatClock(one.since), 'faint']],
        [one.state],
        [[plain(one.reason ?? ''), 'faint']],
      ]),
      width,
    ),
  ];
}

function catalogue({ catalogue: all, wildcards }: InstanceDetail, width: number): Line[] {
  const rows = all
    .toSorted((a, b) => Number(b.loaded ?? false) - Number(a.loaded ?? false))
    .map((entry): Line[] => [
      [entry.loaded ? ['●', 'good'] : ' '],
      [[plain(entry.id), 'strong']],
      [
        [
          entry.contextLength === undefined ? '' : `${formatCount(entry.contextLength)} context`,
          'faint',
        ],
      ],
      [[entry.services.join(' '), 'faint']],
      [[entry.aliases.length === 0 ? '' : `also ${entry.aliases.map(plain).join(', ')}`, 'faint']],
    ]);
  const patterns = wildcards.map((pattern): Line[] => [
    [' '],
    [[plain(pattern), 'strong']],
    [['whatever fits', 'faint']],
  ]);
  const loaded = all.filter((entry) => entry.loaded).length;
  const note = loaded === 0 ? '' : `, ● ${loaded} in memory`;
  return [
    [
      [counted(all.length, 'model'), 'accent'],
      [note, 'faint'],
    ],
    ...grid([...rows, ...patterns], width),
  ];
}

function operations({ operations: all }: InstanceDetail, width: number): Line[] {
  return [heading('Supports'), ...paragraph(all.join(', ') || 'nothing', width)];
}

function config({ config: all }: InstanceDetail, width: number): Line[] {
  return [heading('Config in effect'), ...yamlLines(all).flatMap((line) => paragraph(line, width))];
}
