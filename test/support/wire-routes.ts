import { OPERATIONS, type Service } from '../../src/service.ts';
import type { WireRequest } from './wire-backend.ts';
import { wireSample, type WireSample } from './wire-samples.ts';

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly stream?: boolean;
}

/** Answers that no one sample holds: lists of all the samples' models, routes, files. */
export function liveAnswer(
  backend: string,
  samples: readonly WireSample[],
  { method, path, json }: WireRequest,
): WireAnswer | undefined {
  const url = new URL(path, 'http://wire');
  switch (`${backend} ${method} ${url.pathname}`) {
    case 'openai GET /v1/models':
    case 'vllm GET /v1/models':
    case 'localai GET /v1/models':
    case 'llamacpp GET /v1/models':
    case 'sglang GET /v1/models':
      return listed(backend, samples, {
        data: (id) => ({ id, object: 'model', owned_by: backend }),
      });
    case 'localai GET /v1/models/capabilities':
      return listed(backend, samples, {
        sample: 'models-capabilities',
        data: (id, kinds) => ({
          id,
          object: 'model',
          capabilities: kinds.map((kind) => CAPABILITIES[kind]),
        }),
      });
    case 'ollama GET /api/tags':
      return tags(samples);
    case 'ollama POST /api/show':
      return answer(200, {
        ...(wireSample('ollama', 'show').response.body as object),
        capabilities: modelsOf(samples).get(String(json?.['model']))?.has('embeddings')
          ? ['embedding']
          : ['completion', 'tools'],
      });
    case 'gpustack GET /v1/models':
      return inCategory(samples, url.searchParams.getAll('categories'));
    case 'lmstudio GET /v1/models':
      return answer(200, {
        object: 'list',
        data: [...modelsOf(samples).keys()].map((id) => ({ id, object: 'model' })),
      });
    case 'azure GET /openai/v1/models':
      return answer(200, { object: 'list', data: [{ id: 'gpt4o', object: 'model' }] });
    case 'sglang GET /get_model_info':
      return answer(200, { model_path: 'meta-llama/Llama-3.1-8B-Instruct', is_generation: true });
    case 'llamacpp GET /props':
      return answer(200, { build_info: 'b10488-0a1b2c3', modalities: { audio: true } });
    case 'sglang GET /openapi.json':
    case 'vllm GET /openapi.json': {
      const paths = samples
        .filter(({ request, response }) => request.method === 'POST' && response.status < 400)
        .map(({ request }) => [request.path, { post: {} }]);
      return answer(200, { openapi: '3.1.0', paths: Object.fromEntries(paths) as object });
    }
    default:
      if (backend === 'localai' && url.pathname.startsWith('/generated-images/')) return image();
      return undefined;
  }
}

/** What each backend says of a route that it does not have. */
export function unknownRoute(backend: string, method: string, path: string): WireAnswer {
  switch (backend) {
    case 'ollama': {
      const text = wireSample('ollama', 'rerank-404').response.body as string;
      return { status: 404, headers: { 'content-type': 'text/plain' }, body: Buffer.from(text) };
    }
    case 'localai':
      return answer(404, wireSample('localai', 'images-edits-404').response.body);
    case 'vllm':
      return answer(404, wireSample('vllm', 'speech-404').response.body);
    case 'llamacpp':
      return answer(404, wireSample('llamacpp', 'error-404').response.body);
    case 'lmstudio':
      return answer(200, { error: `Unexpected endpoint or method. (${method} ${path})` });
    case 'gpustack':
      return answer(404, { code: 404, reason: 'NotFound', message: 'Not Found' });
    case 'openai':
      return answer(404, {
        error: {
          message: `Invalid URL (${method} ${path})`,
          type: 'invalid_request_error',
          param: null,
          code: null,
        },
      });
    default:
      return answer(404, { detail: 'Not Found' });
  }
}

const CAPABILITIES: Readonly<Record<Service, string>> = {
  chat: 'chat',
  embeddings: 'embeddings',
  rerank: 'rerank',
  speech: 'tts',
  transcription: 'transcript',
  imageGeneration: 'image',
  imageEdit: 'image',
};

const CATEGORIES: Readonly<Record<string, readonly Service[]>> = {
  llm: ['chat'],
  embedding: ['embeddings'],
  reranker: ['rerank'],
  text_to_speech: ['speech'],
  speech_to_text: ['transcription'],
  image: ['imageGeneration', 'imageEdit'],
};

/** The models that the samples get answers from, with what they were asked to do. */
function modelsOf(samples: readonly WireSample[]): ReadonlyMap<string, ReadonlySet<Service>> {
  const models = new Map<string, Set<Service>>();
  for (const { request, response } of samples) {
    const form = request.body?._multipart?.find(({ name }) => name === 'model')?.value;
    const model = form ?? request.body?.['model'];
    const service = serviceAt(request.path);
    if (typeof model !== 'string' || !service || response.status > 400) continue;
    models.set(model, (models.get(model) ?? new Set()).add(service));
  }
  return models;
}

function serviceAt(path: string): Service | undefined {
  if (path === '/v1/images/inpainting') return 'imageEdit';
  return Object.values(OPERATIONS).find(({ routes }) =>
    (routes as readonly string[]).includes(path),
  )?.service;
}

interface Listing {
  readonly sample?: string;
  data(id: string, kinds: readonly Service[]): object;
}

/** The sample's list, and after it the models that only other samples name. */
function listed(backend: string, samples: readonly WireSample[], listing: Listing): WireAnswer {
  const body = wireSample(backend, listing.sample ?? 'models').response.body as {
    data: { id: string }[];
  };
  const known = new Set(body.data.map(({ id }) => id));
  const more = [...modelsOf(samples)]
    .filter(([id]) => !known.has(id))
    .map(([id, kinds]) => listing.data(id, [...kinds]));
  return answer(200, { ...body, data: [...body.data, ...more] });
}

function tags(samples: readonly WireSample[]): WireAnswer {
  const body = wireSample('ollama', 'tags').response.body as { models: { name: string }[] };
  const known = new Set(body.models.map(({ name }) => name));
  const more = [...modelsOf(samples)]
    .filter(([name]) => !known.has(name) && !known.has(`${name}:latest`))
    .map(([name, kinds]) => ({
      name,
      model: name,
      digest: Buffer.from(name).toString('hex').padEnd(12, '0'),
      capabilities: [
        kinds.has('embeddings') ? 'embedding' : 'completion',
        ...(kinds.has('transcription') ? ['audio'] : []),
      ],
    }));
  return answer(200, { models: [...body.models, ...more] });
}

function inCategory(samples: readonly WireSample[], categories: readonly string[]): WireAnswer {
  const wanted = categories.flatMap((category) => CATEGORIES[category] ?? []);
  const data = [...modelsOf(samples)]
    .filter(([, kinds]) => categories.length === 0 || wanted.some((kind) => kinds.has(kind)))
    .map(([id]) => ({
      id,
      created: 1755000000,
      object: 'model',
      owned_by: 'gpustack',
      meta: { n_ctx: 8192 },
    }));
  return answer(200, { data, object: 'list' });
}

/** Stands for whatever was painted. */
function image(): WireAnswer {
  const parts = wireSample('localai', 'images-inpainting').request.body!._multipart!;
  const body = Buffer.from(parts[0]!.base64!, 'base64');
  return { status: 200, headers: { 'content-type': 'image/png' }, body };
}

function answer(status: number, body: unknown): WireAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
  };
}
