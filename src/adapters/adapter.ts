import type { Operation, Service } from '../service.ts';
import type { JsonObject } from './json.ts';

/** One HTTP answer of a backend to a probe. A body that is not JSON reads as `undefined`. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly json: unknown;
}

/** What a config says to the adapter of one instance, beside what all instances have. */
export interface AdapterOptions {
  /** Scores of a reranker that gives raw logits (llama.cpp) can be brought to 0..1. */
  readonly rerank?: { readonly score: 'raw' | 'sigmoid' };
  /** Azure's two URL styles, and the deployments that models go by. */
  readonly azure?: {
    readonly api: 'deployments' | 'v1';
    readonly apiVersion?: string | undefined;
    /** Deployment names by the names that clients call them. */
    readonly deployments: Readonly<Record<string, string>>;
  };
  /** The context that Ollama loads models with, in tokens; `auto`: what the prompts need. */
  readonly ollama?: { readonly numCtx: number | 'auto' };
}
/** The blocks that only some adapters read. */
export type OptionBlock = Exclude<keyof AdapterOptions, 'rerank'>;

/** What a probe has learnt of a server that its calls need to know. */
export interface Facts {
  /** Where its paths begin, when that is up to its operator (Infinity). */
  readonly prefix?: string;
  /** Inputs of one embeddings or rerank request. */
  readonly maxInputs?: number;
  /** Tokens of the context that a model is loaded with, where a server cuts what does not fit. */
  readonly contexts?: ReadonlyMap<string, number>;
}

/**
 * A backend as a probe sees it: requests go to its `baseUrl` with its credentials, bounded in time.
 * Both reject only when no HTTP answer came (refused, reset, timed out).
 */
export interface Backend {
  /** Absent: nobody has configured it, it was found. */
  readonly options?: AdapterOptions;
  get(path: string): Promise<Reply>;
  post(path: string, body: unknown): Promise<Reply>;
}

/** A model in an instance's catalogue. */
export interface CatalogueModel {
  /** The backend's name for it. */
  readonly id: string;
  /** Other names the backend answers to (Ollama: `llama3.2` for `llama3.2:latest`). */
  readonly aliases?: readonly string[];
  /** What it can do; absent: whatever its instance can. */
  readonly services?: readonly Service[];
  /** In memory now; absent: the backend does not say. */
  readonly loaded?: boolean;
  /** Context window in tokens. */
  readonly contextLength?: number;
  /** Unix seconds. */
  readonly created?: number;
  readonly ownedBy?: string;
}

export interface ProbeResult {
  /**
   * `loading`: up, but not yet able to serve (it says so itself); `misconfigured`: it refuses our
   * credentials or our Host; `unhealthy`: it answers, but says that it is broken.
   */
  readonly state: 'healthy' | 'loading' | 'misconfigured' | 'unhealthy';
  /** One clause on why it is not healthy, and what to do. */
  readonly detail?: string;
  readonly version?: string;
  /** The whole catalogue; absent when it could not be read this time (the last one stays). */
  readonly models?: readonly CatalogueModel[];
  /** The operations this very server has, where it tells (vLLM's routes); absent: all of the adapter's. */
  readonly operations?: readonly Operation[];
  /** Absent: what was known stays. */
  readonly facts?: Facts;
}

/** A part of a multipart form, as it lies in the request. */
export interface FormPart {
  readonly name: string;
  /** Present on files. */
  readonly filename?: string;
  readonly contentType?: string;
  readonly data: Buffer;
}

/** What an adapter may know of a call when it prepares the request or the answer. */
export interface AdapterCall {
  readonly operation: Operation;
  /** The backend's name of the model. */
  readonly model: string;
  /** The client's top-level JSON fields, or its form's text fields (the last of repeated ones). */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The client asked for a stream (`stream: true`, or `stream_format: sse` of speech). */
  readonly stream: boolean;
  /** The form's parts in their order, when the body is multipart. */
  readonly form?: readonly FormPart[];
  readonly options?: AdapterOptions;
  readonly facts?: Facts;
  /** What the adapter wants to remember of this instance from call to call. */
  readonly memory?: Map<string, number>;
}

/**
 * Changes to the request's top level; all else goes on byte for byte. In a form, `set` writes text
 * fields and `parts` replaces parts whole.
 */
export interface RequestPatch {
  readonly set?: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
  /** Multipart only: gives each part as it is to be sent; the same object means untouched bytes. */
  readonly parts?: (parts: readonly FormPart[]) => readonly FormPart[];
  /** Where to send it, in place of the operation's path, when that depends on the call. */
  readonly path?: string;
}

