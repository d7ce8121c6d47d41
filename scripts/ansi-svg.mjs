// Draws a captured terminal (`tmux capture-pane -e`) as an SVG: its sixteen colours, bold, dim and
// inverse, each character in its column. Lines and blocks are drawn as shapes, since no two fonts
// agree on where theirs end.

const CELL = { width: 8.4, height: 18 };
const MARGIN = 16;
/** Of the window's bar. */
const BAR = 34;
const FONT =
  "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace";
const GROUND = '#16181d';
const INK = '#d6d9e0';
const SELECTED = '#aeb4c2';
/** The eight colours, and the eight bright ones. */
const COLOURS =
  '3b4048 f2777a 8fc98f e6c07b 7aa6da c397d8 6fc7c7 d6d9e0 6b7280 ff8f92 a8dca8 f0d399 93b9e8 d5b0e6 8adada ffffff'
    .split(' ')
    .map((colour) => `#${colour}`);

/**
 * @param {string} text Lines with escape codes.
 * @param {{ columns: number, title: string }} options The title stands in the window's bar.
 * @returns {string}
 */
export function toSvg(text, { columns, title }) {
  const lines = text.replace(/\n+$/, '').split('\n');
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN);
  const height = Math.ceil(lines.length * CELL.height + BAR + MARGIN);
  const dots = ['#f2777a', '#e6c07b', '#8fc98f']
    .map((fill, index) => `<circle cx="${20 + index * 18}" cy="18" r="5.5" fill="${fill}"/>`)
    .join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
