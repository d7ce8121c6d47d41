import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Output } from './terminal.ts';
import { UserError } from './user-error.ts';

/** A conversation on a terminal. */
export interface Questions {
  /**
   * Asks until the answer will do.
   *
   * @param read Makes something of the answer, or says in an error's message why it can't; an
   *   empty answer stands for `usual`.
   * @throws UserError when the user ends the conversation (Ctrl-C, Ctrl-D).
   */
  ask<T>(question: string, options: { usual: string; read: (answer: string) => T }): Promise<T>;
  close(): void;
}

/** Why an answer won't do; it is shown, and the question asked again. */
export class BadAnswer extends Error {}

/** @param cancelled What it means that the user ends the conversation. */
export function openQuestions(
  input: Readable,
  output: Output,
  cancelled = 'cancelled; nothing was written',
): Questions {
  const terminal = createInterface({ input, output, terminal: output.isTTY === true });
  // Lines are kept: someone may type ahead, and a paste brings several at once.
  const lines: string[] = [];
  let closed = false;
  let wake = (): void => {};
  terminal.on('line', (line) => {
    lines.push(line);
    wake();
  });
  terminal.on('close', () => {
    closed = true;
    wake();
  });

  async function nextLine(): Promise<string> {
    while (lines.length === 0) {
      if (closed) {
        // The cursor still stands behind the question.
        output.write('\n');
        throw new UserError(cancelled);
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return lines.shift()!;
  }

  return {
    async ask(question, { usual, read }) {
      for (;;) {
        terminal.setPrompt(`${question} [${usual}] `);
        terminal.prompt();
        const answer = (await nextLine()).trim();
        try {
          return read(answer === '' ? usual : answer);
        } catch (error) {
          if (!(error instanceof BadAnswer)) throw error;
          output.write(`${error.message}\n`);
        }
      }
    },
    close: () => terminal.close(),
  };
}
