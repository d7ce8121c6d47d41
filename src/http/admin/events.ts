import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { seqOf, type Happening } from '../../observe/observatory.ts';
import { callJson } from '../../observe/shown-call.ts';
import type { Gateway } from '../gateway.ts';
import { readStatus } from '../status.ts';

/** Milliseconds between two snapshots. */
const INTERVAL = 1000;
/** Milliseconds from news to a snapshot that shows it; what else happens meanwhile is in the same one. */
const SOON = 100;
/** Milliseconds that a call or news waits for others, to be told in one write with them; … */
const PAUSE = 50;
/** … and characters that are not left waiting. */
const BUNDLE = 32_000;
/** Bytes that may wait for a watcher; more than all that is kept, which one may ask for at once. */
const BACKLOG = 8 * 1024 * 1024;
/** Bytes from which on a watcher gets no more snapshots, until it has taken some. */
const BEHIND = 256 * 1024;
/** Milliseconds that a watcher may stay behind before it is dropped. */
const PATIENCE = 30_000;

interface Watcher {
  readonly response: ServerResponse;
  /** What is to be written to it, and how long that is. */
  readonly untold: string[];
  length: number;
  /** Since when it is behind. */
  stuckSince: number | undefined;
}

/** Those who watch a server. While there are none, nothing runs for them. */
class Feed {
  readonly #gateway: Gateway;
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;
  /** The last happening that was told: all watchers get the same text. */
  #told: { readonly happening: Happening; readonly text: string } | undefined;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  /** @param after The last event that it has seen; absent: it begins with what is recent. */
  add(response: ServerResponse, after: number | undefined): void {
    const watcher: Watcher = { response, untold: [], length: 0, stuckSince: undefined };
    response.write(this.#snapshot());
    const following = this.#gateway.observe.follow((happening) => {
      this.#write(watcher, this.#text(happening));
      // Not for what it is only told afterwards.
      if (happening.kind === 'news' && this.#watchers.has(watcher)) this.#hurry();
    }, after);
    this.#watchers.add(watcher);
    tell(watcher);
    this.#timer ??= setInterval(() => this.#tick(), INTERVAL);
    response.on('close', () => {
      following.close();
      this.#watchers.delete(watcher);
      if (this.#watchers.size > 0) return;
      clearInterval(this.#timer);
      clearTimeout(this.#soon);
      clearTimeout(this.#telling);
      this.#timer = this.#soon = this.#telling = undefined;
      this.#told = undefined;
    });
  }

  /** Has the next snapshot come before its time. */
  #hurry(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#tick();
    }, SOON);
  }

  #tick(): void {
    const now = performance.now();
    const ready: Watcher[] = [];
    for (const watcher of this.#watchers) {
      if (watcher.response.writableLength < BEHIND) {
        watcher.stuckSince = undefined;
        ready.push(watcher);
        // A snapshot that comes late is of no use: who is behind gets the next one.
      } else if (now - (watcher.stuckSince ??= now) > PATIENCE) watcher.response.destroy();
    }
    if (ready.length === 0) return;
    const text = this.#snapshot();
    for (const watcher of ready) this.#write(watcher, text);
    this.#tell();
  }

  #snapshot(): string {
    return `event: snapshot\ndata: ${JSON.stringify(readStatus(this.#gateway))}\n\n`;
  }

  #text(happening: Happening): string {
    if (this.#told?.happening === happening) return this.#told.text;
    const { kind } = happening;
    const data = kind === 'call' ? callJson(happening.call) : JSON.stringify(happening.news);
    const text = `event: ${kind}\nid: ${seqOf(happening)}\ndata: ${data}\n\n`;
    this.#told = { happening, text };
    return text;
  }

  /** Puts it with what is told next: a write for each call would cost more than the call's text. */
  #write(watcher: Watcher, text: string): void {
    const { response, untold } = watcher;
    if (response.writableLength + watcher.length > BACKLOG) {
      response.destroy();
      return;
    }
    untold.push(text);
    watcher.length += text.length;
    if (watcher.length > BUNDLE) tell(watcher);
    else this.#telling ??= setTimeout(() => this.#tell(), PAUSE);
  }

  #tell(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    for (const watcher of this.#watchers) tell(watcher);
  }
}

function tell(watcher: Watcher): void {
  if (watcher.length === 0) return;
  watcher.response.write(watcher.untold.join(''));
  watcher.untold.length = watcher.length = 0;
}

const FEEDS = new WeakMap<Gateway, Feed>();

/** Lets a client watch the server until it leaves, or does not read. */
export function watch(
  gateway: Gateway,
  {
    request,
    response,
    headers,
  }: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly headers: OutgoingHttpHeaders;
  },
): void {
  response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  let feed = FEEDS.get(gateway);
  if (!feed) {
    feed = new Feed(gateway);
    FEEDS.set(gateway, feed);
  }
  const last = request.headers['last-event-id'];
  feed.add(response, typeof last === 'string' && /^\d+$/.test(last) ? Number(last) : undefined);
}
