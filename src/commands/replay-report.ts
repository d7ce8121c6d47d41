import { formatCount, formatShare, formatSpan, plain } from '../format.ts';
import { isComparable, textDiff, textLikeness, type Replayed, type Side } from './replay-call.ts';
import { table, type Column } from './table.ts';
import type { Paint } from './terminal.ts';

/** Cells of a terminal below which only what matters most is shown. */
const WIDE = 120;

/** What was waited for, when it is there. */
export function doneLine({ file, now, same, problem }: Replayed, { good, bad }: Paint): string {
  if (!now) return `${bad('✗')} ${file}  ${plain(problem ?? '')}`;
  const mark = same.status ? good('✓') : bad('✗');
  return `${mark} ${file}  ${now.status}  ${formatSpan(now.duration)}`;
}

/** A line for each call, cut to the width. */
export function comparisonTable(
  all: readonly Replayed[],
  { paint, width }: { readonly paint: Paint; readonly width: number | undefined },
): string[] {
  const columns = width === undefined || width >= WIDE ? COLUMNS : COLUMNS.filter(isShort);
  const painted = columns.map((column): Column<Replayed> => ({
    ...column,
    paint: (text, row) => (column.differs?.(row) ? paint.bad(text) : text),
  }));
  return table(painted, all, { width, head: paint.faint });
}

interface ReportColumn extends Column<Replayed> {
  /** Only where there is room. */
  readonly wide?: boolean;
  readonly differs?: (row: Replayed) => boolean;
}

const COLUMNS: readonly ReportColumn[] = [
  { title: 'RECORDING', cell: ({ file }) => file.split('/').at(-1)!, flexible: true },
  { title: 'SENT TO', cell: ({ now }) => targetText(now), flexible: true, wide: true },
  {
    title: 'STATUS',
    cell: ({ before, now }) => change(before.status, now?.status, String),
    differs: ({ same }) => !same.status,
  },
  {
    title: 'TEXT',
    cell: textText,
    differs: (row) => isComparable(row) && !row.same.text,
  },
  {
    title: 'TOOLS',
    cell: toolsText,
    differs: (row) => isComparable(row) && !row.same.calls,
  },
  {
    title: 'TOKENS IN',
    cell: ({ before, now }) => change(before.said.tokensIn, now?.said.tokensIn, formatCount),
    right: true,
    wide: true,
  },
  {
    title: 'TOKENS OUT',
    cell: ({ before, now }) => change(before.said.tokensOut, now?.said.tokensOut, formatCount),
    right: true,
  },
  {
    title: 'FIRST BYTE',
    cell: ({ before, now }) => change(before.firstByte, now?.firstByte, formatSpan),
    right: true,
    wide: true,
  },
  {
    title: 'TOTAL',
    cell: ({ before, now }) => change(before.duration, now?.duration, formatSpan),
    right: true,
  },
];

function isShort({ wide }: ReportColumn): boolean {
  return wide !== true;
}

function targetText(now: Side | undefined): string {
  return [now?.instance, now?.model].filter((name) => name !== undefined).join('/');
}

function toolsText(row: Replayed): string {
  const { before, now, same } = row;
  const called = before.said.calls.length + (now?.said.calls.length ?? 0) > 0;
  if (!called || !isComparable(row)) return '';
  return same.calls ? 'same' : 'differ';
}

function textText(row: Replayed): string {
  const { same, before } = row;
  if (!isComparable(row)) return '';
  if (same.text) return before.said.text === '' ? '' : 'same';
  return `${formatShare(textLikeness(row))} alike`;
}

/** `212 ms → 180 ms`, or one of them where they read the same. */
function change<T>(before: T | undefined, now: T | undefined, text: (value: T) => string): string {
  const [a, b] = [before, now].map((value) => (value === undefined ? '–' : text(value)));
  return a === b ? (a === '–' ? '' : a!) : `${a} → ${b}`;
}

/** What went wrong, a line each. */
export function problemLines(all: readonly Replayed[], { bad }: Paint): string[] {
  return all.flatMap(({ file, problem, same }) =>
    problem === undefined || same.status ? [] : [`${bad('!')} ${file}: ${plain(problem)}`],
  );
}

/** Where texts and calls differ, in the signs of `git diff --word-diff`. */
export function diffLines(all: readonly Replayed[], { good, bad, strong }: Paint): string[] {
  const signs = {
    same: (text: string) => text,
    removed: (text: string) => bad(`[-${text}-]`),
    added: (text: string) => good(`{+${text}+}`),
  };
  return all.flatMap((replayed) => {
    const { file, same, before, now } = replayed;
    if (!now || !isComparable(replayed) || (same.text && same.calls)) return [];
    const text = textDiff(replayed).map(({ kind, text: words }) => signs[kind](plainText(words)));
    const call = ({ name, arguments: given }: Side['said']['calls'][number]): string =>
      plain(`${name} ${given}`);
    return [
      '',
      strong(file),
      ...(same.text ? [] : text.join('').split('\n')),
      ...(same.calls ? [] : before.said.calls.map((each) => signs.removed(call(each)))),
      ...(same.calls ? [] : now.said.calls.map((each) => signs.added(call(each)))),
    ];
  });
}

/** Without what a terminal would take for orders; its lines stay. */
function plainText(text: string): string {
  return text.split('\n').map(plain).join('\n');
}

/** How it stands altogether. */
export function summaryLine(all: readonly Replayed[], ok: boolean, { good, bad }: Paint): string {
  const status = all.filter(({ same }) => same.status).length;
  const texts = all.filter((row) => isComparable(row) && !row.same.text).length;
  const calls = all.filter((row) => isComparable(row) && !row.same.calls).length;
  const count = all.length === 1 ? 'The call is' : `${status} of ${all.length} calls are`;
  const answered =
    all.length === 1 && status === 0
      ? 'The call is not answered as before'
      : `${count} answered as before in status`;
  const more = [
    ...(texts > 0 ? [texts === 1 ? '1 text differs' : `${texts} texts differ`] : []),
    ...(calls > 0 ? [`tools are called otherwise in ${calls}`] : []),
  ];
  const text = `${[answered, ...more].join('; ')}.`;
  return ok ? good(`✓ ${text}`) : bad(text);
}

/** What `--json` prints. */
export function replayJson(
  all: readonly Replayed[],
  { url, to, ok }: { readonly url: string; readonly to: string | undefined; readonly ok: boolean },
): object {
  return {
    ok,
    url,
    to: to ?? null,
    calls: all.map(({ file, recording, before, now, problem, same }) => ({
      file,
      operation: recording.operation,
      model: recording.request.model ?? null,
      same: now ? same : null,
      before: sideJson(before),
      now: now ? sideJson(now) : null,
      problem: problem ?? null,
    })),
  };
}

function sideJson({ status, instance, model, said, firstByte, duration }: Side): object {
  return {
    status: status ?? null,
    instance: instance ?? null,
    model: model ?? null,
    text: said.text,
    calls: said.calls,
    tokensIn: said.tokensIn ?? null,
    tokensOut: said.tokensOut ?? null,
    firstByteMs: firstByte ?? null,
    totalMs: duration,
  };
}
