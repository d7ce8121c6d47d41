import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { defineAdapter, type Adapter } from '../adapters/adapter.ts';
import type { ServedConfig } from '../config/reloaded.ts';
import { shownPath } from '../config/problem.ts';
import { schema } from '../config/schema.ts';
import { REPLAY, REPLAY_URL, type Replay } from '../http/replay.ts';
import { Shelf } from '../recording/shelf.ts';
import { OPERATIONS, type Operation } from '../service.ts';
import { servedFrom, type ConfigFlags } from './served-config.ts';
import { UserError } from './user-error.ts';

export interface ReplayFlags extends ConfigFlags {
  readonly replay?: string;
  readonly speed?: number;
}

/** What a server needs that answers from recordings. */
export interface Replayed {
  readonly replay: Replay;
  /** What stands in the place of a config: one instance, whose models are those that were recorded. */
  served(env: NodeJS.ProcessEnv): ServedConfig;
  /** Where its answers come from, and how many there are. */
  summary(): string;
}

/**
 * @param onProblem Told of each file that can't be used.
 * @returns `undefined` when backends are to answer.
 * @throws UserError when there is no such folder.
 */
export async function replayedFrom(
  flags: ReplayFlags,
  onProblem: (message: string) => void,
): Promise<Replayed | undefined> {
  const { replay: folder, speed } = flags;
  if (folder === undefined) {
    if (speed === undefined) return undefined;
    throw new UserError('--speed goes with --replay', 2);
  }
  const dir = resolve(folder);
  const found = await stat(dir).catch(() => undefined);
  if (!found?.isDirectory()) throw new UserError(`--replay ${folder}: there is no such folder`, 2);
  const shelf = new Shelf(dir, onProblem);
  const adapter = adapterOf(shelf);
  return {
    replay: { shelf, speed: speed ?? 1 },
    served(env) {
      const config = schema.parse({
        // What is edited in the folder is seen a moment later.
        instances: {
          [REPLAY]: { adapter: REPLAY, baseUrl: REPLAY_URL, health: { interval: '1s' } },
        },
      });
      return {
        ...servedFrom({ config, unset: new Map() }, flags, env),
        adapters: { [REPLAY]: adapter },
      };
    },
    summary() {
      const { length: calls } = shelf.recordings;
      const { size: models } = shelf.models;
      const of = `${models} ${models === 1 ? 'model' : 'models'}`;
      return `${shownPath(dir, process.cwd())}: ${calls} ${calls === 1 ? 'call' : 'calls'} of ${of}`;
    },
  };
}

/** Stands for all the backends that were recorded; it is never called, and asks nobody. */
function adapterOf(shelf: Shelf): Adapter {
  const operations = Object.keys(OPERATIONS) as Operation[];
  return defineAdapter({
    name: REPLAY,
    ports: [],
    auth: () => ({}),
    keepAlive: 0,
    operations: Object.fromEntries(
      operations.map((operation) => [operation, { path: OPERATIONS[operation].routes[0] }]),
    ),
    async probe() {
      await shelf.refresh();
      const models = [...shelf.models].map(([id, services]) => ({ id, services }));
      return { state: 'healthy', models };
    },
  });
}
