import type { ReadStream } from 'node:tty';
import type { Background } from './theme.ts';

/** Asks the terminal for the colour of its ground. One that does not know the question is silent. */
export const ASK_BACKGROUND = '\u001b]11;?\u0007';

// oxlint-disable-next-line no-control-regex -- escape codes are what is looked for
const ANSWERS = /\u001b\]([^\u0007\u001b]*)(?:\u0007|\u001b\\)/g;
// oxlint-disable-next-line no-control-regex -- the same
const BEGUN = /\u001b\](?:[^\u0007\u001b]{0,64}\u001b?)$/;

/**
 * What is typed, without what the terminal answers (OSC): that comes by the same way and at any time,
 * and its letters must not pass for orders.
 */
export function keyboard(stdin: ReadStream, onAnswer: (answer: string) => void): ReadStream {
  let begun = '';
  const read = (): string | null => {
    for (;;) {
      const chunk = stdin.read() as string | Buffer | null;
      if (chunk === null) return null;
      const whole = begun + chunk.toString();
      const typed = whole.replace(ANSWERS, (_, answer: string) => {
        onAnswer(answer);
        return '';
      });
      begun = BEGUN.exec(typed)?.[0] ?? '';
      const keys = typed.slice(0, typed.length - begun.length);
      if (keys !== '') return keys;
    }
  };
  return new Proxy(stdin, {
    get(target, name) {
      if (name === 'read') return read;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/**
 * @param answer Such as `11;rgb:ffff/ffff/ffff`; each colour has one to four hexadecimal digits.
 * @returns The ground that it tells; nothing when it answers something else.
 */
export function backgroundIn(answer: string): Background | undefined {
  const colours = /^11;rgba?:([\da-f]+)\/([\da-f]+)\/([\da-f]+)/i.exec(answer)?.slice(1);
  if (!colours) return undefined;
  const [red, green, blue] = colours.map(
    (digits) => Number.parseInt(digits, 16) / (16 ** digits.length - 1),
  );
  // As bright as the eye takes it for.
  return 0.299 * red! + 0.587 * green! + 0.114 * blue! > 0.5 ? 'light' : 'dark';
}
