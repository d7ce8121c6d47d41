import type { AnswerEvent } from '../answer.ts';
import { parseJson } from '../../adapters/json.ts';

/** A piece of a call as a chunk has it. */
interface Fragment {
  /** Which call of the answer it belongs to; absent: the one before it. */
  readonly index: number | string | undefined;
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly arguments: string;
}

interface PendingCall {
  readonly index: number | string;
  id: string | undefined;
  name: string | undefined;
  arguments: string;
}

/**
 * Gives calls one after the other. Chat completions may mix the fragments of several calls; other
 * dialects finish each before the next. A call goes on as it comes; only what arrives of the next
 * one before it is whole has to wait.
 */
export class CallOrder {
  #calls: PendingCall[] = [];
  #begun = false;

  take(fragment: Fragment): readonly AnswerEvent[] {
    const call = this.#callOf(fragment);
    call.id ??= fragment.id;
    call.name ??= fragment.name;
    call.arguments += fragment.arguments;
    const events = call === this.#calls[0] ? this.#first(fragment.arguments) : NONE;
    return this.#calls.length === 1 ? events : [...events, ...this.#advance()];
  }

  /** Everything that still waits: nothing more comes of it. */
  rest(): readonly AnswerEvent[] {
    if (this.#calls.length === 0) return NONE;
    const events: AnswerEvent[] = [];
    for (const call of this.#calls.slice(this.#begun ? 1 : 0)) events.push(...whole(call));
    this.#calls = [];
    this.#begun = false;
    return events;
  }

  #callOf({ index, id, name, arguments: text }: Fragment): PendingCall {
    const known =
      index === undefined
        ? this.#calls.at(-1)
        : this.#calls.findLast((call) => call.index === index);
    // Some number every call alike; a whole one can't go on.
    const another = known !== undefined && name !== undefined && (text !== '' || id !== known.id);
    if (known && !(another && known.arguments !== '' && isWhole(known))) return known;
    const call = { index: index ?? 0, id: undefined, name: undefined, arguments: '' };
    this.#calls.push(call);
    return call;
  }

  #first(fresh: string): readonly AnswerEvent[] {
    const call = this.#calls[0]!;
    if (this.#begun) return fresh === '' ? NONE : [{ type: 'arguments', text: fresh }];
    // The name is the first thing that every backend tells, but some tell it alone.
    if (call.name === undefined) return NONE;
    this.#begun = true;
    return whole(call);
  }

  /** Another call has begun: those before it are over when their JSON is whole. */
  #advance(): readonly AnswerEvent[] {
    const events: AnswerEvent[] = [];
    while (this.#calls.length > 1 && isWhole(this.#calls[0]!)) {
      if (!this.#begun) events.push(...whole(this.#calls[0]!));
      this.#calls.shift();
      this.#begun = false;
      events.push(...this.#first(''));
    }
    return events;
  }
}

const NONE: readonly AnswerEvent[] = [];

function whole({ id, name, arguments: text }: PendingCall): AnswerEvent[] {
  const call: AnswerEvent = { type: 'call', id: id ?? '', name: name ?? '' };
  return text === '' ? [call] : [call, { type: 'arguments', text }];
}

function isWhole({ name, arguments: text }: PendingCall): boolean {
  return name !== undefined && (text.trim() === '' || parseJson(text) !== undefined);
}
