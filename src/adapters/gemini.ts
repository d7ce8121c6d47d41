import type { Operation, Service } from '../service.ts';
import {
  defineAdapter,
  type AdapterCall,
  type Backend,
  type CatalogueModel,
  type OperationSpec,
  type ProbeResult,
  type ResponseTransform,
} from './adapter.ts';
import { bearer } from './auth.ts';
import { inBatches } from './batches.ts';
import { entriesOf, failureOf, modelOf, noList } from './catalogue.ts';
import { floatEmbeddings } from './embeddings.ts';
import { imageResponse, inlineImages } from './images.ts';
import { asText, type JsonObject } from './json.ts';
import { servicesOf } from './model-kinds.ts';
import { numberedToolCalls } from './tool-deltas.ts';

/** Where Google speaks OpenAI's dialect. */
const ROOT = '/v1beta/openai';

export const gemini = defineAdapter({
  name: 'gemini',
  ports: [],
  baseUrl: 'https://generativelanguage.googleapis.com',
  root: ROOT,
  cloud: true,
  keyVariables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  auth: bearer,
  keepAlive: 60_000,
  operations: {
    chat: {
      path: `${ROOT}/chat/completions`,
      response: chatResponse,
      extras: ['thought_signature', 'reasoning_effort'],
    },
    embeddings: inBatches({ ...floatEmbeddings, path: `${ROOT}/embeddings` }, { inputs: 100 }),
    imageGenerations: {
      ...inlineImages(`${ROOT}/images/generations`),
      response: datedImages,
    },
  } satisfies Partial<Record<Operation, OperationSpec>>,
  probe,
});

/** Tool calls in its streams may lack their place. */
function chatResponse({ stream }: AdapterCall): ResponseTransform | undefined {
  return stream ? { event: numberedToolCalls() } : undefined;
}

/** It leaves out the time, which clients in strict languages need. */
function datedImages(call: AdapterCall): ResponseTransform {
  const images = imageResponse(call);
  return {
    ...images,
    body(body, contentType) {
      if (body.includes('"created"')) return images.body!(body, contentType);
      const created = Math.floor(Date.now() / 1000);
      const dated = body.toString('utf8').replace(/^\s*\{/, `{"created":${created},`);
      return (
        images.body!(Buffer.from(dated), contentType) ?? {
          body: dated,
          contentType: 'application/json',
        }
      );
    },
  };
}

async function probe(backend: Backend): Promise<ProbeResult> {
  const path = `${ROOT}/models`;
  const list = await backend.get(path);
  // Too many requests is an answer of a server that works.
  if (list.status === 429) return { state: 'healthy' };
  const failure = failureOf(list, path);
  if (failure) return failure;
  const models = entriesOf(list)?.map(toModel);
  return models ? { state: 'healthy', models } : noList(path);
}

/** Listed as `models/gemini-…`, and called by either name. */
function toModel(entry: JsonObject): CatalogueModel {
  const listed = entry['id'] as string;
  const id = listed.replace(/^models\//, '');
  const services = byName(id) ?? servicesOf({ ...entry, id });
  return {
    ...modelOf(entry),
    id,
    ...(id === listed ? {} : { aliases: [listed] }),
    ...(services ? { services } : {}),
    ownedBy: asText(entry['owned_by']) ?? 'google',
  };
}

/** Those that its OpenAI dialect has no route for are listed all the same. */
function byName(id: string): readonly Service[] | undefined {
  if (id.includes('embedding')) return ['embeddings'];
  if (id.startsWith('imagen-')) return ['imageGeneration'];
  if (/^(veo|lyria|aqa)\b|-tts\b|-live\b|native-audio/.test(id)) return [];
  return /^(gemini|gemma)-/.test(id) ? ['chat'] : undefined;
}
