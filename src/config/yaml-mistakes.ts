import { isCollection, visit, type Document, type YAMLError } from 'yaml';

/** A syntax error, in words that need no knowledge of the parser's own. */
export interface Mistake {
  /** Of the character at fault. */
  readonly offset: number;
  readonly message: string;
  /** Readable all the same. */
  readonly harmless: boolean;
}

/** @returns What is wrong with a YAML text, each slip once and where it was made. */
export function yamlMistakes(document: Document, text: string): Mistake[] {
  const told = document.errors.filter((error) => !isEcho(error, document.errors));
  return [
    ...told.map((error) => ({
      ...inWords(error, { document, text }),
      harmless: error.code === 'DUPLICATE_KEY',
    })),
    ...unusable(document).map((mistake) => ({ ...mistake, harmless: false })),
  ];
}

/** What is left over when the parser gave up on something before it. */
function isEcho({ code, message, pos }: YAMLError, all: readonly YAMLError[]): boolean {
  if (all[0]?.pos[0] === pos[0] || all.length === 1) return false;
  return code === 'UNEXPECTED_TOKEN' && message.includes('in YAML stream');
}

type Words = Pick<Mistake, 'offset' | 'message'>;

function inWords(
  { code, message, pos: [offset] }: YAMLError,
  { document, text }: { document: Document; text: string },
): Words {
  const here = (words: string): Words => ({ offset, message: words });
  const [character = ''] = text.slice(offset);
  if (text.slice(offset - 1, offset + 1) === '${')
    return here('a value with `${…}` needs quotes around it inside `{ }` and `[ ]`');
  switch (code) {
    case 'DUPLICATE_KEY': {
      const [, quoted, plain] = /^(?:["']([^"']*)["']|([^\s:]+))/.exec(text.slice(offset)) ?? [];
      return here(`\`${quoted ?? plain ?? 'a key'}\` is given twice; keep one of them`);
    }
    case 'TAB_AS_INDENT':
      return here("tabs can't indent YAML; use spaces");
    case 'BAD_ALIAS':
      return character === '&'
        ? here('text that starts with & needs quotes')
        : here('text that starts with * needs quotes');
    case 'BAD_SCALAR_START':
      return here(`text that starts with ${character} needs quotes`);
    case 'BAD_DQ_ESCAPE':
      return here(
        'a backslash in double quotes begins an escape, and this is none; write two, or use single quotes',
      );
    case 'MULTIPLE_DOCS':
      return here('a second YAML document starts here; a config is one');
    case 'BLOCK_AS_IMPLICIT_KEY':
      if (message.includes('sequence'))
        return here(
          'a list item stands where a key must be; indent it below the key it belongs to',
        );
      return text.slice(offset).split('\n', 1)[0]?.includes(':')
        ? here('a second `key:` on one line; put it on a line of its own, or the text in quotes')
        : here('the line below this one does not belong to it; align its indentation');
    case 'MULTILINE_IMPLICIT_KEY':
      return here('no `key: value`: the colon is missing, or the space after it');
    case 'BAD_INDENT':
    case 'MISSING_CHAR': {
      const open = unclosed(document, text);
      if (open === undefined || !/end with|Missing closing/.test(message))
        return here(
          code === 'BAD_INDENT'
            ? 'the indentation fits none of the blocks above; align it with the keys beside it'
            : message,
        );
      const { [open]: sign = '' } = text;
      return { offset: open, message: `this \`${sign}\` is never closed` };
    }
    case 'UNEXPECTED_TOKEN':
      if (/flow-(map|seq)-end/.test(message)) return here(`a \`${character}\` too many`);
      return message.includes('at node end')
        ? here('text stands behind the closing quote; put quotes around all of it')
        : here(message);
    default:
      return here(message);
  }
}

/** @returns The offset of the innermost bracket or quote that is opened and not closed. */
function unclosed(document: Document, text: string): number | undefined {
  let found: number | undefined;
  const consider = (range: readonly number[] | null | undefined): void => {
    const [start, end] = range ?? [];
    if (start === undefined || end === undefined) return;
    const closing = { '{': '}', '[': ']', '"': '"', "'": "'" }[text[start] ?? ''];
    if (closing === undefined) return;
    if ((end - 1 <= start || text[end - 1] !== closing) && start >= (found ?? 0)) found = start;
  };
  visit(document, {
    Scalar: (_key, { range }) => consider(range),
    Collection: (_key, { range }) => consider(range),
  });
  return found;
}

/** What YAML allows and a config can't mean. */
function unusable(document: Document): Words[] {
  const found: Words[] = [];
  visit(document, {
    Alias(_key, alias) {
      if (!alias.resolve(document))
        found.push({
          offset: alias.range?.[0] ?? 0,
          message: `\`*${alias.source}\` has no \`&${alias.source}\` before it; put text that starts with * in quotes`,
        });
    },
    Pair(_key, { key }) {
      if (isCollection(key))
        found.push({
          offset: key.range?.[0] ?? 0,
          message: 'a list or block stands where a key must be; put quotes around `{` and `[`',
        });
    },
  });
  return found;
}
