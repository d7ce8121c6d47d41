import type { JsonObject } from '../adapters/json.ts';

/** Tokens of an answer. */
export interface TokenUsage {
  /** All that was read, with what came from a cache or went into one. */
  readonly input: number;
  readonly output: number;
  /** Of the input: read from a cache. */
  readonly cached?: number | undefined;
  /** Of the input: written into a cache. */
  readonly cacheWritten?: number | undefined;
  /** Of the output: reasoning. */
  readonly reasoning?: number | undefined;
}

/**
 * Why a model stopped. `context`: its context is full; `pause`: it wants to be asked to go on.
 */
export type StopReason =
  | 'end'
  | 'length'
  | 'stop-sequence'
  | 'calls'
  | 'filtered'
  | 'context'
  | 'pause';

/** How likely each token of a text was; OpenAI and Ollama have the same words for it. */
export type Logprobs = readonly JsonObject[];

/**
 * An answer, event by event, in the words of no dialect. A run of events of one kind is one block;
 * a call's arguments follow it without anything between.
 */
export type AnswerEvent =
  | { readonly type: 'start'; readonly model?: string | undefined }
  | { readonly type: 'text'; readonly text: string; readonly logprobs?: Logprobs | undefined }
  | { readonly type: 'refusal'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  /** Ends the reasoning before it. */
  | { readonly type: 'signature'; readonly signature: string }
  /** A whole block of reasoning that only its backend can read. */
  | { readonly type: 'opaque'; readonly data: string }
  | { readonly type: 'call'; readonly id: string; readonly name: string }
  | { readonly type: 'arguments'; readonly text: string }
  | { readonly type: 'usage'; readonly usage: TokenUsage }
  | {
      readonly type: 'stop';
      readonly reason: StopReason;
      readonly sequence?: string | undefined;
    }
  | { readonly type: 'end' };

/** A block of a whole answer. */
export type Block =
  | { readonly type: 'text'; text: string; logprobs?: Logprobs }
  | { readonly type: 'refusal'; text: string }
  | { readonly type: 'reasoning'; text: string; signature?: string; opaque?: string }
  | { readonly type: 'call'; readonly id: string; readonly name: string; arguments: string };

/** A whole answer. */
export interface WholeAnswer {
  readonly model: string | undefined;
  readonly blocks: readonly Block[];
  readonly stop: StopReason;
  readonly sequence: string | undefined;
  readonly usage: TokenUsage | undefined;
}

/** The events of an answer as one. */
export function gather(events: Iterable<AnswerEvent>): WholeAnswer {
  const blocks: Block[] = [];
  let model: string | undefined;
  let usage: TokenUsage | undefined;
  let stop: StopReason = 'end';
  let sequence: string | undefined;
  for (const event of events) {
    if (event.type === 'start') ({ model } = event);
    else if (event.type === 'usage') ({ usage } = event);
    else if (event.type === 'stop') {
      stop = event.reason;
      ({ sequence } = event);
    } else if (event.type !== 'end') extend(blocks, event);
  }
  return { model, blocks, stop, sequence, usage };
}

type ContentEvent = Exclude<AnswerEvent, { type: 'start' | 'usage' | 'stop' | 'end' }>;

/** Adds an event to the last block, or begins a new one with it. */
function extend(blocks: Block[], event: ContentEvent): void {
  const last = blocks.at(-1);
  switch (event.type) {
    case 'text': {
      const { text, logprobs } = event;
      if (last?.type !== 'text') blocks.push({ type: 'text', text, ...(logprobs && { logprobs }) });
      else {
        last.text += text;
        if (logprobs) last.logprobs = [...(last.logprobs ?? []), ...logprobs];
      }
      return;
    }
    case 'refusal':
      if (last?.type === event.type) last.text += event.text;
      else blocks.push({ type: event.type, text: event.text });
      return;
    case 'reasoning':
      if (last?.type === 'reasoning' && last.signature === undefined && last.opaque === undefined)
        last.text += event.text;
      else blocks.push({ type: 'reasoning', text: event.text });
      return;
    case 'signature':
      if (last?.type === 'reasoning') last.signature = event.signature;
      else blocks.push({ type: 'reasoning', text: '', signature: event.signature });
      return;
    case 'opaque':
      blocks.push({ type: 'reasoning', text: '', opaque: event.data });
      return;
    case 'call':
      blocks.push({ type: 'call', id: event.id, name: event.name, arguments: '' });
      return;
    case 'arguments':
      if (last?.type === 'call') last.arguments += event.text;
  }
}
