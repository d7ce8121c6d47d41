import type { JsonObject } from '../../adapters/json.ts';
import type { AnswerEvent, Block, StopReason, TokenUsage } from '../answer.ts';
import type { AnswerContext, EventWriter } from '../dialect.ts';
import { ERROR_SHAPES } from '../error-shapes.ts';
import { freeTextReader, type FreeTextReader } from '../free-text.ts';
import {
  ITEM_IDS,
  messageItem,
  outputText,
  reasoningItem,
  refusal,
  toolItem,
  toolNamed,
  wishesOf,
  type ItemStatus,
  type Wishes,
} from './items.ts';
import { responseObject, statusAfter, type Progress } from './response.ts';
import type { KnownTool } from './tools.ts';

/** Writes an answer as a stream of Responses, with the whole grammar of its events. */
export function eventWriter(context: AnswerContext): EventWriter {
  return new ResponseWriter(context);
}

interface OpenMessage {
  readonly type: 'message';
  readonly id: string;
  readonly parts: JsonObject[];
  /** The part that is being said. */
  part:
    | { readonly type: 'text' | 'refusal'; text: string; readonly logprobs: JsonObject[] }
    | undefined;
}
interface OpenReasoning {
  readonly type: 'reasoning';
  readonly id: string;
  readonly block: Extract<Block, { type: 'reasoning' }>;
}
interface OpenCall {
  readonly type: 'call';
  readonly id: string;
  readonly tool: KnownTool;
  readonly callId: string;
  json: string;
  readonly text: FreeTextReader | undefined;
}

