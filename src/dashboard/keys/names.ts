import type { Key } from 'ink';

/** The keys that have no character, by Ink's names and ours. */
const NAMED = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageup'],
  ['pageDown', 'pagedown'],
  ['home', 'home'],
  ['end', 'end'],
  ['escape', 'escape'],
  ['backspace', 'backspace'],
  // What most keyboards' backspace sends reaches us under this name.
  ['delete', 'backspace'],
] as const satisfies readonly (readonly [keyof Key, string])[];

const CHARACTERS: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\b': 'backspace',
  '\u007f': 'backspace',
  ' ': 'space',
};

/**
 * @returns What was pressed, one key after the other: names such as `up`, `tab` and `ctrl-c`, or single
 *   characters. Several come when they were typed quickly, or pasted.
 */
export function keysOf(input: string, key: Key): readonly string[] {
  for (const [field, name] of NAMED) {
    if (key[field]) return [name];
  }
  if (key.return) return ['enter'];
  if (key.tab) return [key.shift ? 'backtab' : 'tab'];
  if (key.ctrl) return [`ctrl-${input}`];
  if (key.meta) return [];
  return Array.from(input).flatMap((character) => {
    const name = CHARACTERS[character];
    if (name !== undefined) return [name];
    if (character >= ' ') return [character];
    // Ctrl and a letter, by the letter's place in the alphabet.
    const letter = String.fromCodePoint(character.codePointAt(0)! + 96);
    return /[a-z]/.test(letter) ? [`ctrl-${letter}`] : [];
  });
}
