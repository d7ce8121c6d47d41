import type { JsonObject } from '../adapters/json.ts';

/** Bytes of a picture or a document, in base64, or where they can be fetched. */
export type Media =
  | { readonly data: string; readonly mediaType: string }
  | { readonly url: string }
  /** One that the backend has been given before. */
  | { readonly fileId: string };

interface Markable {
  /** The client's cache marker, which only some dialects have. */
  readonly cache?: JsonObject | undefined;
}

export interface TextPart extends Markable {
  readonly type: 'text';
  readonly text: string;
}

export interface ImagePart extends Markable {
  readonly type: 'image';
  readonly source: Media;
  /** How closely to look at it, in OpenAI's words. */
  readonly detail?: string | undefined;
}

export interface FilePart extends Markable {
  readonly type: 'file';
  readonly source: Media;
  readonly name?: string | undefined;
}

export interface AudioPart {
  readonly type: 'audio';
  readonly data: string;
  /** `wav`, `mp3`. */
  readonly format: string;
}

/** What a person or a tool can say. */
export type ContentPart = TextPart | ImagePart | FilePart | AudioPart;

export interface ReasoningPart {
  readonly type: 'reasoning';
  readonly text: string;
  /** Proves to the backend that the reasoning is its own. */
  readonly signature?: string | undefined;
  /** Reasoning that only its backend can read, in place of the text. */
  readonly opaque?: string | undefined;
}

export interface CallPart extends Markable {
  readonly type: 'call';
  readonly id: string;
  readonly name: string;
  /** JSON text of an object. */
  readonly arguments: string;
}

/** What a model can say. */
export type AssistantPart =
  | TextPart
  | { readonly type: 'refusal'; readonly text: string }
  | ReasoningPart
  | CallPart;

export interface ResultPart extends Markable {
  readonly type: 'result';
  readonly callId: string;
  readonly content: readonly ContentPart[];
  readonly failed?: boolean | undefined;
}

/** One turn of a conversation; neighbours of the same role may come as one or as several. */
export type Turn =
  | { readonly role: 'system'; readonly content: readonly TextPart[] }
  | { readonly role: 'user'; readonly content: readonly (ContentPart | ResultPart)[] }
  | { readonly role: 'assistant'; readonly content: readonly AssistantPart[] };

export interface Tool extends Markable {
  readonly name: string;
  readonly description?: string | undefined;
  /** A JSON Schema of an object. */
  readonly parameters: JsonObject;
  readonly strict?: boolean | undefined;
}

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

/** A wish for text in a form. */
export type Format =
  | { readonly type: 'json' }
  | {
      readonly type: 'schema';
      readonly schema: JsonObject;
      readonly name?: string | undefined;
      readonly description?: string | undefined;
      readonly strict?: boolean | undefined;
    };

/** How much to think before the answer. */
export interface Effort {
  /** False: not at all. */
  readonly enabled: boolean;
  /** `minimal`, `low`, `medium`, `high`, `xhigh`, `max`; absent: as the model likes. */
  readonly level?: string | undefined;
  /** Tokens. */
  readonly budget?: number | undefined;
}

/**
 * A request for an answer of a model, in the words of no dialect. What a dialect has and this has
 * not stands in `rest` by its own name.
 */
export interface Prompt {
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice | undefined;
  readonly parallelCalls?: boolean | undefined;
  /** Tokens. */
  readonly limit?: number | undefined;
  /** The limit is there because its dialect demands one. */
  readonly limitIsFormal?: boolean | undefined;
  readonly stop: readonly string[];
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly topK?: number | undefined;
  readonly seed?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  readonly presencePenalty?: number | undefined;
  readonly effort?: Effort | undefined;
  readonly format?: Format | undefined;
  /** Wants to know how likely each token was, and so many others in its place. */
  readonly logprobs?: { readonly others: number } | undefined;
  /** Who asks, for the provider's eyes. */
  readonly user?: string | undefined;
  /** A text that is to go on as it is, or up to `suffix`; `turns` say the same as far as they can. */
  readonly raw?: { readonly prompt: string; readonly suffix?: string | undefined } | undefined;
  readonly stream: boolean;
  readonly rest: JsonObject;
  /** What could not be said here, by the names that the client has for it. */
  readonly dropped: readonly string[];
}
