import { findConfig } from '../config/search.ts';
import { connectAdmin, type AdminClient } from './admin-client.ts';
import { BadAnswer, openQuestions } from './questions.ts';
import { readStates, stateFolder, type ServerState } from './state-file.ts';
import { UserError } from './user-error.ts';

/** The options of every command that speaks with a running server. */
export interface ServerOptions {
  readonly url?: string;
  readonly token?: string;
}

/**
 * Finds the running server: the one at `--url`, the only one of this account, or that of the
 * working directory's config; asks on a terminal where that leaves several.
 *
 * @throws UserError with exit code 3 when there is none, 2 when it can't be told which is meant.
 */
export function findServer(options: ServerOptions): Promise<AdminClient> {
  return serverFinder(options)();
}

/**
 * Finds the same server as often as it is called, also after it has been started anew: the first time
 * as {@link findServer}, then without asking, at the same address or with the same config.
 */
export function serverFinder({ url, token }: ServerOptions): () => Promise<AdminClient> {
  const { env } = process;
  const given = token ?? (env['JAIROUTER_ADMIN_TOKEN'] || undefined);
  let chosen: ServerState | undefined;
  return async () => {
    const states = await readStates(stateFolder(env));
    if (url !== undefined) {
      const address = serverUrl(url);
      const state = states.find((one) => one.url === address);
      if (given === undefined && !state) {
        throw new UserError(
          `the server at ${address} is not one of yours here: pass its --token, or set JAIROUTER_ADMIN_TOKEN`,
          2,
        );
      }
      return connectAdmin({ url: address, token: given ?? state!.token, own: state !== undefined });
    }
    chosen = chosen ? chooseAgain(states, chosen) : await chooseServer(states);
    return connectAdmin({ url: chosen.url, token: given ?? chosen.token, own: true });
  };
}

/**
 * Which of the running servers is the one that was chosen before.
 * @throws UserError with exit code 3 when it is not there.
 */
export function chooseAgain(
  states: readonly ServerState[],
  { url, config }: Pick<ServerState, 'url' | 'config'>,
): ServerState {
  const again =
    states.find((state) => state.url === url) ??
    states.find((state) => config !== undefined && state.config === config) ??
    // Without a config, nothing would tell it from another one, if there were one.
    (states.length === 1 ? states[0] : undefined);
  if (again) return again;
  throw new UserError(`no jairouter server answers at ${url}`, 3);
}

/** Which of several servers is meant, if only one of them can be; asks on a terminal otherwise. */
export async function chooseServer(states: readonly ServerState[]): Promise<ServerState> {
  if (states.length === 0) {
    throw new UserError(
      'no server is running: start one with `jairouter serve`, or name one with --url',
      3,
    );
  }
  if (states.length === 1) return states[0]!;
  const config = await findConfig(process.cwd(), process.env);
  const here = states.filter((state) => config !== undefined && state.config === config);
  if (here.length === 1) return here[0]!;
  if (process.stdin.isTTY && process.stderr.isTTY) return askWhich(states);
  throw new UserError(
    `${states.length} servers are running: ${states.map(described).join(', ')}; choose one with --url`,
    2,
  );
}

async function askWhich(states: readonly ServerState[]): Promise<ServerState> {
  const { stderr } = process;
  for (const [index, state] of states.entries())
    stderr.write(`${index + 1}  ${described(state)}\n`);
  // The answer on stdout may be meant for a file.
  const questions = openQuestions(process.stdin, stderr, 'cancelled');
  try {
    return await questions.ask('Which server?', {
      usual: '1',
      read(answer) {
        const state = states[Number(answer) - 1];
        if (state) return state;
        throw new BadAnswer(`Answer with a number from 1 to ${states.length}.`);
      },
    });
  } finally {
    questions.close();
  }
}

function described({ url, config }: ServerState): string {
  return `${url} (${config ?? 'no config'})`;
}

/** Also takes what stands in tools: `http://127.0.0.1:4747/v1`, or a bare `127.0.0.1:4747`. */
export function serverUrl(given: string): string {
  const text = /^https?:\/\//i.test(given) ? given : `http://${given}`;
  if (URL.canParse(text)) return new URL(text).origin;
  throw new UserError(`--url must be an address like http://127.0.0.1:4747, not ${given}`, 2);
}
