import { unlinkSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** How a running server is found by the commands of the same account. */
export interface ServerState {
  /** Where it can be reached from this machine; without a path. */
  readonly url: string;
  readonly pid: number;
  /** Opens its `/admin`. */
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Its config file, absolute; absent when it found its backends by itself. */
  readonly config?: string | undefined;
  readonly version: string;
}

/** Where servers leave word of themselves: `$XDG_STATE_HOME/jairouter`, or what the system has for that. */
export function stateFolder(env: NodeJS.ProcessEnv, platform = process.platform): string {
  const { XDG_STATE_HOME: xdg, LOCALAPPDATA: local } = env;
  // The standard has relative ones ignored.
  if (xdg && isAbsolute(xdg)) return join(xdg, 'jairouter');
  if (platform === 'win32' && local) return join(local, 'jairouter', 'state');
  return join(env['HOME'] || homedir(), '.local', 'state', 'jairouter');
}

/**
 * Leaves word of a server that has started, readable for its own account alone.
 * @param folder As of {@link stateFolder}.
 * @returns What takes it back; it is also taken back when the process ends by itself.
 * @throws The file system's error.
 */
export async function writeState(folder: string, state: ServerState): Promise<{ close(): void }> {
  const servers = join(folder, 'servers');
  await mkdir(servers, { recursive: true, mode: 0o700 });
  // It may have been there with other rights.
  await chmod(servers, 0o700);
  const file = join(servers, `${state.pid}.json`);
  const draft = `${file}.new`;
  // One that a crash has left behind keeps the rights it had.
  await rm(draft, { force: true });
  await writeFile(draft, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  await rename(draft, file);
  const remove = (): void => {
    process.off('exit', remove);
    try {
      unlinkSync(file);
    } catch {
      // Somebody was quicker; gone is gone.
    }
  };
  process.once('exit', remove);
  return { close: remove };
}

/**
 * Reads what the running servers have left, and sweeps away what ended ones have.
 * @returns The latest start first.
 */
export async function readStates(folder: string): Promise<ServerState[]> {
  const servers = join(folder, 'servers');
  const names = await readdir(servers).catch(() => []);
  const found: ServerState[] = [];
  for (const name of names) {
    const pid = /^(\d+)\.json(\.new)?$/.exec(name)?.[1];
    if (pid === undefined) continue;
    const file = join(servers, name);
    if (!isAlive(Number(pid))) await rm(file, { force: true });
    else if (name.endsWith('.json')) found.push(...(await readState(file)));
  }
  return found.sort((a, b) => b.startedAt - a.startedAt);
}

/** @returns Nothing when it is gone in this moment, another account's, or not ours at all. */
async function readState(file: string): Promise<ServerState[]> {
  try {
    const state = JSON.parse(await readFile(file, 'utf8')) as Partial<ServerState>;
    const whole = typeof state.url === 'string' && typeof state.token === 'string';
    return whole ? [state as ServerState] : [];
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another account's process lives as well.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
