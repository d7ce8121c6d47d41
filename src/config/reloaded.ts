import type { LoadedConfig } from './load.ts';
import type { Problem } from './problem.ts';

/** What serves: a config file's, or one that was made from what is there. */
export type ServedConfig = Omit<LoadedConfig, 'file' | 'text'> &
  Partial<Pick<LoadedConfig, 'file' | 'text'>>;

/** What came of a reload or an edit. */
export type Reloaded = Applied | Refused;

export interface Applied {
  readonly kind: 'applied';
  readonly version: number;
  /** What changed, a line each; none when nothing did. */
  readonly diff: readonly string[];
  readonly warnings: readonly string[];
  /** Settings that were changed and only hold after a restart. */
  readonly restartNeeded: readonly string[];
}

/** Nothing was changed: neither what serves nor, by an edit, the file. */
export interface Refused {
  readonly kind: 'invalid';
  readonly problems: readonly Problem[];
}

/** What would come of a text. */
export interface Validation {
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
  readonly diff: readonly string[];
}

/** The config as `GET /admin/status` tells of it. */
export interface LiveStatus {
  /** Absolute; absent when the server found its backends by itself. */
  readonly file?: string;
  /** Which entry of the history is applied; 0 before there is one. */
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly appliedAt: number;
  /** The file is not what is applied: it is invalid since then. */
  readonly error?: { readonly since: number; readonly problems: readonly string[] };
  readonly restartNeeded: readonly string[];
}
