import type { ServerEvent } from './adapter.ts';
import { asNumber, asObject, asObjects, asText, parseJson, type JsonObject } from './json.ts';
import { JsonPrefix } from './json-prefix.ts';
import { mendArguments } from './loose-json.ts';
import { callsOf, isObjectText, newCallId, uniqueId, type OnRepair } from './tool-calls.ts';
import {
  argumentsOf,
  isMarked,
  readWritten,
  suspectAt,
  type WritingRules,
} from './written-calls.ts';

/** A tool call of the stream, as far as it has come. */
interface RunningCall {
  readonly index: number;
  /** Its arguments. */
  text: string;
  /** Characters of them that have gone to the client. */
  sent: number;
  readonly prefix: JsonPrefix;
}

/** A piece of a call, as it is to be sent. */
interface Fragment {
  readonly call: RunningCall;
  readonly outward: JsonObject;
  readonly args: string;
  readonly changed: boolean;
  /** After it, the arguments may be whole or go on; not after a comma, which nothing may follow. */
  readonly sound: boolean;
  /** What the end of the call before it has still to say. */
  readonly before: readonly ServerEvent[];
}

/** An event that waits until it is known what it is a part of. */
interface Held {
  readonly event: ServerEvent;
  /** What of the message's text it brings. */
  readonly text: string;
  /** It opens the message. */
  readonly opens?: boolean;
  readonly fragment?: Fragment;
}

/** A chunk as it was read. */
interface Chunk {
  readonly whole: JsonObject;
  readonly choice: JsonObject;
  readonly delta: JsonObject;
  readonly text: string;
  readonly finish: string | undefined;
}

/**
 * Watches the one message of a stream. Events go on as they came, and at once, for as long as nothing
 * in them is suspicious: text that may be a written call, and arguments that are no JSON, are kept
 * back until that shows. Only the first event, if it says nothing yet, waits for the second.
 */
export class ToolStreamRepair {
  readonly #rules: WritingRules;
  readonly #told: OnRepair;
  /** What all chunks of the stream have in common. */
  #frame: JsonObject = {};
  #held: Held[] = [];
  #text = '';
  /** Characters of the text that have gone to the client. */
  #released = 0;
  /** What is kept back can be nothing but a call. */
  #marked = false;
  readonly #calls = new Map<number, RunningCall>();
  #current: RunningCall | undefined;
  readonly #ids = new Set<string>();
  #began = false;
  #over = false;

  constructor(rules: WritingRules, told: OnRepair) {
    this.#rules = rules;
    this.#told = told;
  }

