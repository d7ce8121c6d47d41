import type { Finding, Path } from './problem.ts';

/** Looks a variable up; an unset one is `undefined`. */
export type Environment = (name: string) => string | undefined;

/** A text that names a variable which is not set. */
export interface Unset {
  readonly path: Path;
  readonly variable: string;
}

export interface Interpolated {
  /** A copy with the variables filled in; a text that names an unset one stands as it was. */
  readonly data: unknown;
  readonly unset: readonly Unset[];
  readonly findings: readonly Finding[];
}

/** Far below any option; an alias of YAML may make a block contain itself. */
const DEEPEST = 16;

/**
 * Fills `${VAR}` and `${VAR:-default}` into every text of a config; `$${` stands for `${`. Keys are
 * left alone. A variable that is set to nothing counts as unset, as in a shell's `:-`: an empty
 * `OPENAI_API_KEY=` in an `.env` means that there is none.
 */
export function interpolate(data: unknown, environment: Environment): Interpolated {
  const unset: Unset[] = [];
  const findings: Finding[] = [];
  const visit = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') {
      const result = expand(value, environment);
      if ('text' in result) return result.text;
      if ('unset' in result) unset.push({ path, variable: result.unset });
      else findings.push({ path, at: 'value', message: result.problem });
      return value;
    }
    if (path.length > DEEPEST) {
      findings.push({ path, at: 'value', message: 'goes too deep; does it contain itself?' });
      return undefined;
    }
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, index]));
    // `key:` with nothing after it is an option that is not given.
    if (value === null) return undefined;
    if (isPlain(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([key, child]) => [key, visit(child, [...path, key])]),
      );
    }
    return value;
  };
  return { data: visit(data, []), unset, findings };
}

type Expansion =
  | { readonly text: string }
  | { readonly unset: string }
  | { readonly problem: string };

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/y;

/** Fills the variables into one text. */
export function expand(text: string, environment: Environment): Expansion {
  let result = '';
  let from = 0;
  for (let at = text.indexOf('${'); at >= 0; at = text.indexOf('${', from)) {
    if (at > from && text[at - 1] === '$') {
      result += `${text.slice(from, at - 1)}\${`;
      from = at + 2;
      continue;
    }
    REFERENCE.lastIndex = at;
    const match = REFERENCE.exec(text);
    const [whole, name, fallback] = match ?? [];
    if (!whole || !name || fallback?.includes('${')) return { problem: badReference(text, at) };
    const value = environment(name) || fallback;
    if (value === undefined) return { unset: name };
    result += text.slice(from, at) + value;
    from = at + whole.length;
  }
  return { text: result + text.slice(from) };
}

/** @returns The text of a config option that stands for `text` as it is. */
export function escapeVariables(text: string): string {
  // A function, as `$$` in a replacement text would mean one `$`.
  return text.replaceAll('${', () => '$${');
}

/** @returns Whether a config option reads the environment. */
export function hasVariable(text: string): boolean {
  return variablesIn(text).length > 0;
}

/** @returns The names of the variables that a config option reads. */
export function variablesIn(text: string): string[] {
  return [...text.matchAll(/(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)/g)].map(([, name = '']) => name);
}

function badReference(text: string, at: number): string {
  const end = text.indexOf('}', at);
  const reference = text.slice(at, end < 0 ? at + 2 : end + 1);
  return `has \`${reference}\`, which is no variable: write \`\${NAME}\` or \`\${NAME:-default}\`, or \`$\${\` where \`\${\` itself is meant`;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // A module that was loaded apart has an Object.prototype of its own.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
