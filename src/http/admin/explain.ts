import { z } from 'zod';
import { explain, type Outlook, type Question } from '../../gateway/explain.ts';
import { estimateTokens } from '../../gateway/protect/token-estimate.ts';
import { resolve } from '../../gateway/resolve.ts';
import { OPERATIONS, serviceOf, type Operation, type Service } from '../../service.ts';
import { mayUse, type ApiKey } from '../auth.ts';
import { gatewayError, type HttpError } from '../errors.ts';
import type { Gateway } from '../gateway.ts';
import {
  missingModel,
  noneLeft,
  notAllowed,
  queueFull,
  rateLimited,
  unknownModel,
} from '../refusal.ts';
import { operation, service } from './schemas.ts';

/** What may be asked with a GET. */
export const explainQuery = z.strictObject({
  model: z.string().min(1, 'must not be empty').optional().meta({
    description: "As a client would send it. Absent: the service's default model.",
  }),
  service: service.optional().meta({
    description: 'Absent: chat, or what the model is for when that is something else.',
  }),
  operation: operation.optional().meta({
    description: "In place of `service`, where a service has several. Absent: the service's first.",
  }),
  ip: z.string().optional().meta({ description: "The client's address. Absent: 127.0.0.1." }),
  key: z.string().optional().meta({
    description:
      'The name of one of `server.apiKeys`. Absent: what keys may use, and their limits, are left out.',
  }),
});

/** What may be asked with a POST: the same, about a request that is at hand. */
export const explainBody = explainQuery.extend({
  headers: z.record(z.string(), z.string()).optional().meta({
    description: 'Of the request; only `consistent-hash` looks at one.',
  }),
  request: z.record(z.string(), z.unknown()).optional().meta({
    description: 'The body of the request; its `model` counts unless `model` is given.',
  }),
});

const standing = z.object({
  score: z.number().meta({ description: 'What the strategy goes by.' }),
  text: z.string(),
  chance: z.number().meta({ description: 'How likely it is picked next, from 0 to 1.' }),
});

const candidate = z
  .object({
    instance: z.string(),
    model: z.string().meta({ description: "The backend's name for it." }),
    adapter: z.string(),
    weight: z.number(),
    priority: z.number(),
    inFlight: z.number(),
    loaded: z.boolean().optional().meta({ description: 'Absent: the backend does not say.' }),
    filters: z.array(
      z.object({
        name: z.string(),
        passes: z.boolean(),
        text: z.string(),
        changesIn: z.number().optional().meta({ description: 'Absent: nobody can say.' }),
      }),
    ),
    standing: standing.optional().meta({
      description: 'Only of those that the strategy chooses among.',
    }),
    chosen: z.boolean(),
    reason: z.string().meta({ description: 'Why it is chosen, or why it is not.' }),
  })
  .meta({ id: 'ExplainedCandidate' });

const outcome = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('served'),
    instance: z.string(),
    model: z.string(),
    chance: z.number().meta({ description: 'Below 1 where the strategy draws: the likeliest.' }),
    reason: z.string(),
  }),
  z.object({
    kind: z.literal('waits'),
    reason: z.string(),
    upTo: z.number().meta({ description: 'Milliseconds.' }),
  }),
  z.object({
    kind: z.literal('refused'),
    status: z.number(),
    code: z.string(),
    message: z.string().meta({ description: 'What the client would be told.' }),
  }),
]);

export const explanation = z
  .object({
    service,
    operation,
    model: z.string().optional(),
    isDefault: z.boolean().meta({ description: "It is the service's default." }),
    balance: z.object({ strategy: z.string(), preferLoaded: z.boolean(), key: z.string() }),
    attempts: z.number().meta({ description: 'Attempts at the most.' }),
    limits: z.array(
      z.object({
        text: z.string(),
        unit: z.enum(['requests', 'tokens']),
        limit: z.number(),
        remaining: z.number(),
        resetIn: z.number().meta({ description: 'Milliseconds until nothing is used.' }),
        admits: z.boolean(),
      }),
    ),
    steps: z
      .array(
        z.object({
          model: z.string(),
          via: z.enum(['alias', 'instance', 'catalogue', 'wildcard']),
          fallback: z.boolean(),
          candidates: z.array(candidate),
        }),
      )
      .meta({ description: 'The names that are tried, in their order.' }),
    outcome,
  })
  .meta({ id: 'Explanation' });

