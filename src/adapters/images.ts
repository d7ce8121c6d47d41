import { isDeepStrictEqual } from 'node:util';
import type {
  AdapterCall,
  Answer,
  OperationSpec,
  RequestPatch,
  ResponseTransform,
} from './adapter.ts';
import { RequestRefused } from './adapter.ts';
import { eventStream } from './event-stream.ts';
import { asNumber, asObject, asText, parseJson, withoutNulls, type JsonObject } from './json.ts';

/**
 * An image operation of a self-hosted backend. It is always asked for the bytes themselves: a URL
 * would be a path on its disk (Xinference) or an address that the client may not reach (LocalAI).
 */
export function inlineImages(path: string): OperationSpec {
  return { path, request: askForBytes, response: imageResponse };
}

/** The same for a backend whose route takes forms only. */
export function inlineImagesOfForm(path: string): OperationSpec {
  return {
    ...inlineImages(path),
    request(call) {
      requireForm(call);
      return askForBytes(call);
    },
  };
}

/** @throws RequestRefused when the body is JSON, which only OpenAI itself takes here. */
export function requireForm(call: AdapterCall): void {
  if (call.form) return;
  throw new RequestRefused(
    'This backend takes images as multipart/form-data: upload the files instead of naming them in JSON.',
    'images',
  );
}

function askForBytes(call: AdapterCall): RequestPatch | undefined {
  const set = call.fields['response_format'] === 'b64_json' ? {} : { response_format: 'b64_json' };
  // Their streams, where they have any, are not OpenAI's (Xinference's `start`, `processing` …).
  const remove = call.stream ? ['stream', 'partial_images'] : [];
  return Object.keys(set).length + remove.length > 0 ? { set, remove } : undefined;
}

/** Images in the answer as OpenAI writes them: bytes, or a data URL for who asked for a URL. */
export function imageResponse(call: AdapterCall): ResponseTransform {
  return {
    links(body) {
      // Answers are megabytes of base64, which is worth no second parsing.
      if (!KEPT.some((folder) => body.includes(folder))) return [];
      return imageEntries(body)?.items.flatMap((item) => linkOf(item) ?? []) ?? [];
    },
    body: (body, _contentType, linked = []) => {
      const found = imageEntries(body);
      if (!found) return undefined;
      let next = 0;
      const data = found.items.map((item) =>
        outward(item, linkOf(item) === undefined ? undefined : linked[next++], call),
      );
      if (call.stream) return asEvents(found.answer, data, call);
      const answer = { ...withoutNulls(found.answer), data };
      if (isDeepStrictEqual(found.answer, answer)) return undefined;
      return { body: JSON.stringify(answer), contentType: 'application/json' };
    },
  };
}

function imageEntries(body: Buffer): { answer: JsonObject; items: JsonObject[] } | undefined {
  const answer = asObject(parseJson(body.toString('utf8')));
  if (!answer || !Array.isArray(answer['data'])) return undefined;
  return { answer, items: (answer['data'] as unknown[]).map((item) => asObject(item) ?? {}) };
}

/** Where backends keep what they made, below their base path. */
const KEPT = ['/generated-images/', '/v1/images/'];

/** @returns The path of an image that is only linked; its host may be a name of the backend's own. */
function linkOf(item: JsonObject): string | undefined {
  const url = asText(item['url']);
  if (asText(item['b64_json']) !== undefined || url === undefined) return undefined;
  const starts = KEPT.map((folder) => url.indexOf(folder)).filter((at) => at >= 0);
  return starts.length > 0 ? url.slice(Math.min(...starts)) : undefined;
}

function outward(item: JsonObject, linked: Buffer | undefined, call: AdapterCall): JsonObject {
  // LocalAI's entries are its embeddings' too.
  const { embedding: _, index: __, url, b64_json, ...rest } = withoutNulls(item);
  const base64 = asText(b64_json) ?? linked?.toString('base64');
  if (base64 === undefined) return { ...rest, url: reachable(asText(url)) };
  if (call.fields['response_format'] !== 'url') return { ...rest, b64_json: base64 };
  return { ...rest, url: `data:image/${formatOf(base64)};base64,${base64}` };
}

/** A whole address is at least honest; a path on the backend's disk helps nobody. */
function reachable(url: string | undefined): string {
  if (url !== undefined && /^(https?|data):/i.test(url)) return url;
  throw new Error('an image without its bytes, as a path on its own disk or nothing at all');
}

/** By the first bytes. */
function formatOf(base64: string): 'png' | 'jpeg' | 'webp' {
  if (base64.startsWith('/9j/')) return 'jpeg';
  return base64.startsWith('UklGR') ? 'webp' : 'png';
}

/** The backend does not stream, but the client reads events: one for each finished image. */
function asEvents(answer: JsonObject, data: readonly JsonObject[], call: AdapterCall): Answer {
  const type =
    call.operation === 'imageGenerations' ? 'image_generation.completed' : 'image_edit.completed';
  const usage = asObject(answer['usage']);
  return eventStream(
    data.map((item) => {
      const base64 = asText(item['b64_json']) ?? asText(item['url'])?.split(';base64,', 2)[1];
      if (base64 === undefined) throw new Error('an address where an event needs the image');
      const event = {
        type,
        b64_json: base64,
        created_at: asNumber(answer['created']) ?? 0,
        size: asText(call.fields['size']) ?? 'auto',
        quality: asText(call.fields['quality']) ?? 'auto',
        background: asText(call.fields['background']) ?? 'auto',
        output_format: formatOf(base64),
        ...(usage ? { usage } : {}),
      };
      return { event: type, data: JSON.stringify(event) };
    }),
  );
}
