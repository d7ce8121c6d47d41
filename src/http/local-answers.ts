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
  readonly answer: (client: ClientRequest) => LocalAnswer;
}

const ESTIMATED = { 'x-jairouter-estimated': 'true' };

/** What we can say ourselves when no backend that has the model has the operation. */
const LOCAL_ANSWERS: Readonly<Partial<Record<Operation, Row>>> = {
  countTokens: {
    about: 'chat',
    answer: ({ fields }) => ({
      body: { input_tokens: estimateTokens(fields) },
      headers: ESTIMATED,
    }),
  },
  inputTokens: {
    about: 'chat',
    answer: ({ fields }) => ({
      body: { object: 'response.input_tokens', input_tokens: estimateTokens(fields) },
      headers: ESTIMATED,
    }),
  },
};

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
  if (!row) return false;
  const known = steps.some(({ targets }) => {
    const options = { operation: row.about, tried: new Set<string>(), now: performance.now() };
    const { candidates, rejections } = select(targets, options);
    return candidates.length > 0 || rejections.some(({ kind }) => kind !== 'unsupported');
  });
  if (!known) return false;
  const { body, headers } = row.answer(client);
  call.ending = 'ok';
  call.bytesOut = sendJson(call.response, 200, body, { ...call.ownHeaders, ...headers });
  return true;
}