type Asked = z.output<typeof explainBody>;
type Outcome = z.output<typeof outcome>;

/**
 * Says what would become of a call, and what its client would be told where that is an error.
 * @throws HttpError `invalid_request` when there is no such key.
 */
export function explainCall(gateway: Gateway, asked: Asked) {
  const { snapshot, fleet } = gateway;
  const fields = asked.request ?? {};
  const model = asked.model ?? (typeof fields['model'] === 'string' ? fields['model'] : undefined);
  const key = keyNamed(asked.key, snapshot.config.server.apiKeys);
  const question: Question = {
    operation: asked.operation ?? firstOf(asked.service ?? usualService(gateway, model)),
    model,
    ip: asked.ip ?? '127.0.0.1',
    key,
    headers: lowerCase(asked.headers ?? {}),
    fields,
    tokens: estimateTokens(fields),
  };
  const now = performance.now();
  const outlook = explain(question, { snapshot, directory: fleet.directory, now });
  const { choice: _, ...rest } = outlook.explanation;
  return { ...rest, outcome: outcomeOf(outlook, key, gateway) };
}

/** In the order in which a call meets them. */
function outcomeOf(outlook: Outlook, key: ApiKey | undefined, gateway: Gateway): Outcome {
  const { explanation: told, refusal, rejections } = outlook;
  const { model, operation, service, choice } = told;
  const { snapshot, fleet } = gateway;
  const { directory } = fleet;
  if (model === undefined) return refused(missingModel(operation, directory));
  if (key && !mayUse(key, model)) return refused(notAllowed(key, model));
  const wanted = { model, operation };
  if (told.steps.length === 0) return refused(unknownModel(wanted, snapshot.aliases, directory));
  if (refusal) return refused(rateLimited(refusal));
  if (choice) return { kind: 'served', ...choice };
  const plan = snapshot.services[service];
  const { queue } = plan;
  if (rejections.some(({ kind }) => kind === 'busy')) {
    const before = fleet.queue.length(service);
    if (before >= queue.size) return refused(queueFull(service, queue.size));
    const behind = before === 0 ? 'as the first' : `behind ${before}`;
    return {
      kind: 'waits',
      reason: `waits in the queue of ${service} ${behind}, until an instance has room`,
      upTo: queue.maxWait,
    };
  }
  const loading = rejections.filter(({ kind }) => kind === 'loading');
  if (loading.length > 0) {
    const names = loading.map(({ instance }) => instance).join(' or ');
    const upTo = Math.max(...loading.map(({ instance }) => plan.timeoutsOn(instance).loading));
    return { kind: 'waits', reason: `waits until ${names} has loaded the model`, upTo };
  }
  return refused(noneLeft(wanted, rejections, directory));
}

function refused({ status, body }: HttpError): Outcome {
  return { kind: 'refused', status, code: body.code ?? '', message: body.message };
}

function keyNamed(name: string | undefined, keys: readonly ApiKey[]): ApiKey | undefined {
  if (name === undefined) return undefined;
  const key = keys.find((each) => each.name === name);
  if (key) return key;
  const known = keys.map((each) => each.name).join(', ') || 'none is configured';
  throw gatewayError('invalid_request', `There is no API key "${name}" (known: ${known}).`, {
    param: 'key',
  });
}

/** Chat, unless all that has the model says that it is for something else. */
function usualService({ snapshot, fleet }: Gateway, model: string | undefined): Service {
  if (model === undefined) return 'chat';
  const [step] = resolve(model, snapshot.aliases, fleet.directory);
  const services = (step?.targets ?? []).map(({ entry }) => entry?.services);
  const [first] = services;
  const elsewhere = services.every((of) => of !== undefined && !of.includes('chat'));
  return elsewhere ? (first?.[0] ?? 'chat') : 'chat';
}

function firstOf(service: Service): Operation {
  const operations = Object.keys(OPERATIONS) as Operation[];
  return operations.find((one) => serviceOf(one) === service)!;
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
