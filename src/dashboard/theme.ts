/**
 * What a text means. Its colour only underlines that: the words, symbols and places say the same
 * without it.
 */
export type Tone =
  | 'strong'
  | 'faint'
  | 'good'
  | 'warn'
  | 'bad'
  /** A key to press, a title, the pane that has the focus. */
  | 'accent'
  /** The drawn part of a chart. */
  | 'chart'
  /** The row that keys act on. */
  | 'selected';

export interface Theme {
  /** @returns The text with the escape codes of its tone around it. */
  paint(text: string, tone: Tone): string;
}

type Codes = readonly [on: string, off: number];

const ATTRIBUTES = {
  strong: ['1', 22],
  faint: ['2', 22],
  selected: ['7', 27],
} as const satisfies Partial<Record<Tone, Codes>>;

/** For terminals without colour, and people without wish for it: bold, dim and inverse alone. */
const UNCOLOURED: Record<Tone, Codes> = {
  ...ATTRIBUTES,
  good: ['', 0],
  warn: ['', 0],
  bad: ['1', 22],
  accent: ['1', 22],
  chart: ['', 0],
};

/** Of the sixteen colours, which the terminal's own palette fits to its background. */
const ON_DARK: Record<Tone, Codes> = {
  ...ATTRIBUTES,
  good: ['32', 39],
  warn: ['33', 39],
  bad: ['31', 39],
  accent: ['36', 39],
  chart: ['36', 39],
};

/** Yellow and cyan are too pale to be read on white. */
const ON_LIGHT: Record<Tone, Codes> = {
  ...ON_DARK,
  warn: ['35', 39],
  accent: ['34', 39],
  chart: ['34', 39],
};

/** What a terminal writes on. */
export type Background = 'light' | 'dark';

/** @param options.background What the terminal has said of itself; dark when nobody knows. */
export function themeFor(options: {
  readonly colour: boolean;
  readonly background?: Background | undefined;
}): Theme {
  const codes = !options.colour ? UNCOLOURED : options.background === 'light' ? ON_LIGHT : ON_DARK;
  return {
    paint(text, tone) {
      const [on, off] = codes[tone];
      return on === '' || text === '' ? text : `\u001b[${on}m${text}\u001b[${off}m`;
    },
  };
}

/** Without any escape code, as for a pipe. */
export const PLAIN_THEME: Theme = { paint: (text) => text };

/**
 * The background as `COLORFGBG` tells it (`15;0`, `0;default;15`), which rxvt, Konsole, iTerm2 and
 * others set: colours 7 and above 8 are light.
 */
export function backgroundOf(colorfgbg: string | undefined): Background | undefined {
  const last = /;(\d+)$/.exec(colorfgbg ?? '')?.[1];
  if (last === undefined) return undefined;
  return last === '7' || Number(last) > 8 ? 'light' : 'dark';
}
