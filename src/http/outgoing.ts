import type { OutgoingHttpHeaders } from 'node:http';
import { chained } from '../adapters/chained.ts';
import type {
  AdapterCall,
  OperationSpec,
  RequestPatch,
  ResponseTransform,
} from '../adapters/adapter.ts';
import type { JsonObject } from '../adapters/json.ts';
import type { OnRepair } from '../adapters/tool-calls.ts';
import { repairOf } from '../adapters/tool-repair.ts';
import { refuseThread } from '../dialects/messages/thread.ts';
import type { Target } from '../gateway/directory.ts';
import type { ServicePlan } from '../gateway/snapshot.ts';
import type { Instance } from '../instances/instance.ts';
import { traceparent } from '../observe/trace-context.ts';
import type { Call, ClientRequest } from './call.ts';
import { errorShapeOf } from './errors.ts';
import { requestHeaders } from './headers.ts';
import { patchJson } from './json-patch.ts';
import { patchForm } from '../adapters/multipart.ts';
import type { AnswerNotes } from './notes.ts';
import type { AttemptRequest, PartRequest } from './outlet.ts';
import { translate } from './translation.ts';

/** Pieces of a patched body up to this many bytes are joined: one write is cheaper than several. */
const JOIN_LIMIT = 1024 * 1024;

/**
 * Prepares a call's request in the dialect of the instance's backend.
 * @throws RequestRefused when that backend can't do what the client asks.
 */
export function attemptRequest(
  target: Target<Instance>,
  {
    plan,
    call,
    client,
    spanId,
    objection,
    notes,
    keeper,
    answerId,
  }: {
    readonly plan: ServicePlan;
    readonly call: Call;
    readonly client: ClientRequest;
    /** The attempt's own, in the call's trace. */
    readonly spanId: string | undefined;
    readonly objection: AttemptRequest['objection'];
    readonly notes: AnswerNotes | undefined;
    readonly keeper?: AttemptRequest['keeper'];
    /** What the answer is to be called, where it is made here. */
    readonly answerId?: string;
  },
): AttemptRequest {
  const { instance, model } = target;
  const instead = instance.asked(call.operation)!;
  const { stream } = client;
  const translation =
    instead === call.operation
      ? undefined
      : translate(
          {
            by: call.operation,
            instead,
            fields: client.fields,
            stream,
            unsupported: plan.unsupported,
            id: answerId,
            onRepair: instance.settings.repairToolCalls ? repairing(notes) : undefined,
          },
          target,
        );
  const operation = translation?.operation ?? instead;
  const spec = instance.adapter.operations[operation]!;
  if (call.operation === 'messages' && !spec.betas) refuseThread(client.fields);
  const seen: AdapterCall = {
    operation,
    model,
    fields: translation?.fields ?? client.fields,
    stream,
    ...(client.form ? { form: client.form.parts } : {}),
    options: instance.settings.options,
    facts: instance.facts,
    memory: instance.memory,
  };
  const patch = spec.request?.(seen) ?? {};
  const renamed =
    model === client.model || translation ? patch : { ...patch, set: { model, ...patch.set } };
  const parent = spanId && traceparent(call.trace!, spanId);
  const prepared = (change: RequestPatch) =>
    prepare(target, call, client, { spec, change, translated: translation?.fields, parent });
  const split = spec.split?.(seen);
  const requests = split?.parts.map((part) =>
    prepared({ ...renamed, set: { ...renamed.set, ...part } }),
  );
  const first = requests?.[0] ?? prepared(renamed);
  const once = !requests && isSentOnce(client, plan);
  return {
    instance,
    operation,
    model,
    path: instance.connections.basePath + (patch.path ?? spec.path),
    headers: first.headers,
    body: once ? lettingGo(first.body, client) : first.body,
    length: first.length,
    once,
    ...(requests && { split: { rest: requests.slice(1), join: split!.join } }),
    stream,
    timeouts: plan.timeoutsOn(instance.name),
    transform: care(spec.response?.(seen), seen, { instance, notes }),
    notes,
    objection,
    stage: translation?.stage,
    errors: errorShapeOf(call.operation),
    requestId: call.id,
    keeper,
    ownHeaders: {
      ...call.ownHeaders,
      ...attemptHeaders(instance.name, model, call.started + 1),
      ...(translation && droppedHeader(translation.dropped)),
    },
    response: call.response,
  };
}

