import type { Feed } from '../dashboard/feed.ts';
import type { Dashboard } from '../dashboard/open.tsx';
import { formatCount, formatSpan } from '../format.ts';
import { isColourful } from './terminal.ts';

/** Whether there is a whole terminal for it, with keys and a screen. */
export function hasTerminal(): boolean {
  const { stdin, stdout, env } = process;
  return stdin.isTTY && stdout.isTTY && env['TERM'] !== 'dumb';
}

export interface ShowOptions {
  /** Those that end the dashboard. */
  readonly signals: readonly NodeJS.Signals[];
  /** Leaving ends the server too, and so is asked about. */
  readonly stopsServer: boolean;
}

/** The dashboard, open on this process's terminal. @see openDashboard */
export async function showDashboard(feed: Feed, options: ShowOptions): Promise<Dashboard> {
  const { stdin, stdout, env } = process;
  // React's other build measures every picture, and keeps what it has measured for good.
  env['NODE_ENV'] ??= 'production';
  const [{ openDashboard }, { backgroundOf }] = await Promise.all([
    import('../dashboard/open.tsx'),
    import('../dashboard/theme.ts'),
  ]);
  return openDashboard({
    ...options,
    feed,
    stdin,
    stdout,
    colour: isColourful(stdout, env),
    background: backgroundOf(env['COLORFGBG']),
  });
}

/** What is left of it on the screen: one line. */
export function receipt({ state }: Dashboard, url: string, milliseconds: number): string {
  const { status } = state().board;
  const watched = `watched ${url} for ${formatSpan(milliseconds)}`;
  if (!status) return watched;
  const { calls } = status.totals;
  return `${watched}: ${formatCount(calls)} ${calls === 1 ? 'call' : 'calls'} since its start`;
}
