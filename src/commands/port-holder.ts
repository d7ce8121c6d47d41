import { readdir, readFile, readlink } from 'node:fs/promises';

/**
 * Finds who listens on a TCP port of this machine. Known on Linux, and only of processes that we
 * may look into: our own user's.
 *
 * @returns Such as `node (pid 4711)`; `undefined` when it can't be told.
 */
export async function describePortHolder(port: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(readOrNothing));
  const inodes = new Set(tables.flatMap((table) => listeners(table, port)));
  if (inodes.size === 0) return undefined;
  for (const pid of await list('/proc')) {
    if (/^\d+$/.test(pid) && (await holds(pid, inodes))) {
      const name = (await readOrNothing(`/proc/${pid}/comm`)).trim();
      return name ? `${name} (pid ${pid})` : `pid ${pid}`;
    }
  }
  return undefined;
}

/** State of a socket that listens, in the kernel's tables. */
const LISTEN = '0A';

/** @returns The inodes of the sockets that listen on the port. */
function listeners(table: string, port: number): string[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      const own = local !== undefined && Number.parseInt(local.split(':')[1] ?? '', 16) === port;
      return own && state === LISTEN && inode !== undefined ? [inode] : [];
    });
}

async function holds(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  for (const fd of await list(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined && inodes.has(inode)) return true;
    } catch {
      // It was closed a moment ago.
    }
  }
  return false;
}

async function readOrNothing(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    // No such table (IPv6 may be off), or the process has just ended.
    return '';
  }
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    // Another user's process, or one that has just ended.
    return [];
  }
}
