import { writeFile } from 'node:fs/promises';
import { basename, dirname, relative, resolve } from 'node:path';
import { findConfig, isUsualName } from '../config/search.ts';
import { UserError } from './user-error.ts';

interface Where {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * A second config in the same folder would never be read, or keep the first from being read.
 *
 * @param file The one to be written, absolute.
 * @throws UserError that names the one that is there.
 */
export async function refuseSecondConfig(file: string, { cwd, env }: Where): Promise<void> {
  const existing = await findConfig(cwd, env);
  if (existing === undefined || dirname(existing) !== resolve(cwd)) return;
  const name = basename(existing);
  const where = name === 'package.json' ? 'package.json has a config in it' : `${name} is here`;
  const force = name === basename(file) ? 'writes over it' : `writes ${basename(file)} beside it`;
  throw new UserError(`${where} already; --force ${force}`);
}

/** @returns A warning where another config is found before the one just written; else nothing. */
export async function shadowOf(file: string, { cwd, env }: Where): Promise<string[]> {
  if (!isUsualName(basename(file))) return [];
  const first = await findConfig(cwd, env);
  if (first === undefined || first === file || dirname(first) !== dirname(file)) return [];
  return ['', `! ${basename(first)} comes before it and is what serve reads: remove one of them.`];
}

/**
 * Writes a new config.
 *
 * @throws UserError when it is there already, unless `force` is set, or can't be written.
 */
export async function writeNewConfig(config: {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
  readonly force: boolean | undefined;
  readonly cwd: string;
  /** It has keys in it: no other account may read it. */
  readonly secret?: boolean;
}): Promise<void> {
  const { file, text, force, cwd, secret } = config;
  try {
    await writeFile(file, text, { flag: force ? 'w' : 'wx', ...(secret && { mode: 0o600 }) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const name = relative(cwd, file);
    if (code === 'EEXIST') throw new UserError(`${name} is here already; --force writes over it`);
    throw new UserError(`${name} could not be written: ${message}`);
  }
}
