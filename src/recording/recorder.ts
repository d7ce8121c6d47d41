import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../format.ts';
import type { Hide } from './body.ts';
import { recordingName, recordingOf, recordingText, type FinishedCall } from './record.ts';

export interface RecorderOptions {
  readonly onNews: (level: 'info' | 'warn', message: string) => void;
}

interface Waiting {
  readonly call: FinishedCall;
  readonly dir: string;
  readonly hide: Hide;
  readonly bytes: number;
}

/** Bytes of bodies that may wait for the disk; what comes while it can't follow is left out. */
const ROOM = 64_000_000;
/** Calls that may wait. */
const MOST = 1000;

/** Writes calls into files, one after the other, behind the calls themselves. */
export class Recorder {
  readonly #onNews: RecorderOptions['onNews'];
  readonly #waiting: Waiting[] = [];
  #bytes = 0;
  #running: Promise<void> | undefined;
  /** Calls that could not be written since it went wrong; 0: all is well. */
  #lost = 0;

  constructor({ onNews }: RecorderOptions) {
    this.#onNews = onNews;
  }

  /** @param hide Takes secrets out of a text. */
  take(call: FinishedCall, dir: string, hide: Hide): void {
    const { request, answer } = call.tape;
    const bytes = [...request.chunks, ...(answer?.chunks ?? [])].reduce(
      (sum, { length }) => sum + length,
      0,
    );
    if (this.#waiting.length >= MOST || (this.#bytes > 0 && this.#bytes + bytes > ROOM)) {
      this.#lose(`${dir} can't follow, ${formatBytes(this.#bytes)} wait to be written`);
      return;
    }
    this.#waiting.push({ call, dir, hide, bytes });
    this.#bytes += bytes;
    this.#running ??= this.#work();
  }

  /** Settles when all that waits is written. */
  async close(): Promise<void> {
    await this.#running;
  }

  async #work(): Promise<void> {
    // Not in the turn in which the call ends.
    await new Promise(setImmediate);
    for (;;) {
      const [next] = this.#waiting;
      if (!next) break;
      try {
        await write(next);
        this.#recovered();
      } catch (error) {
        this.#lose(`${next.dir} can't be written: ${(error as Error).message}`);
      }
      // Until now it has taken up its memory.
      this.#waiting.shift();
      this.#bytes -= next.bytes;
    }
    this.#running = undefined;
  }

  /** A full disk is told once, not with each call. */
  #lose(why: string): void {
    this.#lost += 1;
    if (this.#lost === 1)
      this.#onNews('warn', `calls are not recorded: ${why}. The calls themselves go on.`);
  }

  #recovered(): void {
    // Under more calls than the disk can take, it would be told again and again.
    if (this.#lost === 0 || this.#waiting.length > 1) return;
    const calls = this.#lost === 1 ? '1 call is' : `${this.#lost} calls are`;
    this.#onNews('info', `calls are recorded again; ${calls} missing`);
    this.#lost = 0;
  }
}

/**
 * Makes the folder if there is none yet.
 * @throws Error when nothing can be written there.
 */
export async function prepareFolder(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await access(dir, constants.W_OK);
}

/** Whole or not at all: whoever reads the folder meanwhile never sees a part of a file. */
async function write({ call, dir, hide }: Waiting): Promise<void> {
  const text = recordingText(recordingOf(call, hide));
  const draft = join(dir, `.${randomBytes(6).toString('hex')}.tmp`);
  await mkdir(dir, { recursive: true });
  try {
    await writeFile(draft, text, { flag: 'wx' });
    await rename(draft, await freeName(dir, recordingName(call.outcome)));
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw error;
  }
}

/** Clients may give the same id to calls of the same millisecond. */
async function freeName(dir: string, name: string): Promise<string> {
  for (let count = 1; ; count++) {
    const file = join(dir, count === 1 ? name : name.replace(/\.json$/, `-${count}.json`));
    const taken = await access(file).then(
      () => true,
      () => false,
    );
    if (!taken) return file;
  }
}
