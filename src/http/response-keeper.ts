import { asObject, asText, parseJson, type JsonObject } from '../adapters/json.ts';
import { responseObject } from '../dialects/responses/response.ts';
import type { Target } from '../gateway/directory.ts';
import type { Instance } from '../instances/instance.ts';
import type { Call } from './call.ts';
import { parseEvents } from './event-stream.ts';
import { cancelledFailure } from './failure.ts';
import type { Gateway } from './gateway.ts';
import type { ResponseStore } from './response-store.ts';
import type { Standing } from './standing.ts';

interface Options {
  readonly store: ResponseStore;
  readonly standing: Standing;
  readonly key: string | undefined;
  readonly instance: string;
  /** The backend's name of the model. */
  readonly model: string;
  /** The backend keeps its responses itself. */
  readonly keeps: boolean;
  /** Ends the call. */
  readonly cancel: () => void;
}

/** Keeps an attempt's answer for a client that may come back for it. */
export function keeperOf(
  { instance, model }: Target<Instance>,
  { gateway, call }: { readonly gateway: Gateway; readonly call: Call },
  standing: Standing,
): ResponseKeeper {
  const native = instance.asked('responses') === 'responses';
  return new ResponseKeeper({
    store: gateway.responses,
    standing,
    key: call.key?.name,
    instance: instance.name,
    model,
    keeps: native && instance.adapter.operations.responses?.keeps === true,
    cancel() {
      for (const step of call.steps) step.stop(cancelledFailure());
    },
  });
}

/** Keeps one answer of Responses as it goes by, so that its client can come back for it. */
export class ResponseKeeper {
  readonly #options: Options;
  #stop: (() => void) | undefined;
  #begun = false;
  #over = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The answer is on its way to the client. @param id Its id, when that is not ours. */
  begin(id?: string): void {
    if (this.#begun) return;
    this.#begun = true;
    const { store, standing, key, instance, model, keeps, cancel } = this.#options;
    const name = id ?? standing.id;
    if (keeps) {
      store.keptBy(name, instance, key);
      return;
    }
    const progress = { id: name, model, status: 'in_progress', output: [] } as const;
    const { fields } = standing.client;
    const response = responseObject(progress, { fields, now: Date.now() });
    this.#stop = store.run(name, { key, input: standing.input, response, cancel });
  }

  /** The whole of it. */
  end(response: JsonObject | undefined): void {
    const { store, standing, key, keeps } = this.#options;
    const id = asText(response?.['id']);
    if (!response || id === undefined || this.#over) return;
    this.begin(id);
    this.#over = true;
    if (keeps) return;
    const { input, before } = standing;
    store.put({ id, key, input, before, response });
  }

  /** Events of a backend's own, as they pass. */
  events(bytes: Buffer): void {
    const first = !this.#begun && bytes.includes('"response.created"');
    if (!first && !LAST.test(bytes.toString('latin1'))) return;
    for (const { data } of parseEvents(bytes)) {
      const event = asObject(parseJson(data));
      const response = asObject(event?.['response']);
      if (event?.['type'] === 'response.created') this.begin(asText(response?.['id']));
      else if (LAST.test(`"${String(event?.['type'])}"`)) this.end(response);
    }
  }

  /** Nothing more comes. */
  close(): void {
    this.#stop?.();
  }
}

const LAST = /"response\.(completed|incomplete|failed)"/;