class ResponseWriter implements EventWriter {
  result: JsonObject | undefined;
  readonly #context: AnswerContext;
  readonly #wishes: Wishes;
  readonly #id: string;
  readonly #output: JsonObject[] = [];
  #model: string;
  #sequence = 0;
  #open: OpenMessage | OpenReasoning | OpenCall | undefined;
  #usage: TokenUsage | undefined;
  #stop: StopReason = 'end';
  #refused = false;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#wishes = wishesOf(context);
    this.#id = context.id ?? context.mint('resp_');
    this.#model = context.model;
  }

  write(event: AnswerEvent): string {
    switch (event.type) {
      case 'start':
        this.#model = event.model ?? this.#model;
        return this.#lifecycle('created') + this.#lifecycle('in_progress');
      case 'text':
      case 'refusal':
        return this.#say(event);
      case 'reasoning':
        return this.#think(event.text);
      case 'signature':
        if (this.#open?.type === 'reasoning') this.#open.block.signature = event.signature;
        return this.#close();
      case 'opaque': {
        const before = this.#openReasoning();
        if (this.#open?.type === 'reasoning') this.#open.block.opaque = event.data;
        return before + this.#close();
      }
      case 'call':
        return this.#call(event.id, event.name);
      case 'arguments':
        return this.#argue(event.text);
      case 'usage':
        this.#usage = event.usage;
        return '';
      case 'stop':
        this.#stop = event.reason;
        return this.#close(event.reason === 'length' || event.reason === 'context');
      case 'end': {
        const closing = this.#close();
        const status = statusAfter(this.#stop, this.#refused);
        return closing + this.#last(status === 'incomplete' ? 'incomplete' : 'completed');
      }
    }
  }

  fail(error: Parameters<EventWriter['fail']>[0]): string {
    if (this.#sequence === 0) return ERROR_SHAPES.responses.event(error, { status: error.status });
    const { message, code } = error;
    const cancelled = code === 'response_cancelled';
    this.result = this.#response({
      status: cancelled ? 'cancelled' : 'failed',
      ...(cancelled ? {} : { error: { code: code ?? 'server_error', message } }),
    });
    return this.#event('response.failed', { response: this.result });
  }

  #event(type: string, rest: JsonObject): string {
    const data = JSON.stringify({ type, sequence_number: this.#sequence++, ...rest });
    return `event: ${type}\ndata: ${data}\n\n`;
  }

  /** An event of the item that is open. */
  #itemEvent(type: string, rest: JsonObject): string {
    const { id } = this.#open!;
    return this.#event(type, { item_id: id, output_index: this.#output.length, ...rest });
  }

  #response(progress: Partial<Progress> & Pick<Progress, 'status'>): JsonObject {
    return responseObject(
      {
        id: this.#id,
        model: this.#model,
        output: this.#output,
        usage: this.#usage,
        stop: this.#stop,
        ...progress,
      },
      this.#context,
    );
  }

  #lifecycle(name: 'created' | 'in_progress'): string {
    const response = this.#response({ status: 'in_progress', output: [], usage: undefined });
    return this.#event(`response.${name}`, { response });
  }

  #last(status: 'completed' | 'incomplete'): string {
    this.result = this.#response({ status });
    return this.#event(`response.${status}`, { response: this.result });
  }

  #begin(item: JsonObject): string {
    return this.#event('response.output_item.added', { output_index: this.#output.length, item });
  }

  #done(item: JsonObject): string {
    const event = this.#event('response.output_item.done', {
      output_index: this.#output.length,
      item,
    });
    this.#output.push(item);
    this.#open = undefined;
    return event;
  }

  /** @param cut The model was stopped at a limit in the midst of it. */
  #close(cut = false): string {
    const open = this.#open;
    const status: ItemStatus = cut ? 'incomplete' : 'completed';
    switch (open?.type) {
      case 'message':
        return this.#endPart(open) + this.#done(messageItem(open.id, status, open.parts));
      case 'reasoning':
        return (
          this.#endThought(open) + this.#done(reasoningItem(open.id, open.block, this.#wishes))
        );
      case 'call':
        return this.#endCall(open) + this.#done(toolItem(open.id, status, open));
      default:
        return '';
    }
  }

  // Words

  #say(event: Extract<AnswerEvent, { type: 'text' | 'refusal' }>): string {
    const { type, text } = event;
    const logprobs = event.type === 'text' ? (event.logprobs ?? []) : [];
    this.#refused ||= type === 'refusal';
    let before = '';
    let open = this.#open;
    if (open?.type !== 'message') {
      before = this.#close();
      const id = this.#context.mint(ITEM_IDS.message);
      open = { type: 'message', id, parts: [], part: undefined };
      this.#open = open;
      before += this.#begin(messageItem(id, 'in_progress', []));
    }
    if (open.part?.type !== type) {
      before += this.#endPart(open);
      open.part = { type, text: '', logprobs: [] };
      const part = type === 'text' ? outputText('') : refusal('');
      before += this.#itemEvent('response.content_part.added', {
        content_index: open.parts.length,
        part,
      });
    }
    open.part.text += text;
    open.part.logprobs.push(...logprobs);
    const place = { content_index: open.parts.length, delta: text };
    return (
      before +
      (type === 'text'
        ? this.#itemEvent('response.output_text.delta', { ...place, logprobs })
        : this.#itemEvent('response.refusal.delta', place))
    );
  }

  #endPart(open: OpenMessage): string {
    const { part } = open;
    if (!part) return '';
    open.part = undefined;
    const place = { content_index: open.parts.length };
    const { logprobs } = part;
    const whole = part.type === 'text' ? outputText(part.text, logprobs) : refusal(part.text);
    const said =
      part.type === 'text'
        ? this.#itemEvent('response.output_text.done', { ...place, text: part.text, logprobs })
        : this.#itemEvent('response.refusal.done', { ...place, refusal: part.text });
    const done = this.#itemEvent('response.content_part.done', { ...place, part: whole });
    open.parts.push(whole);
    return said + done;
  }

  // Thoughts

  #openReasoning(): string {
    const before = this.#close();
    const id = this.#context.mint(ITEM_IDS.reasoning);
    this.#open = { type: 'reasoning', id, block: { type: 'reasoning', text: '' } };
    return before + this.#begin({ id, type: 'reasoning', summary: [] });
  }

  #think(text: string): string {
    let before = this.#open?.type === 'reasoning' ? '' : this.#openReasoning();
    const { block } = this.#open as OpenReasoning;
    const { summary } = this.#wishes;
    if (block.text === '') {
      before += summary
        ? this.#itemEvent('response.reasoning_summary_part.added', {
            summary_index: 0,
            part: { type: 'summary_text', text: '' },
          })
        : this.#itemEvent('response.content_part.added', {
            content_index: 0,
            part: { type: 'reasoning_text', text: '' },
          });
    }
    block.text += text;
    return (
      before +
      (summary
        ? this.#itemEvent('response.reasoning_summary_text.delta', {
            summary_index: 0,
            delta: text,
          })
        : this.#itemEvent('response.reasoning_text.delta', { content_index: 0, delta: text }))
    );
  }

  #endThought({ block: { text } }: OpenReasoning): string {
    if (text === '') return '';
    if (this.#wishes.summary) {
      const place = { summary_index: 0 };
      return (
        this.#itemEvent('response.reasoning_summary_text.done', { ...place, text }) +
        this.#itemEvent('response.reasoning_summary_part.done', {
          ...place,
          part: { type: 'summary_text', text },
        })
      );
    }
    const place = { content_index: 0 };
    return (
      this.#itemEvent('response.reasoning_text.done', { ...place, text }) +
      this.#itemEvent('response.content_part.done', {
        ...place,
        part: { type: 'reasoning_text', text },
      })
    );
  }

  // Calls

  #call(callId: string, name: string): string {
    const before = this.#close();
    const tool = toolNamed(name, this.#wishes);
    const id = this.#context.mint(ITEM_IDS[tool.kind]);
    const text = tool.kind === 'custom' ? freeTextReader() : undefined;
    this.#open = { type: 'call', id, tool, callId, json: '', text };
    // What a typed tool is to do is only known at the end, and is never told in parts.
    if (!streams(tool)) return before;
    const item = toolItem(id, 'in_progress', { tool, callId, json: '' });
    return before + this.#begin(item);
  }

  #argue(json: string): string {
    const open = this.#open;
    if (open?.type !== 'call') return '';
    open.json += json;
    if (open.tool.kind === 'function') {
      return this.#itemEvent('response.function_call_arguments.delta', { delta: json });
    }
    const delta = open.text?.push(json) ?? '';
    return delta === '' ? '' : this.#itemEvent('response.custom_tool_call_input.delta', { delta });
  }

  #endCall(open: OpenCall): string {
    const { tool, json, text } = open;
    if (tool.kind === 'function') {
      return this.#itemEvent('response.function_call_arguments.done', {
        name: tool.name,
        arguments: json,
      });
    }
    if (!text) return this.#begin(toolItem(open.id, 'in_progress', open));
    const delta = text.rest();
    const rest =
      delta === '' ? '' : this.#itemEvent('response.custom_tool_call_input.delta', { delta });
    const { input } = toolItem(open.id, 'completed', open);
    return rest + this.#itemEvent('response.custom_tool_call_input.done', { input });
  }
}

function streams({ kind }: KnownTool): boolean {
  return kind === 'function' || kind === 'custom';
}