<rect width="${width}" height="${height}" rx="9" fill="${GROUND}"/>
${dots}<text x="${width / 2}" y="22.5" text-anchor="middle" fill="#8a90a0" font-family="system-ui, sans-serif" font-size="12.5">${escaped(title)}</text>
<g font-family="${FONT}" font-size="14" fill="${INK}" stroke="none" xml:space="preserve">
${screen(lines).map(row).join('\n')}
</g>
</svg>
`;
}

function row(all, index) {
  const y = BAR + index * CELL.height;
  const pieces = runs(all);
  return [...pieces.map((run) => ground(run, y)), ...pieces.map((run) => drawing(run, y))].join('');
}

/** The characters of each line, with column and style; a style goes on until it is ended, also in the next line. */
function screen(lines) {
  let style = {};
  return lines.map((line) => {
    const all = [];
    let column = 0;
    // oxlint-disable-next-line no-control-regex -- escape codes are what is looked for
    for (const part of line.split(/(\u001b\[[\d;]*m)/)) {
      // oxlint-disable-next-line no-control-regex -- the same
      const codes = /^\u001b\[([\d;]*)m$/.exec(part);
      if (codes) {
        style = (codes[1] || '0').split(';').map(Number).reduce(styled, style);
        continue;
      }
      for (const character of part) {
        const columns = columnsOf(character);
        all.push({ character, style, column, columns, shape: SHAPES[character] });
        column += columns;
      }
    }
    return all;
  });
}

function styled(style, code) {
  if (code === 0) return {};
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 7) return { ...style, inverse: true };
  if (code === 22) return { ...style, bold: false, dim: false };
  if (code === 27) return { ...style, inverse: false };
  if (code === 39) return { ...style, colour: undefined };
  if (code >= 30 && code <= 37) return { ...style, colour: COLOURS[code - 30] };
  if (code >= 90 && code <= 97) return { ...style, colour: COLOURS[code - 82] };
  return style;
}

/** Neighbours that are drawn in one: words of a style, blanks, the same shape again and again. */
function runs(all) {
  const found = [];
  for (const cell of all) {
    const last = found.at(-1);
    const kind = cell.shape ? cell.character : cell.character === ' ' ? 'blank' : 'text';
    if (last && last.style === cell.style && last.kind === kind) {
      last.text += cell.character;
      last.columns += cell.columns;
    } else found.push({ ...cell, kind, text: cell.character });
  }
  return found;
}

function ground({ style, column, columns }, y) {
  if (!style.inverse) return '';
  const box = `x="${at(column)}" y="${y}" width="${short(columns * CELL.width)}"`;
  return `<rect ${box} height="${CELL.height}" fill="${style.colour ?? SELECTED}"/>`;
}

function drawing({ kind, text, style, shape, column, columns }, y) {
  if (kind === 'blank') return '';
  const colour = style.inverse ? GROUND : style.colour;
  const fill = colour ? ` fill="${colour}"` : '';
  const faint = style.dim ? ' opacity="0.55"' : '';
  if (shape) {
    const width = columns * CELL.width;
    return shape({ x: MARGIN + column * CELL.width, y, width, colour: colour ?? INK, faint });
  }
  const weight = style.bold ? ' font-weight="700"' : '';
  const stretch = `textLength="${short(columns * CELL.width)}" lengthAdjust="spacingAndGlyphs"`;
  return `<text x="${at(column)}" y="${y + 13.5}" ${stretch}${fill}${faint}${weight}>${escaped(text)}</text>`;
}

/** A part of the cell, in shares of it from its upper left. */
function block({ top = 0, left = 0, right = 1, opacity = 1 }) {
  return ({ x, y, width, colour, faint }) => {
    const repeated = Math.round(width / CELL.width);
    // Only whole cells are joined: of others, each begins anew.
    const parts =
      right - left === 1
        ? [[x, width]]
        : Array.from({ length: repeated }, (_, index) => [
            x + (index + left) * CELL.width,
            (right - left) * CELL.width,
          ]);
    const height = CELL.height * (1 - top);
    const see = opacity === 1 ? '' : ` fill-opacity="${opacity}"`;
    return parts
      .map(
        ([from, wide]) =>
          `<rect x="${short(from)}" y="${short(y + CELL.height * top)}" width="${short(wide)}" height="${short(height)}" fill="${colour}"${see}${faint}/>`,
      )
      .join('');
  };
}

/** A line through the cell: its path from the middle `(a, b)`, with the cell's edges. */
function line(path) {
  return ({ x, y, width, colour, faint }) => {
    const edges = {
      x,
      y,
      r: x + width,
      b: y + CELL.height,
      a: x + CELL.width / 2,
      m: y + CELL.height / 2,
    };
    return `<path d="${path(edges).replaceAll(/-?\d+\.\d+/g, short)}" fill="none" stroke="${colour}"${faint}/>`;
  };
}

const SHAPES = {
  '─': line(({ x, r, m }) => `M${x} ${m}H${r}`),
  '│': line(({ a, y, b }) => `M${a} ${y}V${b}`),
  '╭': line(({ a, r, m, b }) => `M${a} ${b}V${m + 5}Q${a} ${m} ${a + 4.2} ${m}H${r}`),
  '╮': line(({ x, a, m, b }) => `M${x} ${m}H${a - 4.2}Q${a} ${m} ${a} ${m + 5}V${b}`),
  '╰': line(({ a, r, m, y }) => `M${a} ${y}V${m - 5}Q${a} ${m} ${a + 4.2} ${m}H${r}`),
  '╯': line(({ x, a, m, y }) => `M${x} ${m}H${a - 4.2}Q${a} ${m} ${a} ${m - 5}V${y}`),
  '░': block({ top: 0.12, opacity: 0.35 }),
  ...Object.fromEntries(
    Array.from('▁▂▃▄▅▆▇█', (one, index) => [one, block({ top: 1 - ((index + 1) / 8) * 0.88 })]),
  ),
  ...Object.fromEntries(
    Array.from('▏▎▍▌▋▊▉', (one, index) => [one, block({ top: 0.12, right: (index + 1) / 8 })]),
  ),
};

function columnsOf(character) {
  return /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]/.test(
    character,
  )
    ? 2
    : 1;
}

function at(column) {
  return short(MARGIN + column * CELL.width);
}

function short(value) {
  return String(Math.round(Number(value) * 100) / 100);
}

function escaped(text) {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
