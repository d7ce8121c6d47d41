/**
 * How a program writes JSON, where it does not write as `JSON.stringify`. Answers can be given again
 * byte for byte by it, and yet stand in a file as values.
 */
export interface JsonLayout {
  /** `loose`: a blank after each colon and comma, as Python does; a number: indented by so many. */
  readonly spaces?: 'loose' | number | undefined;
  /** Escaped in texts: `html`: `<`, `>` and `&`, as Go does; `ascii`: all that is not ASCII, as Python does. */
  readonly escapes?: 'html' | 'ascii' | undefined;
  /** What comes after the value. */
  readonly end?: string | undefined;
}

/** @returns How the text was written; `undefined` when nothing that is known here writes it so. */
export function layoutOf(text: string, value: unknown): JsonLayout | undefined {
  const end = /\s*$/.exec(text)![0];
  const spaces = spacesIn(text);
  const escapes = /\\u00(?:3[ce]|26)/i.test(text)
    ? 'html'
    : /\\u(?!00[01])/i.test(text)
      ? 'ascii'
      : undefined;
  const layout: JsonLayout = {
    ...(spaces !== undefined && { spaces }),
    ...(escapes && { escapes }),
    ...(end !== '' && { end }),
  };
  return writeJson(value, layout) === text ? layout : undefined;
}

/** Writes a value as that program would. */
export function writeJson(value: unknown, { spaces, escapes, end = '' }: JsonLayout = {}): string {
  const text = JSON.stringify(value, null, typeof spaces === 'number' ? spaces : 0);
  return escaped(spaces === 'loose' ? loosened(text) : text, escapes) + end;
}

function spacesIn(text: string): JsonLayout['spaces'] {
  const indented = /^[{[]\r?\n( +)/.exec(text);
  if (indented) return indented[1]!.length;
  return /^\{"(?:[^"\\]|\\.)*": |^\[[^",]*, /.test(text) ? 'loose' : undefined;
}

function loosened(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|[:,]/g, (token) =>
    token === ':' || token === ',' ? `${token} ` : token,
  );
}

function escaped(text: string, escapes: JsonLayout['escapes']): string {
  if (escapes === 'html') return text.replace(/[<>&\u2028\u2029]/g, unicodeEscape);
  // Without the `u` flag a pair of surrogates is two, as it has to be written.
  return escapes === 'ascii' ? text.replace(/[\u007f-\uffff]/g, unicodeEscape) : text;
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
