import { stat } from 'node:fs/promises';
import { watch as watchPaths } from 'chokidar';

/** Milliseconds of silence after which a burst of changes counts as over. */
const SILENCE = 100;
/** Milliseconds after which a burst that does not end is not waited for. */
const LONGEST = 1000;
/** Milliseconds between two looks at the files, for file systems that tell of no changes. */
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
  let marks = '';
  let closed = false;
  let troubled = false;

  const fire = async (): Promise<void> => {
    timer = undefined;
    // Before anybody reads the files: what changes later is seen by the next look.
    marks = await marksOf(watched);
    if (!closed) onChange();
  };
  const notice = (): void => {
    if (closed) return;
    const now = performance.now();
    if (timer === undefined) began = now;
    clearTimeout(timer);
    timer = setTimeout(() => void fire(), Math.min(SILENCE, Math.max(0, began + LONGEST - now)));
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

  const look = setInterval(() => {
    void marksOf(watched).then((now) => {
      if (now === marks) return;
      marks = now;
      notice();
    });
  }, LOOK_EVERY);
  look.unref();

  return {
    files(paths) {
      const more = paths.filter((path) => !watched.includes(path));
      const less = watched.filter((path) => !paths.includes(path));
      watched = [...paths];
      if (less.length > 0) watcher.unwatch(less);
      if (more.length === 0) return;
      watcher.add(more);
      // Of the new ones nothing is known yet, which is no change.
      void marksOf(watched).then((now) => {
        marks = now;
      });
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(look);
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
