import type { Command } from '@commander-js/extra-typings';

/** The options by which a server is found. */
export function withServer<A extends unknown[], O extends Record<string, unknown>>(
  command: Command<A, O>,
) {
  return command
    .option(
      '--url <address>',
      'the server (default: the one that runs, or that of the config here)',
    )
    .option(
      '--token <token>',
      'its admin token (default: what the server has left in its state file)',
    );
}
