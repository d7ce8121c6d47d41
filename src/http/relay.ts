import type { OutgoingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { PartAnswer } from '../adapters/adapter.ts';
import { wasStale } from '../instances/pool.ts';
import type { AttemptPhase } from '../observe/outcome.ts';
import type { Usage } from '../observe/usage.ts';
import { openAnswer } from './answer.ts';
import type { Step } from './call.ts';
import type {
  Answerer,
  AnswerHeaders,
  AttemptRequest,
  HeadChanges,
  Outlet,
  PartRequest,
} from './outlet.ts';
import { badAnswer, connectionFailure, transportFailure, type Failure } from './failure.ts';
import { responseHeaders } from './headers.ts';
import { NOTE_NAMES, type AnswerNotes } from './notes.ts';
import { askParts, PartFailed } from './parts.ts';
import { Patience } from './patience.ts';

/** Who wants to know how an attempt gets on. */
export interface AttemptListener {
  /** The first byte of an answer is there, which may be long before its end. */
  onFirstByte(): void;
  /** The answer begins to go to the client. */
  onCommit(): void;
}

/**
 * - `done`: the whole answer went to the client;
 * - `failed`: nothing did, and another attempt may;
 * - `broken`: a part did, and the client has been told;
 * - `aborted`: the client went away, or another attempt was faster;
 * - `crashed`: on a bug of ours.
 */
export type AttemptEnd =
  | { readonly kind: 'done' | 'aborted' }
  | { readonly kind: 'failed' | 'broken'; readonly failure: Failure }
  | { readonly kind: 'crashed'; readonly bug: unknown };

/** What is known of an attempt when it is over; times in milliseconds since it began. */
export interface AttemptReport {
  readonly end: AttemptEnd;
  /** Where it ended. */
  readonly phase: AttemptPhase;
  readonly status: number | undefined;
  readonly duration: number;
  readonly firstByte: number | undefined;
  readonly events: number;
  /** Bytes that went to the backend. */
  readonly asked: number;
  /** Bytes that came from it. */
  readonly bytes: number;
  /** Bytes that went to the client. */
  readonly sent: number;
  readonly usage: Usage | undefined;
}

/** An attempt that runs, as it is shown. */
export interface Progress {
  readonly phase: Phase;
  /** Milliseconds since it began. */
  readonly firstByte: number | undefined;
  readonly events: number;
  /** Bytes that went to the client. */
  readonly sent: number;
}

/** Milliseconds between two questions whether a backend is still loading. */
const LOADING_LOOK = 5000;

type Phase = 'connecting' | 'waiting' | 'answering' | 'over';

/** What an attempt waits for, as it is told when it does not come in time. */
const WAITS = {
  connection: 'no connection within',
  answer: 'no answer within',
  byte: 'nothing more for',
} as const;

/**
 * Sends a request and relays its answer. It is undici's handler, and it owns the client's response
 * from the first byte that it writes. Its report comes once, and never rejects.
 */
export class Attempt implements Dispatcher.DispatchHandler, Outlet, Step {
  readonly report: Promise<AttemptReport>;
  readonly request: AttemptRequest;
  #phase: Phase = 'connecting';
  #controller: Dispatcher.DispatchController | undefined;
  #answer: Answerer | undefined;
  #waitsFor: keyof typeof WAITS = 'connection';
  readonly #patience: Patience;
  #total: NodeJS.Timeout | undefined;
  #fresh: Dispatcher | undefined;
  #following: AbortController | undefined;
  #upstreamHeaders: AnswerHeaders = {};
  #status: number | undefined;
  #firstByte: number | undefined;
  #bytes = 0;
  #asked = 0;
  #sent = 0;
  #committed = false;
  /** On the clock of `performance.now()`. */
  readonly began = performance.now();
  readonly #listener: AttemptListener;
  #settle!: (report: AttemptReport) => void;

  constructor(request: AttemptRequest, listener: AttemptListener) {
    this.request = request;
    this.#listener = listener;
    this.#patience = new Patience(this, request.timeouts.idle);
    this.report = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const { connect, total } = request.timeouts;
    if (total !== undefined) {
      this.#total = setTimeout(() => this.#giveUp(`no end within ${seconds(total)}`), total);
    }
    if (request.once) this.#fresh = request.instance.connections.openFresh();
    this.#dispatch(this.#fresh ?? request.instance.connections.dispatcher);
    // On a connection that stands, the request is out already.
    if (this.#phase === 'connecting') this.#await('connection', connect);
  }

  /** The client went away, or another was faster: ends the call to the backend, whatever phase it is in. */
  abort(): void {
    this.#end({ kind: 'aborted' });
  }

  /** How far it has come. */
  get progress(): Progress {
    return {
      phase: this.#phase,
      firstByte: this.#firstByte,
      events: this.#answer?.events ?? 0,
      sent: this.#sent,
    };
  }

  #dispatch(dispatcher: Dispatcher): void {
    const { path, headers, body } = this.request;
    dispatcher.dispatch(
      { origin: this.request.instance.origin, path, method: 'POST', headers, body: body as Buffer },
      this,
    );
  }

  // undici's side

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#phase === 'over') {
      controller.abort(new Error('the call is over'));
      return;
    }
    this.#phase = 'waiting';
    const { length, stream, timeouts } = this.request;
    const { firstByte, firstEvent } = timeouts;
    this.#asked = length;
    this.#await('answer', stream ? Math.min(firstByte, firstEvent) : firstByte);
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: AnswerHeaders): void {
    if (status < 200 || this.#phase === 'over') return;
    this.#phase = 'answering';
    this.#status = status;
    this.#upstreamHeaders = headers;
    this.#guard(() => {
      this.#answer = openAnswer(this, status, headers);
    });
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#phase === 'over') return;
    this.#bytes += chunk.length;
    if (this.#firstByte !== undefined) this.#patience.again();
    try {
      this.#answer!.data(chunk);
    } catch (bug) {
      this.#fault(bug);
    }
  }

  onResponseEnd(): void {
    if (this.#phase !== 'over') this.#guard(() => this.#answer!.end());
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#phase === 'over') return;
    const { instance } = this.request;
    if (this.#phase === 'answering') {
      const broke = badAnswer(
        `The answer of "${instance.name}" broke off midway (${error.message}): its own log may say why.`,
      );
      this.#answer!.broken(broke);
      return;
    }
    if (this.#phase === 'waiting' && !this.#fresh && wasStale(error)) {
      // The backend closed this idle socket while our request was on its way: it never saw it.
      this.#fresh = instance.connections.openFresh();
      this.#phase = 'connecting';
      this.#dispatch(this.#fresh);
      return;
    }
    const kind = this.#phase === 'connecting' ? 'unreachable' : 'broken';
    this.fail(connectionFailure(kind, 'Could not get an answer', { source: instance, error }));
  }

  /** undici would take our own bug for the backend's failure. */
  #guard(step: () => void): void {
    try {
      step();
    } catch (bug) {
      this.#fault(bug);
    }
  }

  #fault(bug: unknown): void {
    this.#end({ kind: 'crashed', bug });
  }

  // The answer's side

  get committed(): boolean {
    return this.#committed;
  }

  begin(most = Infinity): void {
    if (this.#firstByte !== undefined) return;
    this.#firstByte = performance.now() - this.began;
    this.#listener.onFirstByte();
    this.#await('byte', Math.min(this.request.timeouts.idle, most));
  }

  commit(changes: HeadChanges): void {
    const { response, ownHeaders } = this.request;
    this.begin();
    this.#committed = true;
    const headers = responseHeaders(this.#upstreamHeaders, changes.keepLength);
    for (const name of changes.drop ?? []) delete headers[name];
    Object.assign(headers, changes.set, ownHeaders);
    if (this.request.notes) this.#note(headers, this.request.notes);
    this.#listener.onCommit();
    // The head is out when comments have kept the client waiting.
    if (!response.headersSent) response.writeHead(this.#status!, headers);
  }

  /** What is known by now goes into the head; what a stream may still show, after its end. */
  #note(headers: OutgoingHttpHeaders, notes: AnswerNotes): void {
    Object.assign(headers, notes.take(this.#answer?.usage()));
    if (this.request.stream) headers['trailer'] = NOTE_NAMES.join(', ');
  }

  write(bytes: Buffer | string): void {
    if (bytes.length === 0) return;
    this.#sent += byteLength(bytes);
    if (this.request.response.write(bytes)) return;
    if (this.#controller!.paused) return;
    this.#controller!.pause();
    this.request.response.once('drain', this.#resume);
  }

  follow(paths: readonly string[], then: (linked: readonly Buffer[]) => void): void {
    const { instance } = this.request;
    this.#following = new AbortController();
    const { signal } = this.#following;
    Promise.all(paths.map((path) => instance.connections.fetch(path, signal))).then(
      (linked) => {
        if (this.#phase !== 'over') this.#guard(() => then(linked));
      },
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        this.fail(badAnswer(`"${instance.name}" links to a result that it does not give: ${why}.`));
      },
    );
  }

  gather(rest: readonly PartRequest[], then: (answers: readonly PartAnswer[]) => void): void {
    const { instance, path } = this.request;
    this.#following = new AbortController();
    for (const { length } of rest) this.#asked += length;
    const onAnswer = () => this.#patience.again();
    askParts(instance, path, rest, { signal: this.#following.signal, onAnswer }).then(
      (answers) => {
        for (const { body } of answers) this.#bytes += body.length;
        if (this.#phase !== 'over') this.#guard(() => then(answers));
      },
      (error: unknown) => {
        if (error instanceof PartFailed) this.fail(error.failure);
        else if (this.#phase !== 'over') this.#fault(error);
      },
    );
  }

  finish(bytes?: Buffer | string): void {
    const { response, notes } = this.request;
    if (bytes !== undefined) this.#sent += byteLength(bytes);
    if (notes) response.addTrailers(notes.take(this.#answer?.usage()));
    response.end(bytes);
    this.#end({ kind: 'done' });
  }

  fail(failure: Failure): void {
    this.#end({ kind: 'failed', failure });
  }

  breakOff(failure: Failure, lastWords?: string): void {
    const { response } = this.request;
    // Without a way to say it in the body, only a torn connection tells that bytes are missing.
    if (lastWords === undefined) response.destroy();
    else {
      this.#sent += byteLength(lastWords);
      response.end(lastWords);
    }
    this.#end({ kind: 'broken', failure });
  }

  #resume = (): void => {
    this.#patience.again();
    this.#controller?.resume();
  };

  #await(what: keyof typeof WAITS, patience: number): void {
    this.#waitsFor = what;
    this.#patience.begin(patience);
  }

  /** Called by its patience. */
  overdue(): void {
    // While we pause, it is the client who is slow, not the backend.
    if (this.#controller?.paused) this.#patience.begin(this.#patience.length);
    else if (this.#waitsFor === 'answer') void this.#unlessLoading();
    else this.#giveUp(`${WAITS[this.#waitsFor]} ${seconds(this.#patience.length)}`);
  }

  /** A cold load is no failure: it may take as long as `timeouts.loading` allows. */
  async #unlessLoading(): Promise<void> {
    const { instance, model, timeouts } = this.request;
    const { length } = this.#patience;
    const left = timeouts.loading - (performance.now() - this.began);
    const loading = left > 0 && (await instance.isLoading(model));
    if (this.#firstByte !== undefined || this.#phase === 'over') return;
    if (loading) this.#patience.look(Math.min(left, LOADING_LOOK));
    else this.#giveUp(`${WAITS.answer} ${seconds(length)}`);
  }

  #giveUp(what: string): void {
    if (this.#phase === 'over') return;
    const failure = transportFailure(
      'timeout',
      `Timed out on "${this.request.instance.name}": ${what}. A longer limit can be set under timeouts.`,
    );
    this.stop(failure);
  }

  /** Ends the call for a reason of ours, and tells the client as far as that can be told. */
  stop(failure: Failure): void {
    if (this.#phase === 'over') return;
    if (this.#answer) this.#answer.broken(failure);
    else this.fail(failure);
  }

  #end(end: AttemptEnd): void {
    if (this.#phase === 'over') return;
    const finished = end.kind === 'done';
    const phase = finished ? 'done' : this.#phase;
    this.#phase = 'over';
    this.#patience.end();
    clearTimeout(this.#total);
    this.request.response.off('drain', this.#resume);
    // After a whole answer the connection is good for the next call.
    if (!finished) this.#controller?.abort(new Error('the call is over'));
    this.#following?.abort();
    if (this.#fresh) void this.#fresh.close();
    this.#settle({
      end,
      phase,
      status: this.#status,
      duration: performance.now() - this.began,
      firstByte: this.#firstByte,
      events: this.#answer?.events ?? 0,
      asked: this.#asked,
      bytes: this.#bytes,
      sent: this.#sent,
      usage: this.#answer?.usage(),
    });
  }
}

function byteLength(bytes: Buffer | string): number {
  return typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
}

function seconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${milliseconds / 1000} s`;
}
