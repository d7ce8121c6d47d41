import { createHash } from 'node:crypto';
import type { JsonObject } from '../../adapters/json.ts';
import type { Service } from '../../service.ts';

/** What is told of a model in Ollama's words. */
export interface KnownModel {
  readonly id: string;
  /** Unix seconds; 0 when nobody says. */
  readonly created: number;
  /** Empty when nobody says. */
  readonly services: readonly Service[];
  /** Tokens. */
  readonly contextLength: number | undefined;
  /** What kind of backend has it. */
  readonly family: string;
}

/** The version of Ollama's API that is spoken here: clients look at it for what they may ask. */
export const API_VERSION = '0.13.3';
/** Nobody unloads it as far as we know. */
const NEVER = '2318-01-01T00:00:00Z';

/** Whether it is of any use to Ollama's clients. */
export function isSpoken({ services }: KnownModel): boolean {
  return services.length === 0 || services.includes('chat') || services.includes('embeddings');
}

/** An entry of `/api/tags`. */
export function tag(model: KnownModel): JsonObject {
  const { id, created } = model;
  return {
    name: id,
    model: id,
    modified_at: timeOf(created),
    size: 0,
    digest: createHash('sha256').update(id).digest('hex'),
    details: detailsOf(model),
    capabilities: capabilitiesOf(model),
  };
}

/** An entry of `/api/ps`. */
export function loadedTag(model: KnownModel): JsonObject {
  const { modified_at: _, capabilities: __, ...entry } = tag(model);
  return {
    ...entry,
    expires_at: NEVER,
    size_vram: 0,
    ...(model.contextLength === undefined ? {} : { context_length: model.contextLength }),
  };
}

/** The answer of `/api/show`. */
export function shown(model: KnownModel): JsonObject {
  const { family, contextLength, created } = model;
  return {
    modelfile: '',
    parameters: '',
    template: '',
    details: detailsOf(model),
    model_info: {
      'general.architecture': family,
      'general.basename': model.id,
      ...(contextLength === undefined ? {} : { [`${family}.context_length`]: contextLength }),
    },
    capabilities: capabilitiesOf(model),
    modified_at: timeOf(created),
  };
}

function detailsOf({ family }: KnownModel): JsonObject {
  return {
    parent_model: '',
    format: '',
    family,
    families: [family],
    parameter_size: '',
    quantization_level: '',
  };
}

/** What chats is not shown as an embedder as well: many backends just don't tell their models apart. */
function capabilitiesOf({ services }: KnownModel): readonly string[] {
  if (services.length === 0 || services.includes('chat')) return ['completion', 'tools'];
  return services.includes('embeddings') ? ['embedding'] : [];
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
