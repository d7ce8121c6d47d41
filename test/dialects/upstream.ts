import { fakeBackend, json, startEvents, type FakeBackend } from '../support/fake-backend.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

export interface Scene {
  readonly backend: FakeBackend;
  readonly gateway: TestGateway;
  /** The JSON of the last call to the backend. */
  readonly asked: () => Record<string, unknown>;
}

/** What a backend answers: events of a stream, or one JSON body. */
export type Scripted = readonly unknown[] | Readonly<Record<string, unknown>>;

/**
 * A gateway before one backend that knows chat completions alone (instance `a`, model `m`).
 * @param script A list is a stream of chunks, to which `[DONE]` is added.
 */
export async function overChat(
  script: Scripted,
  options: {
    readonly adapter?: string;
    readonly config?: Partial<ConfigInput>;
    /** Bytes of each write; absent: a write an event. */
    readonly cut?: number;
  } = {},
): Promise<Scene> {
  const backend = await fakeBackend(async (_, response) => {
    if (!Array.isArray(script)) {
      json(response, 200, script);
      return;
    }
    startEvents(response);
    const text = [...(script as unknown[]), '[DONE]'].map(event).join('');
    const bytes = Buffer.from(text);
    const { cut = bytes.length } = options;
    for (let at = 0; at < bytes.length; at += cut) {
      response.write(bytes.subarray(at, at + cut));
      if (cut < bytes.length) await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  });
  const gateway = await startGateway({
    ...options.config,
    instances: { a: { adapter: options.adapter ?? 'openai', baseUrl: backend.url } },
  });
  const asked = () =>
    JSON.parse(backend.received.at(-1)!.body.toString()) as Record<string, unknown>;
  return { backend, gateway, asked };
}

function event(data: unknown): string {
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}

/** A chunk of a chat stream. */
export function chunk(delta: object, more: object = {}): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    model: 'm-2025',
    choices: [{ index: 0, delta, finish_reason: null, ...more }],
  };
}

/** The last chunk of the answer, and its usage. */
export function ending(reason: string, usage: object = USAGE): readonly object[] {
  return [chunk({}, { finish_reason: reason }), { id: 'chatcmpl-1', choices: [], usage }];
}

const USAGE = {
  prompt_tokens: 21,
  completion_tokens: 7,
  total_tokens: 28,
  prompt_tokens_details: { cached_tokens: 5 },
  completion_tokens_details: { reasoning_tokens: 3 },
};

/** A whole chat completion. */
export function completion(message: object, reason = 'stop'): Record<string, unknown> {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'm-2025',
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: reason }],
    usage: USAGE,
  };
}

/** Chunks of a call whose arguments come in pieces. */
export function callChunks(
  index: number,
  call: { readonly id: string; readonly name: string; readonly pieces: readonly string[] },
): readonly object[] {
  const { id, name, pieces } = call;
  const first = { index, id, type: 'function', function: { name, arguments: '' } };
  return [
    chunk({ tool_calls: [first] }),
    ...pieces.map((piece) => chunk({ tool_calls: [{ index, function: { arguments: piece } }] })),
  ];
}
