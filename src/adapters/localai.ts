import type { Service } from '../service.ts';
import {
  defineAdapter,
  RequestRefused,
  type AdapterCall,
  type Backend,
  type CatalogueModel,
  type FormPart,
  type ProbeResult,
  type RequestPatch,
} from './adapter.ts';
import { bearer } from './auth.ts';
import { entriesOf, failureOf, modelOf, noList, versionAt } from './catalogue.ts';
import { embeddings } from './embeddings.ts';
import { isContextLength } from './errors.ts';
import { imageResponse, inlineImages, requireForm } from './images.ts';
import { asObject, asText, type JsonObject } from './json.ts';
import { toInpaintingMask } from './mask.ts';
import { messages, responses } from './other-dialects.ts';
import { textRerank } from './rerank.ts';
import { askForFormat, speech, withoutEvents } from './speech.ts';
import { translatedTranscription } from './transcription.ts';

export const localai = defineAdapter({
  name: 'localai',
  ports: [8080],
  auth: bearer,
  // It closes at 120 s.
  keepAlive: 60_000,
  operations: {
    chat: {
      path: '/v1/chat/completions',
      extras: ['top_k', 'reasoning_effort', 'reasoning_content'],
    },
    completions: { path: '/v1/completions' },
    // To a request without a model it answers with the first that fits.
    messages: { ...messages, shownBy: 'get' },
    responses: { ...responses, shownBy: 'get' },
    embeddings,
    rerank: textRerank,
    speech: { ...speech, request: withoutEvents(askForFormat) },
    transcriptions: translatedTranscription('/v1/audio/transcriptions', [
      'json',
      'text',
      'srt',
      'vtt',
      'verbose_json',
    ]),
    imageGenerations: inlineImages('/v1/images/generations'),
    imageEdits: { path: '/v1/images/inpainting', request: inpaint, response: imageResponse },
  },
  probe,
  recognise,
  verdict,
});

/** LocalAI edits one image by one mask, which it needs, white where to paint. */
function inpaint(call: AdapterCall): RequestPatch {
  requireForm(call);
  const parts = call.form ?? [];
  const images = parts.filter(({ name }) => name === 'image' || name === 'image[]');
  const mask = parts.find(({ name }) => name === 'mask');
  if (images.length !== 1) {
    throw new RequestRefused(`LocalAI edits one image at a time, not ${images.length}.`, 'image');
  }
  if (Number(call.fields['n'] ?? 1) > 1) {
    throw new RequestRefused('LocalAI makes one edit at a time: leave out n.', 'n');
  }
  if (!mask) {
    throw new RequestRefused(
      'LocalAI edits only what a mask marks: send a PNG as mask, transparent where the image is to change.',
      'mask',
    );
  }
  const painted: FormPart = { ...mask, data: toInpaintingMask(mask.data) };
  const replaced = (part: FormPart): FormPart => {
    if (part === mask) return painted;
    return part.name === 'image[]' ? { ...part, name: 'image' } : part;
  };
  return { parts: (sent) => sent.map(replaced), remove: ['stream', 'partial_images'] };
}

async function probe(backend: Backend): Promise<ProbeResult> {
  const [ready, capable, version] = await Promise.all([
    backend.get('/readyz'),
    backend.get('/v1/models/capabilities'),
    versionAt(backend, '/version'),
  ]);
  if (ready.status === 503) {
    const reason = asText(asObject(ready.json)?.['reason']) ?? 'it is starting';
    return { state: 'loading', detail: reason, ...version };
  }
  // Before version 4 there are only the names.
  const path = capable.status === 404 ? '/v1/models' : '/v1/models/capabilities';
  const list = capable.status === 404 ? await backend.get(path) : capable;
  const failure = failureOf(list, path);
  if (failure) return failure;
  const models = entriesOf(list)?.map(toModel);
  return models ? { state: 'healthy', ...version, models } : noList(path);
}

function toModel(entry: JsonObject): CatalogueModel {
  const capabilities = entry['capabilities'];
  const known = Array.isArray(capabilities) && capabilities.length > 0;
  return { ...modelOf(entry), ...(known ? { services: servicesOf(capabilities) } : {}) };
}

const SERVICES_OF = new Map<unknown, readonly Service[]>([
  ['chat', ['chat']],
  ['completion', ['chat']],
  ['embeddings', ['embeddings']],
  ['rerank', ['rerank']],
  ['transcript', ['transcription']],
  ['tts', ['speech']],
  ['image', ['imageGeneration', 'imageEdit']],
]);

function servicesOf(capabilities: readonly unknown[]): readonly Service[] {
  const services = capabilities.flatMap((name) => SERVICES_OF.get(name) ?? []);
  return [...new Set(services)];
}

async function recognise(backend: Backend): Promise<boolean> {
  const [ready, capable] = await Promise.all([
    backend.get('/readyz'),
    backend.get('/v1/models/capabilities'),
  ]);
  if (ready.status === 503) return asObject(ready.json)?.['status'] === 'starting';
  if (ready.status !== 200) return false;
  if (capable.status === 401) return asObject(asObject(capable.json)?.['error'])?.['code'] === 401;
  return entriesOf(capable) !== undefined || hasOldList(backend, capable.status);
}

/** Its older lists have neither dates nor owners, which everybody else's have. */
async function hasOldList(backend: Backend, status: number): Promise<boolean> {
  if (status !== 404) return false;
  const entries = entriesOf(await backend.get('/v1/models'));
  return entries?.every((entry) => !('owned_by' in entry) && !('created' in entry)) ?? false;
}

/** Errors of its engines come as 500 with the gRPC code in the text. */
function verdict(status: number, message: string): number {
  if (status !== 500) return status;
  if (/code = InvalidArgument\b/.test(message) || isContextLength(message)) return 400;
  return /code = Unimplemented\b/.test(message) ? 501 : status;
}
