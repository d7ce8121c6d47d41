/** Characters up to which a list or an object without others in it stands on one line. */
const SHORT = 100;

/**
 * Writes JSON for people: as `JSON.stringify` indents it, but short things, vectors and the events of
 * streams on one line each.
 */
export function pretty(value: unknown, indent = ''): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const inner = `${indent}  `;
  const items = Array.isArray(value)
    ? (value as unknown[]).map((item) => pretty(item, inner))
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => `${JSON.stringify(key)}: ${pretty(item, inner)}`);
  if (items.length === 0) return open + close;
  if (isFlat(value)) {
    const line = items.join(', ');
    if (line.length <= SHORT || isLine(value))
      return Array.isArray(value) ? `[${line}]` : `{ ${line} }`;
  }
  return `${open}\n${inner}${items.join(`,\n${inner}`)}\n${indent}${close}`;
}

function isFlat(value: object): boolean {
  return Object.values(value).every((item) => typeof item !== 'object' || item === null);
}

/** A vector, or a piece of a stream: however long, it is one thing. */
function isLine(value: object): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'number');
  return 'at' in value && ('text' in value || 'base64' in value);
}
