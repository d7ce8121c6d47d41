/** Lines of the same that are shown around a change. */
const CONTEXT = 3;
/** Beyond this many lines on either side, all of one is shown as gone and all of the other as new. */
const MOST_LINES = 4000;

export interface DiffLine {
  /** `gap` stands for lines that are the same and not shown. */
  readonly kind: 'same' | 'gone' | 'new' | 'gap';
  readonly text: string;
}

/** @returns What to take away and to add to make one text of the other; nothing when they are equal. */
export function lineDiff(before: string, after: string): DiffLine[] {
  const all = compared(linesOf(before), linesOf(after));
  if (all.every(({ kind }) => kind === 'same')) return [];
  const near = all.map((_, index) =>
    all
      .slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1)
      .some(({ kind }) => kind !== 'same'),
  );
  return all.flatMap((line, index) => {
    if (near[index]) return [line];
    return index === 0 || near[index - 1] ? [{ kind: 'gap', text: '' } as const] : [];
  });
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** By the longest common subsequence of their lines. */
function compared(before: readonly string[], after: readonly string[]): DiffLine[] {
  const lines: DiffLine[] = [];
  const add = (kind: DiffLine['kind'], text: string): void => void lines.push({ kind, text });
  const lengths =
    before.length > MOST_LINES || after.length > MOST_LINES ? undefined : table(before, after);
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      add('same', before[i]!);
      i += 1;
      j += 1;
    } else if (j >= after.length || (i < before.length && goes(lengths, i, j))) {
      add('gone', before[i]!);
      i += 1;
    } else {
      add('new', after[j]!);
      j += 1;
    }
  }
  return lines;
}

function goes(lengths: readonly Uint16Array[] | undefined, i: number, j: number): boolean {
  return lengths === undefined || lengths[i + 1]![j]! >= lengths[i]![j + 1]!;
}

/** At `[i][j]`: how many lines the rest from there has in common. */
function table(before: readonly string[], after: readonly string[]): Uint16Array[] {
  const rows = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--) {
    const row = rows[i]!;
    const next = rows[i + 1]!;
    for (let j = after.length - 1; j >= 0; j--) {
      row[j] = before[i] === after[j] ? next[j + 1]! + 1 : Math.max(next[j]!, row[j + 1]!);
    }
  }
  return rows;
}
