import { stat } from 'node:fs/promises';
import { watch as watchPaths } from 'chokidar';

/** Milliseconds of silence after which a change counts as over: a save is a few of them at once. */
const SILENCE = 25;
/** The same soon after another change: whoever saves again and again is waited for. */
const SILENCE_IN_BURST = 100;
/** Milliseconds after a change in which another one is soon. */
const SOON = 1000;
/** Milliseconds after which a burst that does not end is not waited for. */
const LONGEST = 1000;
/** Milliseconds until the first look at files that were just added: it takes a moment to watch them. */
const FIRST_LOOK = 100;
/** Milliseconds between two looks later on, for file systems that tell of no changes. */
const LOOK_EVERY = 5000;

export interface FileWatch {
  /** Watches these files and no others, absolute; they need not exist. */
  files(paths: readonly string[]): void;
  close(): Promise<void>;
}

/**
 * Watches files by their paths, whatever happens to what they lead to: written in place, replaced by
 * a rename, linked elsewhere, deleted and made again.
 *
 * @param options.onChange Called when a burst of changes is over.
 * @param options.onTrouble Called once, when the system can't watch.
 */
export function watchFiles({
  onChange,
  onTrouble,
}: {
  readonly onChange: () => void;
  readonly onTrouble: (message: string) => void;
}): FileWatch {
  let watched: readonly string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let began = 0;
  let firedAt = -Infinity;
  let marks = '';
  let closed = false;
  let troubled = false;

  const fire = async (): Promise<void> => {
    timer = undefined;
    firedAt = performance.now();
    // Before anybody reads the files: what changes later is seen by the next look.
    marks = await marksOf(watched);
    if (!closed) onChange();
  };
  const notice = (): void => {
    if (closed) return;
    const now = performance.now();
    if (timer === undefined) began = now;
    clearTimeout(timer);
    const silence = began - firedAt < SOON ? SILENCE_IN_BURST : SILENCE;
    timer = setTimeout(() => void fire(), Math.min(silence, Math.max(0, began + LONGEST - now)));
  };

  const watcher = watchPaths([], { ignoreInitial: true });
  watcher.on('all', (event, path) => {
    // It forgets a file that is gone, and would not see it come back.
    if (event === 'unlink' && watched.includes(path)) watcher.add(path);
    notice();
  });
  watcher.on('error', (error) => {
    if (troubled) return;
    troubled = true;
    onTrouble(error instanceof Error ? error.message : String(error));
  });

  let looking: NodeJS.Timeout | undefined;
  const lookIn = (pause: number): void => {
    clearTimeout(looking);
    looking = setTimeout(() => void look(pause), pause);
    looking.unref();
  };
  const look = async (pause: number): Promise<void> => {
    const paths = watched;
    const now = await marksOf(paths);
    // Others are looked at by now.
    if (closed || paths !== watched) return;
    if (now !== marks) notice();
    marks = now;
    lookIn(Math.min(2 * pause, LOOK_EVERY));
  };

  return {
    files(paths) {
      const more = paths.filter((path) => !watched.includes(path));
      const less = watched.filter((path) => !paths.includes(path));
      if (more.length === 0 && less.length === 0) return;
      watched = [...paths];
      if (less.length > 0) watcher.unwatch(less);
      if (more.length > 0) watcher.add(more);
      // Of the new ones nothing is known yet, which is no change.
      const own = watched;
      void marksOf(own).then((now) => {
        if (closed || own !== watched) return;
        marks = now;
        lookIn(FIRST_LOOK);
      });
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      clearTimeout(looking);
      await watcher.close();
    },
  };
}

/** What tells one content of the files from another. */
async function marksOf(paths: readonly string[]): Promise<string> {
  const marks = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`,
        () => 'none',
      ),
    ),
  );
  return marks.join();
}
