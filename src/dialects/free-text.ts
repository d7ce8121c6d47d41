import { asObject, asText, parseJson, type JsonObject } from '../adapters/json.ts';

/** What a tool that takes free text is elsewhere: a function of one text. */
export const FREE_TEXT: JsonObject = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
  additionalProperties: false,
};

/** What it is for, with the grammar of its text: that can't be enforced elsewhere, but it can be read. */
export function withGrammar(
  description: string | undefined,
  format: JsonObject | undefined,
): string | undefined {
  const definition = asText(format?.['definition']);
  if (definition === undefined) return description;
  const grammar = `The input must follow this ${asText(format?.['syntax']) ?? ''} grammar:\n${definition}`;
  return description === undefined ? grammar : `${description}\n\n${grammar}`;
}

/** Free text as that function's arguments. */
export function wrapFreeText(input: unknown): string {
  return JSON.stringify({ input: typeof input === 'string' ? input : '' });
}

/** The text in the function's arguments; all of them when they are not as they should be. */
export function freeTextOf(json: string): string {
  const input = asObject(parseJson(json))?.['input'];
  return typeof input === 'string' ? input : json;
}

/** Takes the text out of the arguments while they come. */
export interface FreeTextReader {
  /** @returns What more of the text can be told now. */
  push(json: string): string;
  /** The arguments are whole. @returns What is still to be told. */
  rest(): string;
}

const OPENING = /^\s*\{\s*"input"\s*:\s*"/;
/** Text, and at its end no escape that is not whole: neither `\`, nor `\u00`, nor half of a pair. */
const TELLABLE =
  /^(?:[^"\\]|\\(?:["\\/bfnrt]|u(?![dD][89abAB])[0-9a-fA-F]{4}|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}))*/;

export function freeTextReader(): FreeTextReader {
  let held = '';
  let whole = '';
  let told = '';
  let inside = false;
  const tell = (): string => {
    const [ready] = TELLABLE.exec(held)!;
    // A pair may also be cut in two as it is.
    const end = /[\uD800-\uDBFF]$/.test(ready) ? ready.length - 1 : ready.length;
    const text = JSON.parse(`"${escapeControls(ready.slice(0, end))}"`) as string;
    held = held.slice(end);
    told += text;
    return text;
  };
  return {
    push(json) {
      whole += json;
      held += json;
      if (!inside) {
        const opening = OPENING.exec(held);
        if (!opening) return '';
        inside = true;
        held = held.slice(opening[0].length);
      }
      return tell();
    },
    rest() {
      const text = freeTextOf(whole);
      return text.startsWith(told) ? text.slice(told.length) : '';
    },
  };
}

/** Some models write line ends into strings as they are. */
function escapeControls(text: string): string {
  return text.replace(
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    /[\u0000-\u001F]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
