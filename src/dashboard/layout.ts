/** The panes, in the order of their keys 1 to 5. */
export const PANES = ['instances', 'streams', 'calls', 'events', 'models'] as const;
export type PaneName = (typeof PANES)[number];

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedPane extends Rectangle {
  readonly name: PaneName;
  /** With lines around it, where there is room for that; otherwise only one above. */
  readonly framed: boolean;
}

export interface LayoutOptions {
  readonly size: Size;
  /** Lines that header and footer take. */
  readonly around: number;
  /** Is shown, whatever has to go for it. */
  readonly focus: PaneName;
  /** It has all the room. */
  readonly zoomed: boolean;
  /** How many rows each pane could show. */
  readonly rows: Readonly<Record<PaneName, number>>;
}

/** Below this, nothing useful can be shown. */
export const SMALLEST: Size = { columns: 40, rows: 8 };

/** From this size on, panes stand side by side. */
const WIDE: Size = { columns: 150, rows: 30 };
const ROOMY: Size = { columns: 100, rows: 28 };

/** What goes last when room gets scarce comes first. */
const BY_IMPORTANCE: readonly PaneName[] = ['instances', 'calls', 'events', 'streams', 'models'];
/** From the top. */
const STACK: readonly PaneName[] = ['instances', 'streams', 'models', 'calls', 'events'];
/** Rows that a pane is worth showing with; the one of titles is not counted. */
const WORTH: Readonly<Record<PaneName, number>> = {
  instances: 6,
  calls: 5,
  events: 3,
  streams: 2,
  models: 3,
};

/** Whether there is room for lines around things. */
export function isRoomy({ columns, rows }: Size): boolean {
  return columns >= ROOMY.columns && rows >= ROOMY.rows;
}

/** Divides the room between header and footer among the panes. `y` counts from below the header. */
export function layOut(options: LayoutOptions): PlacedPane[] {
  const { columns, rows } = options.size;
  const framed = isRoomy(options.size);
  const height = Math.max(0, rows - options.around);
  const whole = { x: 0, y: 0, width: columns, height };
  if (options.zoomed) return [{ ...whole, name: options.focus, framed }];
  if (columns >= WIDE.columns && rows >= WIDE.rows) return sideBySide(whole, options);
  const shown = worthShowing(height, framed, options);
  return stack(
    whole,
    STACK.filter((name) => shown.has(name)),
    { framed, rows: options.rows },
  );
}

/** Instances over all of the width; below them calls, and the rest beside those. */
function sideBySide(whole: Rectangle, { rows }: LayoutOptions): PlacedPane[] {
  const top = Math.min(wanted('instances', true, rows), Math.floor(whole.height * 0.45));
  const below = { y: top, height: whole.height - top };
  const left = Math.floor(whole.width * 0.58);
  return [
    { ...whole, name: 'instances', height: top, framed: true },
    { ...below, name: 'calls', x: 0, width: left, framed: true },
    ...stack({ ...below, x: left, width: whole.width - left }, ['streams', 'models', 'events'], {
      framed: true,
      rows,
    }),
  ];
}

function worthShowing(
  height: number,
  framed: boolean,
  { focus, rows }: LayoutOptions,
): Set<PaneName> {
  const shown = new Set<PaneName>();
  let left = height;
  for (const name of new Set<PaneName>([focus, ...BY_IMPORTANCE])) {
    left -= least(name, framed, rows);
    if (left < 0 && shown.size > 0) break;
    shown.add(name);
  }
  return shown;
}

/**
 * One below the other: each gets what it is worth showing with, then what it could fill, up to its
 * share; calls and events take what is left, since there are always more of them.
 */
function stack(
  whole: Rectangle,
  names: readonly PaneName[],
  { framed, rows }: { readonly framed: boolean; readonly rows: LayoutOptions['rows'] },
): PlacedPane[] {
  const heights = new Map(names.map((name) => [name, least(name, framed, rows)]));
  let left = whole.height - [...heights.values()].reduce((sum, one) => sum + one, 0);
  const give = (name: PaneName, more: number): void => {
    const given = Math.max(0, Math.min(more, left));
    heights.set(name, heights.get(name)! + given);
    left -= given;
  };
  for (const name of names) {
    const limit = Math.floor(whole.height * (name === 'instances' ? 0.5 : 0.25));
    if (name === 'calls' || name === 'events') continue;
    give(name, Math.min(wanted(name, framed, rows), limit) - heights.get(name)!);
  }
  const open = names.filter((name) => name === 'calls' || name === 'events');
  if (open.length === 2) give('events', Math.floor(left * 0.3));
  // What nobody needs goes to the last one all the same: no hole is left.
  give(open.includes('calls') ? 'calls' : (open[0] ?? names.at(-1)!), left);
  let { y } = whole;
  return names.map((name) => {
    const height = Math.max(0, Math.min(heights.get(name)!, whole.y + whole.height - y));
    const placed = { name, framed, x: whole.x, y, width: whole.width, height };
    y += height;
    return placed;
  });
}

/** Lines of a pane beside its rows: the frame or the line above, and the titles. */
function chrome(name: PaneName, framed: boolean): number {
  return (framed ? 2 : 1) + (name === 'events' ? 0 : 1);
}

function least(name: PaneName, framed: boolean, rows: LayoutOptions['rows']): number {
  const worth = name === 'instances' ? Math.max(1, Math.min(WORTH[name], rows[name])) : WORTH[name];
  return chrome(name, framed) + worth;
}

function wanted(name: PaneName, framed: boolean, rows: LayoutOptions['rows']): number {
  return chrome(name, framed) + Math.max(1, rows[name]);
}
