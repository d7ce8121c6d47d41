/** 1: it failed; 2: wrong usage or an invalid config; 3: no server was found. */
export type ExitCode = 1 | 2 | 3;

/** What the user can mend: its message is all that is shown, and no stack. */
export class UserError extends Error {
  readonly exitCode: ExitCode;

  /** @param message One line: what is wrong, and what to do. */
  constructor(message: string, exitCode: ExitCode = 1) {
    super(message);
    this.name = 'UserError';
    this.exitCode = exitCode;
  }
}
