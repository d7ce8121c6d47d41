import { escapeVariables } from '../interpolate.ts';

const PLACEHOLDER = /\$\{([^{}:]+)(?::([^{}]*))?\}/g;

/**
 * A text of a Spring config as one of ours: `${VAR:default}` becomes `${VAR:-default}`.
 *
 * @returns `undefined` where it refers to something that is no variable of the environment.
 */
export function fromSpring(text: string): string | undefined {
  let from = 0;
  let result = '';
  for (const match of text.matchAll(PLACEHOLDER)) {
    const [whole, name = '', fallback] = match;
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name.trim())) return undefined;
    result += escapeVariables(text.slice(from, match.index));
    // An empty default says there that it may be unset; here an unset one is told.
    result += `\${${name.trim()}${fallback ? `:-${fallback}` : ''}}`;
    from = match.index + whole.length;
  }
  const rest = text.slice(from);
  return /\$\{|#\{/.test(rest) ? undefined : result + rest;
}
