import { isAbsolute, relative, sep } from 'node:path';

/** Keys and indices from a config's root. */
export type Path = readonly (string | number)[];

/** What is wrong at one place of the config, before the place has a line. */
export interface Finding {
  readonly path: Path;
  /** Whether the key at `path` is at fault, or its value. */
  readonly at: 'key' | 'value';
  readonly message: string;
}

/** One mistake of the config's author. */
export interface Problem {
  /** As shown: from the working directory where it is below it, else absolute. */
  readonly file: string;
  /** From 1; absent where the place can't be told. */
  readonly line?: number;
  readonly column?: number;
  /** Such as `instances.gpu-1.weight`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong, and what would be right. */
  readonly message: string;
}

/** A config that can't be used; `message` has one line for each problem, sorted by place. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];
  /** Every file that has a part in it, absolute, missing ones too; none when it is not about files. */
  sources: readonly string[] = [];

  /** @param problems At least one. */
  constructor(problems: readonly Problem[]) {
    const sorted = [...problems].sort(byPlace);
    super(sorted.map(renderProblem).join('\n'));
    this.name = 'ConfigError';
    this.problems = sorted;
  }
}

/** @returns `file:line:column: message`, with as much of the place as is known. */
export function renderProblem({ file, line, column, message }: Problem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  return `${place}: ${message}`;
}

export function byPlace(a: Problem, b: Problem): number {
  return (
    a.file.localeCompare(b.file) ||
    (a.line ?? 0) - (b.line ?? 0) ||
    (a.column ?? 0) - (b.column ?? 0)
  );
}

/** @returns A path as a person would write it: `server.apiKeys[0].key`, `models["gpt-4.1"]`. */
export function pathText(path: Path): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else if (/^[\w$-]+$/.test(segment)) text += text ? `.${segment}` : segment;
    else text += `[${JSON.stringify(segment)}]`;
  }
  return text;
}

/** @returns A file's path as its problems show it. */
export function shownPath(file: string, cwd: string): string {
  const short = relative(cwd, file);
  return isAbsolute(short) || short === '..' || short.startsWith(`..${sep}`) ? file : short;
}
