import { serviceOf, type Operation, type Service } from '../service.ts';
import { whyText } from './choice.ts';
import type { AttemptRecord, Outcome } from './outcome.ts';

/** A span as OpenTelemetry wants it. */
export interface Span {
  readonly name: string;
  readonly kind: 'server' | 'client';
  readonly spanId: string;
  readonly parentId: string | undefined;
  /** Milliseconds since the epoch, with fractions. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** What went wrong, when it is the server's or the backend's fault. */
  readonly error: string | undefined;
  /** When the answer's first byte was there. */
  readonly firstByte: number | undefined;
}

export type Scheme = 'http' | 'https';

/**
 * A call as spans, by the semantic conventions for HTTP and for generative AI (1.41): one of a
 * server, and in it one of a client for each attempt.
 * @param scheme What the server is reached by.
 * @returns The call's own first; none for a call that is not sampled.
 */
export function spansOf(outcome: Outcome, scheme: Scheme): Span[] {
  const { trace } = outcome;
  if (!trace?.sampled) return [];
  const attempts = outcome.attempts.map((attempt) => attemptSpan(outcome, attempt));
  return [
    { ...callSpan(outcome, scheme), spanId: trace.spanId, parentId: trace.parentId },
    ...attempts,
  ];
}

function callSpan(outcome: Outcome, scheme: Scheme): Omit<Span, 'spanId' | 'parentId'> {
  const { at, path, status, attempts, ending, errorKind, firstByte } = outcome;
  const failed = ending === 'broken' || (ending === 'error' && (status ?? 500) >= 500);
  return {
    name: `POST ${path}`,
    kind: 'server',
    start: at,
    end: at + outcome.duration,
    attributes: given({
      'http.request.method': 'POST',
      'url.path': path,
      'url.scheme': scheme,
      'http.route': path,
      'http.response.status_code': status,
      'client.address': outcome.client,
      ...generation(outcome, outcome),
      'error.type': errorKind,
      'jairouter.request_id': outcome.id,
      'jairouter.outcome': ending,
      'jairouter.key': outcome.key,
      'jairouter.instance': outcome.instance,
      'jairouter.attempts': attempts.length,
      'jairouter.waited_ms': outcome.waited,
      'jairouter.stream': outcome.stream,
    }),
    error: failed ? (outcome.error ?? ending) : undefined,
    firstByte: firstByte === undefined ? undefined : at + firstByte,
  };
}

function attemptSpan(outcome: Outcome, attempt: AttemptRecord): Span {
  const { operation, trace } = outcome;
  const { model, ending, status, errorKind, firstByte } = attempt;
  const start = outcome.at + attempt.startedAfter;
  const { hostname, port, protocol } = new URL(attempt.origin);
  return {
    name: `${operationName(operation)} ${model}`,
    kind: 'client',
    spanId: attempt.spanId!,
    parentId: trace!.spanId,
    start,
    end: start + attempt.duration,
    attributes: given({
      ...generation(outcome, attempt),
      'gen_ai.provider.name': PROVIDERS[attempt.adapter] ?? attempt.adapter,
      'server.address': hostname,
      'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
      'http.request.method': 'POST',
      'http.response.status_code': status,
      'error.type': errorKind,
      'jairouter.instance': attempt.instance,
      'jairouter.outcome': ending,
      'jairouter.why': whyText(attempt.choice),
      'jairouter.phase': attempt.phase,
    }),
    error: ending === 'error' || ending === 'broken' ? (attempt.error ?? ending) : undefined,
    firstByte: firstByte === undefined ? undefined : start + firstByte,
  };
}

/** What the conventions want to know of a generation, seen by the client or by us. */
function generation(
  { operation, stream }: Outcome,
  { model, usage, firstByte }: Pick<Outcome, 'model' | 'usage' | 'firstByte'>,
): Record<string, string | number | boolean | undefined> {
  return {
    'gen_ai.operation.name': operationName(operation),
    'gen_ai.output.type': OUTPUTS[serviceOf(operation)],
    'gen_ai.request.model': model,
    // Nothing is said of a request that does not stream.
    'gen_ai.request.stream': stream || undefined,
    'gen_ai.response.time_to_first_chunk':
      stream && firstByte !== undefined ? firstByte / 1000 : undefined,
    'gen_ai.usage.input_tokens': usage?.input,
    'gen_ai.usage.output_tokens': usage?.output,
  };
}

/** What a service makes, where its name says so. */
const OUTPUTS: Readonly<Partial<Record<Service, string>>> = {
  speech: 'speech',
  imageGeneration: 'image',
  imageEdit: 'image',
};

/** The conventions' names where they have one; the others are ours. */
function operationName(operation: Operation): string {
  if (operation === 'completions') return 'text_completion';
  const service = serviceOf(operation);
  if (service === 'chat' || service === 'embeddings' || service === 'rerank') return service;
  return service === 'transcription' ? 'transcription' : 'generate_content';
}

/** Of adapters whose name is not the one of the conventions. */
const PROVIDERS: Readonly<Record<string, string>> = {
  azure: 'azure.ai.openai',
  gemini: 'gcp.gemini',
  mistral: 'mistral_ai',
  moonshot: 'moonshot_ai',
  xai: 'x_ai',
};

function given(
  attributes: Readonly<Record<string, string | number | boolean | undefined>>,
): Span['attributes'] {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}
