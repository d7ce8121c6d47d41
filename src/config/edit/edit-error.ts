/**
 * An edit that was not made.
 * - `conflict`: the file, or what it is about, is not as the caller believes;
 * - `uneditable`: the file can't be edited, or written, at all;
 * - `missing`: there is no such instance or version.
 */
export class EditError extends Error {
  readonly reason: 'conflict' | 'uneditable' | 'missing';

  constructor(reason: EditError['reason'], message: string) {
    super(message);
    this.name = 'EditError';
    this.reason = reason;
  }
}