/** What the instance's config wants done to answers, after what its adapter does. */
function care(
  transform: ResponseTransform | undefined,
  call: AdapterCall,
  { instance, notes }: { readonly instance: Instance; readonly notes: AnswerNotes | undefined },
): ResponseTransform | undefined {
  if (!instance.settings.repairToolCalls || call.operation !== 'chat') return transform;
  return chained(transform, repairOf(call, repairing(notes)));
}

function repairing(notes: AnswerNotes | undefined): OnRepair {
  return (repair) => notes?.add('x-jairouter-repaired', repair);
}

interface Change {
  readonly spec: OperationSpec;
  readonly change: RequestPatch;
  /** The request in the backend's dialect, when that is not the client's. */
  readonly translated: JsonObject | undefined;
  /** The `traceparent` that it gets, when traces are on. */
  readonly parent: string | undefined;
}

function prepare(
  { instance }: Target<Instance>,
  call: Call,
  client: ClientRequest,
  { spec, change, translated, parent }: Change,
): PartRequest {
  const body = translated ? written(translated, change) : patchBody(client, change);
  const length = Buffer.isBuffer(body)
    ? body.length
    : body.reduce((total, piece) => total + piece.length, 0);
  const headers = requestHeaders(call.request.headers, instance.connections.headers, {
    requestId: call.id,
    length,
    ...(client.contentType === undefined ? {} : { contentType: client.contentType }),
    translated: translated !== undefined,
    betas: spec.betas,
    usual: spec.headers,
    ...(parent !== undefined && { traceparent: parent }),
  });
  return { headers, body, length };
}

/** Whether a request is too large to be kept for a further attempt. */
export function isSentOnce({ body }: ClientRequest, { retry }: ServicePlan): boolean {
  return body.length > retry.bufferLimit;
}

const NOTHING = Buffer.alloc(0);

/** Hands a body out, and leaves nothing behind that would keep it in memory while the backend works. */
function* lettingGo(
  body: Buffer | readonly Buffer[],
  client: ClientRequest,
): Generator<Buffer, void> {
  client.gone = true;
  client.body = NOTHING;
  client.form = undefined;
  client.fields = {};
  yield* Buffer.isBuffer(body) ? [body] : body;
}

/** The client's bytes as they came, but for what the patch names. */
function patchBody(client: ClientRequest, patch: RequestPatch): Buffer | readonly Buffer[] {
  if (!patch.set && !patch.remove && !patch.parts) return client.body;
  const pieces = client.form ? patchForm(client.form, patch) : patchJson(client.body, patch);
  return client.body.length <= JOIN_LIMIT ? Buffer.concat(pieces) : pieces;
}

/** A translated request, with what the adapter changes in it. */
function written(fields: JsonObject, { set, remove = [] }: RequestPatch): Buffer {
  const body: Record<string, unknown> = { ...fields, ...set };
  for (const name of remove) delete body[name];
  return Buffer.from(JSON.stringify(body));
}

function droppedHeader(dropped: readonly string[]): OutgoingHttpHeaders {
  return dropped.length > 0 ? { 'x-jairouter-dropped': headerValue(dropped.join(', ')) } : {};
}

/** What an answer tells of the attempt that it came from. */
export function attemptHeaders(
  instance: string,
  model: string,
  attempts: number,
): OutgoingHttpHeaders {
  return {
    'x-jairouter-instance': headerValue(instance),
    'x-jairouter-model': headerValue(model),
    'x-jairouter-attempts': String(attempts),
  };
}

/** Names may have characters that a header can't carry. */
function headerValue(text: string): string {
  return /^[\x20-\x7e]*$/.test(text)
    ? text
    : text.replace(/[^\x20-\x7e]+/g, (run) => encodeURIComponent(Buffer.from(run).toString()));
}
