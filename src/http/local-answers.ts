import type { OutgoingHttpHeaders } from 'node:http';
import { select } from '../gateway/candidates.ts';
import { estimateTokens } from '../gateway/protect/token-estimate.ts';
import type { Step } from '../gateway/resolve.ts';
import type { Instance } from '../instances/instance.ts';
import type { Operation } from '../service.ts';
import type { Call, ClientRequest } from './call.ts';
import { sendJson } from './json-answer.ts';

interface LocalAnswer {
  readonly body: unknown;
  readonly headers?: OutgoingHttpHeaders;
}

interface Row {
  /** What a backend must be able to do for its models to be spoken of. */
  readonly about: Operation;
  /** Only such calls; absent: all. */
  readonly when?: (call: Call, client: ClientRequest) => boolean;
  readonly answer: (call: Call, client: ClientRequest) => LocalAnswer;
}

const ESTIMATED = { 'x-jairouter-estimated': 'true' };

/** What we can say ourselves when no backend that has the model has the operation. */
const LOCAL_ANSWERS: Readonly<Partial<Record<Operation, Row>>> = {
  countTokens: {
    about: 'chat',
    answer: (_, { fields }) => ({
      body: { input_tokens: estimateTokens(fields) },
      headers: ESTIMATED,
    }),
  },
  inputTokens: {
    about: 'chat',
    answer: (_, { fields }) => ({
      body: { object: 'response.input_tokens', input_tokens: estimateTokens(fields) },
      headers: ESTIMATED,
    }),
  },
  ollamaChat: { about: 'chat', when: loadsOnly, answer: loadedAnswer },
  ollamaGenerate: { about: 'chat', when: loadsOnly, answer: loadedAnswer },
  ollamaEmbed: {
    about: 'embeddings',
    when: loadsOnly,
    answer: ({ model }) => ({ body: { model, embeddings: [] } }),
  },
  ollamaEmbeddings: {
    about: 'embeddings',
    when: loadsOnly,
    answer: () => ({ body: { embedding: [] } }),
  },
};

/** Whether a call of Ollama's API says nothing, which loads a model, or with `keep_alive: 0` unloads it. */
export function loadsOnly({ operation }: Call, { fields }: ClientRequest): boolean {
  switch (operation) {
    case 'ollamaGenerate':
      return isNothing(fields['prompt']) && isNothing(fields['suffix']);
    case 'ollamaChat':
      return isNothing(fields['messages']);
    case 'ollamaEmbed':
      return isNothing(fields['input']);
    case 'ollamaEmbeddings':
      return isNothing(fields['prompt']);
    default:
      return false;
  }
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (value as { length?: number }).length === 0;
}

/** On backends that load their models by themselves, there is nothing to do. */
function loadedAnswer(call: Call, { fields }: ClientRequest): LocalAnswer {
  const chats = call.operation === 'ollamaChat';
  return {
    body: {
      model: call.model,
      created_at: new Date().toISOString(),
      ...(chats ? { message: { role: 'assistant', content: '' } } : { response: '' }),
      done: true,
      done_reason: fields['keep_alive'] === 0 ? 'unload' : 'load',
    },
  };
}

/** What a backend is asked about instead, by an operation that we can answer ourselves. */
export function answeredAbout(operation: Operation): Operation | undefined {
  return LOCAL_ANSWERS[operation]?.about;
}

/** @returns False when this is not ours to answer. */
export function answerLocally(
  call: Call,
  client: ClientRequest,
  steps: readonly Step<Instance>[],
): boolean {
  const row = LOCAL_ANSWERS[call.operation];
  if (!row || !(row.when?.(call, client) ?? true)) return false;
  const known = steps.some(({ targets }) => {
    const options = { operation: row.about, tried: new Set<string>(), now: performance.now() };
    const { candidates, rejections } = select(targets, options);
    return candidates.length > 0 || rejections.some(({ kind }) => kind !== 'unsupported');
  });
  if (!known) return false;
  const { body, headers } = row.answer(call, client);
  call.ending = 'ok';
  call.bytesOut = sendJson(call.response, 200, body, { ...call.ownHeaders, ...headers });
  return true;
}