/** One of the answers that make one call's. */
export interface PartAnswer {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A call as several requests, for a backend that takes only so many inputs in one. */
export interface Split {
  /** What each of them has at its top level, over what `request` has set; at least one. */
  readonly parts: readonly Readonly<Record<string, unknown>>[];
  /**
   * Their answers, in their order, as the one that the backend would give to the whole call.
   * @throws Error when that can't be made of them.
   */
  readonly join: (answers: readonly PartAnswer[]) => string | Buffer;
}

/** One server-sent event, without its framing. */
export interface ServerEvent {
  readonly event?: string;
  readonly data: string;
}

export interface Answer {
  readonly body: Buffer | string;
  readonly contentType?: string;
}

/** How a backend's success becomes what OpenAI would have answered. Errors never come here. */
export interface ResponseTransform {
  /**
   * The whole answer that is not an event stream; `undefined`: leave its bytes as they came.
   * @param linked What was found at the paths that `links` named, in their order.
   * @throws Error when nothing right can be made of it: the answer is broken, and another instance may do better.
   */
  readonly body?: (
    body: Buffer,
    contentType: string,
    linked?: readonly Buffer[],
  ) => Answer | undefined;
  /**
   * Paths on the same backend that the answer points to and a client may not reach (LocalAI's edited
   * images): they are fetched before `body` is asked. Nearly always none.
   */
  readonly links?: (body: Buffer, contentType: string) => readonly string[];
  /** One event of a stream: what to send in its place. */
  readonly event?: (event: ServerEvent) => readonly ServerEvent[];
  /** The content type, when only that is wrong. */
  readonly contentType?: (contentType: string | undefined) => string;
}

/** How one backend does one operation. With neither transform, bytes pass through. */
export interface OperationSpec {
  /** Below `baseUrl`, which has neither a trailing slash nor a trailing `/v1`. */
  readonly path: string;
  /**
   * What to change in the request.
   * @throws RequestRefused when this backend cannot do what the client asks.
   */
  readonly request?: (call: AdapterCall) => RequestPatch | undefined;
  /** @returns `undefined` when the call fits into one request. */
  readonly split?: (call: AdapterCall) => Split | undefined;
  readonly response?: (call: AdapterCall) => ResponseTransform | undefined;
  /**
   * Only some servers of the kind have it, and show it: `post`, by refusing an empty request for
   * what it lacks (400, 422), or `get`, by not taking the method (405) where an empty request might
   * be answered. Absent: all have it, or the probe tells.
   */
  readonly shownBy?: 'post' | 'get';
  /**
   * Request fields that this backend reads beside those of the API it speaks: calls that are
   * translated from another dialect may use them.
   */
  readonly extras?: readonly string[];
  /** Headers that it wants, sent where the client sends none of that name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of `responses`: it keeps what it has answered, for calls that stand upon it. */
  readonly keeps?: boolean;
  /** It is the provider whose features on trial clients ask for by header (`anthropic-beta`). */
  readonly betas?: boolean;
}

/** What knows one kind of backend. */
export interface Adapter {
  readonly name: string;
  /** Where discovery looks for it on this machine. */
  readonly ports: readonly number[];
  /** What all its paths begin with, and a `baseUrl` may end with all the same (`/openai`). */
  readonly root?: string;
  /** The blocks of an instance's config that it reads. */
  readonly options?: readonly OptionBlock[];
  /** Used when an instance has no `baseUrl`: clouds have one address for all. */
  readonly baseUrl?: string;
  /** Variables that may hold a key for it, the usual one first; absent: `NAME_API_KEY`. */
  readonly keyVariables?: readonly string[];
  /** Variables that may hold its address, beside the `_BASE_URL` that goes with the key's. */
  readonly addressVariables?: readonly string[];
  /** Pays by use and is not ours: probed rarely. */
  readonly cloud?: boolean;
  /** The headers that carry an instance's `apiKey`. */
  readonly auth: (apiKey: string) => Readonly<Record<string, string>>;
  /**
   * How long an idle socket may be used again, in milliseconds; at least a second less than the
   * backend's own limit, or a request may meet a socket that is just being closed.
   */
  readonly keepAlive: number;
  /** After how many requests it closes a connection; absent: it does not count them. */
  readonly requestsPerConnection?: number;
  readonly operations: Readonly<Partial<Record<Operation, OperationSpec>>>;
  /** Operations that an instance with these options does not use, so that others stand in for them. */
  unused?(options: AdapterOptions): readonly Operation[];
  /** Health, catalogue and loaded models, without a generation. Rejects when the backend is out of reach. */
  probe(backend: Backend): Promise<ProbeResult>;
  /** Whether the server at the other end is one of this kind. Absent: discovery does not look for it. */
  recognise?(backend: Backend): Promise<boolean>;
  /**
   * Whether it is loading this model right now, for a call that has long waited for its first byte.
   * Absent: it does not say, or says it in its probe.
   */
  loading?(backend: Backend, model: string): Promise<boolean>;
  /**
   * Tokens of the context that a model is loaded with now. Only for backends that cut a prompt that
   * does not fit, and do not say so.
   */
  context?(backend: Backend, model: string): Promise<number | undefined>;
  /**
   * Loads a model without a generation. Absent: the backend's models are always loaded, or there is
   * no way to ask for it.
   */
  warm?(backend: Backend, model: string): Promise<Reply>;
  /**
   * The status that an error answer should have had, where the backend's own is known to lie
   * (Xinference answers 500 to a client's mistake).
   */
  verdict?(status: number, message: string): number;
}

/** A request that an adapter can't translate; its message tells the client what to change. */
export class RequestRefused extends Error {
  /** The request field at fault. */
  readonly param: string | null;
  /** For clients that act upon them. */
  readonly details: JsonObject | undefined;
  constructor(message: string, param: string | null = null, details?: JsonObject) {
    super(message);
    this.name = 'RequestRefused';
    this.param = param;
    this.details = details;
  }
}

/** Checks an adapter's shape at compile time and gives it back as it is. */
export function defineAdapter<const A extends Adapter>(adapter: A): A {
  return adapter;
}
