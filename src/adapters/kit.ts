/**
 * What the adapters that come with jairouter are made of, as `jairouter/adapters`: everything they
 * use, own ones may use too.
 */

export type { JsonObject } from './json.ts';
export type { BatchLimits } from './batches.ts';
export type { AdapterDefinition, Mark } from './definition.ts';

// Whole adapters, by name, and one made of another by what differs.
export { ADAPTERS } from './index.ts';
export { adapterFrom } from './definition.ts';

// Keys and probes.
export { bearer } from './auth.ts';
export {
  entriesOf,
  failureIfThere,
  failureOf,
  ifAnswered,
  modelOf,
  noList,
  versionAt,
  versionIn,
} from './catalogue.ts';
export { isContextLength, isLoading, streamError } from './errors.ts';
export { servicesOf } from './model-kinds.ts';
export { routesOf } from './routes.ts';

// Operations, and what puts their requests and answers right.
export { batchesOf, inBatches } from './batches.ts';
export { embeddings, floatEmbeddings } from './embeddings.ts';
export { eventStream } from './event-stream.ts';
export { imageResponse, inlineImages, inlineImagesOfForm, requireForm } from './images.ts';
export { toInpaintingMask } from './mask.ts';
export { countTokens, messages, responses } from './other-dialects.ts';
export { merge, rerank, textRerank } from './rerank.ts';
export { numberedResponse } from './response-events.ts';
export { askForFormat, explicitSpeech, speech, withoutEvents } from './speech.ts';
export { numberedToolCalls } from './tool-deltas.ts';
export { transcription, translatedTranscription } from './transcription.ts';

// What a request will use, about.
export { estimateTokens } from '../gateway/protect/token-estimate.ts';

// JSON of which nothing is known yet.
export { asNumber, asObject, asObjects, asText, parseJson, withoutNulls } from './json.ts';
