import type { Service } from '../service.ts';
import { asObject, asText, type JsonObject } from './json.ts';

/**
 * What a model of an OpenAI-style list can do, by what its entry tells or else by its name.
 * @returns `undefined` where neither says anything.
 */
export function servicesOf(entry: JsonObject): readonly Service[] | undefined {
  return (
    byType(asText(entry['type'])) ??
    byCapabilities(asObject(entry['capabilities'])) ??
    byModalities(asObject(entry['architecture'])) ??
    servicesById(entry['id'] as string)
  );
}

/** Together's word for each kind; `model` and the like, of others, say nothing. */
const TYPES = new Map<string | undefined, readonly Service[]>([
  ['chat', ['chat']],
  ['language', ['chat']],
  ['code', ['chat']],
  ['embedding', ['embeddings']],
  ['rerank', ['rerank']],
  ['image', ['imageGeneration']],
  ['audio', ['speech']],
  ['transcribe', ['transcription']],
  ['moderation', []],
  ['video', []],
]);

function byType(type: string | undefined): readonly Service[] | undefined {
  return TYPES.get(type);
}

/**
 * Mistral's flags (`completion_chat`) and Azure's (`chat_completion`). What has none of these has
 * abilities with other names, or none that is told.
 */
function byCapabilities(flags: JsonObject | undefined): readonly Service[] | undefined {
  if (!flags) return undefined;
  const services: Service[] = [];
  if (flags['completion_chat'] === true || flags['chat_completion'] === true) services.push('chat');
  if (flags['embeddings'] === true) services.push('embeddings');
  if (flags['audio_transcription'] === true) services.push('transcription');
  return services.length > 0 ? services : undefined;
}

/** OpenRouter and llama.cpp tell what comes out; text out of text is chat. */
function byModalities(architecture: JsonObject | undefined): readonly Service[] | undefined {
  const outputs: unknown = architecture?.['output_modalities'];
  if (!Array.isArray(outputs)) return undefined;
  if (outputs.includes('embeddings')) return ['embeddings'];
  return outputs.includes('text') ? ['chat'] : undefined;
}

/** Names that are the same thing everywhere; the first match counts. */
const KINDS: readonly (readonly [RegExp, readonly Service[]])[] = [
  [/rerank/, ['rerank']],
  [/^text-embedding-|embed|^bge-|^gte-|^e5-/, ['embeddings']],
  [/whisper|-transcribe|^sensevoice/, ['transcription']],
  [/^tts-|-tts(-|$)/, ['speech']],
  [/^dall-e-3|^imagen-/, ['imageGeneration']],
  [/^(dall-e-|(gpt|chatgpt|mock)-image(-|$))/, ['imageGeneration', 'imageEdit']],
  [/^(gpt-|chatgpt-|o\d)/, ['chat']],
];

/** OpenAI's list tells no kinds, so the names must. */
function servicesById(id: string): readonly Service[] | undefined {
  const name = id.slice(id.lastIndexOf('/') + 1).toLowerCase();
  return KINDS.find(([pattern]) => pattern.test(name))?.[1];
}
