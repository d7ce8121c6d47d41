type Expects =
  | 'value'
  | 'first-key'
  | 'key'
  | 'colon'
  | 'first-item'
  | 'after'
  | 'string'
  | 'escape'
  | 'unicode'
  | 'literal'
  | 'end';

const SPACE = /[ \t\n\r]/;
const LITERALS = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;
/** What may still become one of them. */
const BEGUN =
  /^(?:t|tr|tru|true|f|fa|fal|fals|false|n|nu|nul|null|-?(?:(?:0|[1-9]\d*)(?:\.\d*)?(?:(?<=\d)[eE][+-]?\d*)?)?)$/;

/**
 * Whether a text that comes in pieces is, so far, the beginning of a JSON object. It never looks
 * back: the cost is that of reading each piece once.
 */
export class JsonPrefix {
  #expects: Expects = 'value';
  readonly #open: ('{' | '[')[] = [];
  #isKey = false;
  #literal = '';
  #digits = 0;
  #broken = false;

  /** It can't become valid any more. */
  get broken(): boolean {
    return this.#broken;
  }

  /** The object is whole. */
  get complete(): boolean {
    return !this.#broken && this.#expects === 'end';
  }

  /** Its last sign is a comma, which JSON allows only when something follows. */
  get hangs(): boolean {
    return this.#expects === 'key' || (this.#expects === 'value' && this.#open.at(-1) === '[');
  }

  push(text: string): void {
    for (const char of text) {
      if (this.#broken) return;
      if (!this.#take(char)) this.#broken = true;
    }
  }

  #take(char: string): boolean {
    switch (this.#expects) {
      case 'string':
        if (char === '"') this.#expects = this.#isKey ? 'colon' : 'after';
        else if (char === '\\') this.#expects = 'escape';
        else return char >= ' ';
        return true;
      case 'escape':
        this.#digits = 0;
        this.#expects = char === 'u' ? 'unicode' : 'string';
        return '"\\/bfnrtu'.includes(char);
      case 'unicode':
        this.#digits += 1;
        if (this.#digits === 4) this.#expects = 'string';
        return /[0-9a-fA-F]/.test(char);
      case 'literal':
        return this.#goOn(char);
      default:
        return SPACE.test(char) || this.#begin(char);
    }
  }

  #goOn(char: string): boolean {
    if (!SPACE.test(char) && !',]}'.includes(char)) {
      this.#literal += char;
      return BEGUN.test(this.#literal);
    }
    if (!LITERALS.test(this.#literal)) return false;
    this.#expects = 'after';
    return SPACE.test(char) || this.#begin(char);
  }

  #begin(char: string): boolean {
    const within = this.#open.at(-1);
    switch (this.#expects) {
      case 'first-key':
      case 'key':
        if (char === '}' && this.#expects === 'first-key') return this.#close();
        this.#isKey = true;
        this.#expects = 'string';
        return char === '"';
      case 'colon':
        this.#expects = 'value';
        return char === ':';
      case 'after':
        if (char === ',') {
          this.#expects = within === '{' ? 'key' : 'value';
          return true;
        }
        return char === (within === '{' ? '}' : ']') && this.#close();
      case 'first-item':
      case 'value':
        if (char === ']' && this.#expects === 'first-item') return this.#close();
        return this.#value(char, within === undefined);
      default:
        return false;
    }
  }

  #value(char: string, outermost: boolean): boolean {
    if (char === '{') {
      this.#open.push('{');
      this.#expects = 'first-key';
      return true;
    }
    if (outermost) return false;
    if (char === '[') {
      this.#open.push('[');
      this.#expects = 'first-item';
    } else if (char === '"') {
      this.#isKey = false;
      this.#expects = 'string';
    } else {
      this.#literal = char;
      this.#expects = 'literal';
      return BEGUN.test(char);
    }
    return true;
  }

  #close(): boolean {
    this.#open.pop();
    this.#expects = this.#open.length === 0 ? 'end' : 'after';
    return true;
  }
}
