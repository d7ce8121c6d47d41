import type { Service } from '../service.ts';
import {
  defineAdapter,
  type AdapterCall,
  type Backend,
  type CatalogueModel,
  type ProbeResult,
  type RequestPatch,
} from './adapter.ts';
import { bearer } from './auth.ts';
import { entriesOf, failureIfThere, failureOf, modelOf, noList } from './catalogue.ts';
import { floatEmbeddings } from './embeddings.ts';
import { isContextLength } from './errors.ts';
import { inlineImages, inlineImagesOfForm } from './images.ts';
import { asNumber, asObject, type JsonObject } from './json.ts';
import { messages } from './other-dialects.ts';
import { merge, textRerank } from './rerank.ts';
import { speech, withoutEvents } from './speech.ts';
import { translatedTranscription } from './transcription.ts';

/** All that it has; the others end in a 500. */
const NATIVE_FORMATS = ['json', 'verbose_json'] as const;

export const xinference = defineAdapter({
  name: 'xinference',
  ports: [9997],
  auth: bearer,
  // uvicorn closes at 5 s.
  keepAlive: 3000,
  operations: {
    chat: {
      path: '/v1/chat/completions',
      extras: ['top_k', 'chat_template_kwargs', 'reasoning_content'],
    },
    completions: { path: '/v1/completions' },
    messages: { ...messages, headers: { 'anthropic-version': '2023-06-01' } },
    embeddings: floatEmbeddings,
    rerank: {
      ...textRerank,
      request: (call) => merge(textRerank.request(call), countTokens(call)),
    },
    speech: { ...speech, request: withoutEvents() },
    transcriptions: translatedTranscription('/v1/audio/transcriptions', NATIVE_FORMATS),
    translations: translatedTranscription('/v1/audio/translations', NATIVE_FORMATS),
    imageGenerations: inlineImages('/v1/images/generations'),
    imageEdits: inlineImagesOfForm('/v1/images/edits'),
    imageVariations: inlineImages('/v1/images/variations'),
  },
  probe,
  recognise,
  verdict,
});

/** It counts a rerank's tokens only on request. */
function countTokens({ fields }: AdapterCall): RequestPatch | undefined {
  return fields['return_len'] === true ? undefined : { set: { return_len: true } };
}

async function probe(backend: Backend): Promise<ProbeResult> {
  const path = '/v1/models';
  const open = '/v1/cluster/auth';
  const [list, auth] = await Promise.all([backend.get(path), backend.get(open)]);
  const failure = failureIfThere(auth, open) ?? failureOf(list, path);
  if (failure) return failure;
  const models = entriesOf(list)?.map(toModel);
  return models ? { state: 'healthy', models } : noList(path);
}

function toModel(entry: JsonObject): CatalogueModel {
  const services = servicesOf(entry);
  // Embedding models tell their window under another name.
  const contextLength = asNumber(entry['context_length']) ?? asNumber(entry['max_tokens']);
  return {
    ...modelOf(entry),
    ...(services ? { services } : {}),
    ...(contextLength ? { contextLength } : {}),
    // Only running models are listed.
    loaded: true,
  };
}

function servicesOf(entry: JsonObject): readonly Service[] | undefined {
  const given: unknown = entry['model_ability'];
  const abilities = Array.isArray(given) ? given.filter((name) => typeof name === 'string') : [];
  const can = (prefix: string) =>
    abilities.length === 0 || abilities.some((name) => name.startsWith(prefix));
  switch (entry['model_type']) {
    case 'LLM':
      return ['chat'];
    case 'embedding':
      return ['embeddings'];
    case 'rerank':
      return ['rerank'];
    case 'audio':
      return [
        ...(can('audio2text') ? (['transcription'] as const) : []),
        ...(can('text2audio') ? (['speech'] as const) : []),
      ];
    case 'image':
      return [
        ...(can('text2image') ? (['imageGeneration'] as const) : []),
        ...(can('image2image') || can('inpainting') ? (['imageEdit'] as const) : []),
      ];
    case 'video':
    case 'flexible':
      return [];
    default:
      return undefined;
  }
}

async function recognise(backend: Backend): Promise<boolean> {
  const auth = await backend.get('/v1/cluster/auth');
  return typeof asObject(auth.json)?.['auth'] === 'boolean';
}

/** Nearly every exception of a model is a 500 here, the client's mistakes too. */
function verdict(status: number, message: string): number {
  // CUDA's "operation not supported" is the machine's fault.
  const unsupported = /\bunsupported\b|\bnot support/i.test(message) && !/cuda/i.test(message);
  const clients = unsupported || isContextLength(message);
  return status === 500 && clients ? 400 : status;
}