  /** @returns What is to be sent now in its place. */
  event(event: ServerEvent): readonly ServerEvent[] {
    if (this.#over) return [event];
    const chunk = this.#read(event);
    if (!chunk) {
      // A stream that ends without saying why is let go as it is.
      if (event.data === '[DONE]') return [...this.#release(), event];
      return this.#held.length > 0 ? this.#hold({ event, text: '' }) : [event];
    }
    const calls = callsOf(chunk.delta, this.#told);
    if (calls.length > 0) return this.#speakCalls(event, chunk, calls);
    if (chunk.finish !== undefined) return this.#finish(event, chunk);
    return this.#speak(event, chunk);
  }

  #read(event: ServerEvent): Chunk | undefined {
    if (event.data === '[DONE]') return undefined;
    const whole = asObject(parseJson(event.data));
    const [choice] = asObjects(whole?.['choices']) ?? [];
    if (!whole || !choice) return undefined;
    const { choices: _, usage: __, timings: ___, ...frame } = whole;
    this.#frame = frame;
    // Some send the last chunk as if it were an answer.
    const delta = asObject(choice['delta']) ?? asObject(choice['message']) ?? {};
    const text = asText(delta['content']) ?? '';
    return { whole, choice, delta, text, finish: asText(choice['finish_reason']) };
  }

  // Text

  #speak(event: ServerEvent, { delta, text }: Chunk): readonly ServerEvent[] {
    const suspicious = this.#text.length > this.#released;
    if (text === '') {
      const first = !this.#began && this.#held.length === 0 && saysNothing(delta);
      if (suspicious || first) return this.#hold({ event, text });
      return [...this.#release(), event];
    }
    if (this.#calls.size > 0) return [...this.#release(), event];
    this.#text += text;
    this.#hold({ event, text, opens: 'role' in delta });
    if (this.#marked) return [];
    const tail = this.#text.slice(this.#released);
    const at = suspectAt(tail, this.#rules, this.#atStart);
    if (at === undefined) return this.#release();
    this.#marked = isMarked(tail.slice(at));
    return this.#releaseBefore(at);
  }

  /** Nothing but white space of the message has gone to the client. */
  get #atStart(): boolean {
    return this.#text.slice(0, this.#released).trim() === '';
  }

  #hold(held: Held): readonly ServerEvent[] {
    this.#held.push(held);
    return [];
  }

  #release(): readonly ServerEvent[] {
    const events = this.#held.map(({ event }) => event);
    for (const { fragment } of this.#held) {
      if (fragment) fragment.call.sent += fragment.args.length;
    }
    this.#held = [];
    this.#released = this.#text.length;
    this.#began ||= events.length > 0;
    return events;
  }

  /** @param at In the text that is kept back: what lies before it is not suspicious. */
  #releaseBefore(at: number): readonly ServerEvent[] {
    let count = 0;
    let length = 0;
    for (const { text } of this.#held) {
      if (length + text.length > at) break;
      length += text.length;
      count += 1;
    }
    // The event that says nothing yet waits with what follows it.
    if (length === 0) return [];
    this.#released += length;
    this.#began = true;
    return this.#held.splice(0, count).map(({ event }) => event);
  }

  // Calls

  #speakCalls(
    event: ServerEvent,
    chunk: Chunk,
    calls: readonly JsonObject[],
  ): readonly ServerEvent[] {
    const out = this.#current ? [] : [...this.#release()];
    const fragments = calls.map((call) => this.#take(call));
    const shaped = asObjects(asObject(chunk.choice['delta'])?.['tool_calls']) === undefined;
    const clean =
      !shaped &&
      fragments.every(({ changed, sound, before }) => !changed && sound && before.length === 0);
    if (clean && (chunk.finish === undefined || this.#endsWell(chunk.finish))) {
      out.push(...this.#release(), event);
      for (const { call, args } of fragments) call.sent += args.length;
      this.#began = true;
      this.#over = chunk.finish !== undefined;
      return out;
    }
    const { tool_calls: _, function_call: __, ...rest } = chunk.delta;
    for (const [position, fragment] of fragments.entries()) {
      out.push(...fragment.before);
      const single =
        !shaped && !fragment.changed && fragments.length === 1 && chunk.finish === undefined;
      const own = single
        ? event
        : this.#chunk({ ...(position === 0 ? rest : {}), tool_calls: [fragment.outward] });
      this.#hold({ event: own, text: '', opens: position === 0 && 'role' in rest, fragment });
      if (fragment.sound) out.push(...this.#release());
    }
    if (chunk.finish !== undefined) {
      out.push(...this.#finish(undefined, { ...chunk, delta: {}, text: '' }));
    }
    return out;
  }

  #take(given: JsonObject): Fragment {
    const inner = asObject(given['function']) ?? {};
    const name = asText(inner['name']);
    const told = asNumber(given['index']);
    // Without an index, a name begins a new call.
    const begins = name !== undefined || !this.#current;
    const index = told ?? (begins ? this.#calls.size : this.#current!.index);
    let changed = told === undefined;
    if (changed) this.#told('shape');

    let call = this.#calls.get(index);
    let outward: JsonObject = { index, ...given };
    let before: readonly ServerEvent[] = [];
    if (!call) {
      before = this.#close(undefined);
      call = { index, text: '', sent: 0, prefix: new JsonPrefix() };
      this.#calls.set(index, call);
      const id = uniqueId(given['id'], this.#ids, this.#told);
      if (id !== given['id']) {
        outward = { ...outward, id, type: 'function' };
        changed = true;
      }
    }
    this.#current = call;
    let args = typeof inner['arguments'] === 'string' ? inner['arguments'] : '';
    if (asObject(inner['arguments'])) {
      args = argumentsOf(inner['arguments'])!;
      outward = { ...outward, function: { ...inner, arguments: args } };
      this.#told('shape');
      changed = true;
    }
    call.text += args;
    call.prefix.push(args);
    const sound = !call.prefix.broken && !call.prefix.hangs;
    return { call, outward, args, changed, sound, before };
  }

  /** All calls are whole, and the reason to end is that there are some. */
  #endsWell(finish: string): boolean {
    return (
      finish === 'tool_calls' && [...this.#calls.values()].every(({ prefix }) => prefix.complete)
    );
  }

  /** The running call has come to its end: what is wrong with its arguments is put right. */
  #close(finish: string | undefined): readonly ServerEvent[] {
    const call = this.#current;
    this.#current = undefined;
    // What ran out of tokens is half a call: made whole, it would do half of what was meant.
    if (!call || call.prefix.complete || finish === 'length') return this.#release();
    const mended = mendArguments(call.text);
    const goesOn = mended?.startsWith(call.text.slice(0, call.sent)) === true;
    if (mended === undefined || !goesOn || !isObjectText(mended)) return this.#release();
    this.#told('arguments');
    const rest = mended.slice(call.sent);
    const [first] = this.#held;
    this.#held = [];
    this.#began = true;
    if (!first?.fragment) {
      return rest === ''
        ? []
        : [this.#chunk({ tool_calls: [{ index: call.index, function: { arguments: rest } }] })];
    }
    const { outward } = first.fragment;
    const inner = { ...asObject(outward['function']), arguments: rest };
    return [this.#chunk({ ...role([first]), tool_calls: [{ ...outward, function: inner }] })];
  }

  // The end

  /** @param event Absent: the chunk's calls have been sent already, and only its end is left. */
  #finish(event: ServerEvent | undefined, chunk: Chunk): readonly ServerEvent[] {
    const finish = chunk.finish!;
    this.#over = true;
    const { message: _, ...rest } = chunk.choice;
    const ended = (reason: string): ServerEvent => ({
      data: JSON.stringify({
        ...chunk.whole,
        choices: [{ index: 0, ...rest, delta: {}, finish_reason: reason }],
      }),
    });
    if (this.#calls.size > 0) {
      const out = this.#close(finish);
      if (finish !== 'stop' && finish !== 'function_call') return [...out, event ?? ended(finish)];
      this.#told('finish-reason');
      return [...out, ended('tool_calls')];
    }
    this.#text += chunk.text;
    const tail = this.#text.slice(this.#released);
    const written =
      finish === 'length' || tail === ''
        ? undefined
        : readWritten(tail, this.#rules, this.#atStart);
    if (!written) return [...this.#release(), event ?? ended(finish)];
    this.#told('text-calls');
    const consumed = this.#held.filter(({ text }) => text !== '');
    const out = this.#held.filter(({ text }) => text === '').map((one) => one.event);
    if (written.text !== '' || 'role' in role(consumed)) {
      out.push(this.#chunk({ ...role(consumed), content: written.text }));
    }
    for (const [index, { name, arguments: args }] of written.calls.entries()) {
      const call = { index, id: newCallId(), type: 'function', function: { name, arguments: '' } };
      out.push(
        this.#chunk({ tool_calls: [call] }),
        this.#chunk({ tool_calls: [{ index, function: { arguments: args } }] }),
      );
    }
    return [...out, ended('tool_calls')];
  }

  #chunk(delta: JsonObject): ServerEvent {
    const choices = [{ index: 0, delta, finish_reason: null }];
    return { data: JSON.stringify({ ...this.#frame, choices }) };
  }
}

/** What is to be said in the place of events that opened the message. */
function role(events: readonly Held[]): JsonObject {
  return events.some(({ opens }) => opens) ? { role: 'assistant' } : {};
}

/** A delta that only opens the message. */
function saysNothing(delta: JsonObject): boolean {
  return Object.entries(delta).every(
    ([name, value]) => name === 'role' || value === '' || value === null,
  );
}
