/** A value of JSON that was read from where it begins in a text. */
export interface LooseValue {
  /** Valid JSON; the bytes that were read, as far as they were valid. */
  readonly json: string;
  /** Where the text goes on. */
  readonly end: number;
  /** The text ended before the value did. */
  readonly cut: boolean;
}

/** Levels of brackets that are read; models write few. */
const DEEPEST = 100;

/**
 * Reads one JSON object or array as models write them: also with single quotes, bare keys, trailing
 * or missing commas, Python's `True`, `False` and `None`, line breaks within strings, or cut off.
 * What is valid is copied, so that up to its first fault the result begins as the text does.
 *
 * @param from Where it begins, white space aside.
 * @returns `undefined` when there is none, or it can't be told what it should be.
 */
export function readLoose(text: string, from = 0): LooseValue | undefined {
  const reader = new LooseReader(text, from);
  const opening = text[reader.skipSpace()];
  if (opening !== '{' && opening !== '[') return undefined;
  const read = reader.value(0);
  return read ? { json: reader.out, end: reader.at, cut: reader.cut } : undefined;
}

/**
 * Mends the arguments of a tool call.
 * @returns Text of a JSON object; `undefined` when nothing right can be made of it.
 */
export function mendArguments(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return '{}';
  // Encoded once too often.
  if (trimmed.startsWith('"')) {
    const inner = parsed(trimmed);
    return typeof inner === 'string' ? mendArguments(inner) : undefined;
  }
  const fenced = /^```\w*\s*([^]*?)(?:```\s*)?$/.exec(trimmed)?.[1];
  const value = readLoose(fenced ?? text);
  return value?.json.trimStart().startsWith('{') ? value.json : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The caller only wants to know what it is, if it is anything.
    return undefined;
  }
}

const CLOSER = { '{': '}', '[': ']' } as const;
const WORDS: Readonly<Record<string, string>> = {
  true: 'true',
  false: 'false',
  null: 'null',
  True: 'true',
  False: 'false',
  None: 'null',
  undefined: 'null',
  NaN: 'null',
};
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const BEGUN_NUMBER = /^(?:\.|[eE][+-]?|-)$/;
const WORD = /[A-Za-z_$][\w$-]*/y;

class LooseReader {
  readonly #text: string;
  at: number;
  out = '';
  cut = false;

  constructor(text: string, from: number) {
    this.#text = text;
    this.at = from;
  }

  /** @returns Where something stands; white space is not copied. */
  skipSpace(): number {
    while (this.at < this.#text.length && /\s/.test(this.#text[this.at]!)) this.at += 1;
    return this.at;
  }

  /** Reads and copies a value. @returns Whether there was one. */
  value(depth: number): boolean {
    const start = this.at;
    this.skipSpace();
    const space = this.#text.slice(start, this.at);
    const char = this.#text[this.at];
    if (char === undefined) {
      this.cut = true;
      return false;
    }
    if (char === '{' || char === '[') {
      if (depth >= DEEPEST) return false;
      this.out += space;
      return this.#container(char, depth);
    }
    if (char === '"' || char === "'") {
      this.out += space;
      this.#string(char);
      return true;
    }
    const literal = this.#literal();
    if (literal === undefined) return false;
    this.out += space + literal;
    return true;
  }

  #container(opening: '{' | '[', depth: number): boolean {
    const closer = CLOSER[opening];
    this.out += opening;
    this.at += 1;
    /** A comma is kept back until something follows it. */
    let comma = '';
    let first = true;
    for (;;) {
      const start = this.at;
      this.skipSpace();
      const char = this.#text[this.at];
      if (char === undefined) {
        this.cut = true;
        this.out += closer;
        return true;
      }
      if (char === closer) {
        this.out += this.#text.slice(start, this.at) + closer;
        this.at += 1;
        return true;
      }
      if (char === ',') {
        comma ||= ',';
        this.at += 1;
        continue;
      }
      // Another closer ends what was left open.
      if (char === '}' || char === ']') {
        this.out += closer;
        return depth > 0;
      }
      this.out += (first ? '' : comma || ',') + this.#text.slice(start, this.at);
      const before = this.out.length;
      if (!this.#member(opening, depth)) {
        if (!this.cut) return false;
        // What was only begun when the text ended is left out.
        if (this.out.length === before) this.out = this.out.replace(/,\s*$/, '');
        this.out += closer;
        return true;
      }
      comma = '';
      first = false;
    }
  }

  #member(opening: '{' | '[', depth: number): boolean {
    if (opening === '[') return this.value(depth + 1);
    const before = this.out;
    if (!this.#key()) return false;
    const start = this.at;
    this.skipSpace();
    const char = this.#text[this.at];
    if (char === undefined) this.cut = true;
    if (char !== ':' && char !== '=') {
      this.out = before;
      return false;
    }
    this.out += `${this.#text.slice(start, this.at)}:`;
    this.at += 1;
    if (this.value(depth + 1)) return true;
    if (this.cut) this.out = before;
    return false;
  }

  #key(): boolean {
    const char = this.#text[this.at];
    if (char === '"' || char === "'") {
      this.#string(char);
      return true;
    }
    const word = this.#match(WORD);
    if (word === undefined) return false;
    this.out += JSON.stringify(word);
    return true;
  }

  #string(quote: string): void {
    this.out += '"';
    this.at += 1;
    for (; this.at < this.#text.length; this.at += 1) {
      const char = this.#text[this.at]!;
      if (char === '\\') {
        this.at += 1;
        const next = this.#text[this.at];
        if (next === undefined) break;
        this.out += this.#escape(next);
      } else if (char === quote) {
        this.at += 1;
        this.out += '"';
        return;
      } else if (char === '"') this.out += '\\"';
      else this.out += char < ' ' ? JSON.stringify(char).slice(1, -1) : char;
    }
    this.cut = true;
    this.out += '"';
  }

  /** After a backslash; one that JSON does not know is meant as it stands. */
  #escape(next: string): string {
    if (next === "'") return "'";
    if (next === 'u') {
      const code = this.#text.slice(this.at + 1, this.at + 5);
      return /^[0-9a-fA-F]{4}$/.test(code) ? '\\u' : '\\\\u';
    }
    return '"\\/bfnrt'.includes(next) ? `\\${next}` : `\\\\${next}`;
  }

  #literal(): string | undefined {
    const number = this.#match(NUMBER);
    // The text may end within one.
    if (this.#text.length - this.at <= 2 && BEGUN_NUMBER.test(this.#text.slice(this.at))) {
      this.at = this.#text.length;
      this.cut = true;
    }
    if (number !== undefined || this.cut) return number;
    const word = this.#match(WORD);
    if (word === undefined) return undefined;
    if (Object.hasOwn(WORDS, word)) return WORDS[word];
    // The beginning of one at the end of the text.
    const begun = Object.keys(WORDS).find((known) => known.startsWith(word));
    if (this.at === this.#text.length && begun !== undefined) {
      this.cut = true;
      return WORDS[begun];
    }
    return undefined;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined || found === '') return undefined;
    this.at += found.length;
    return found;
  }
}
