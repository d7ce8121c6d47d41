import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asksForRoute } from './probes.ts';
import { bodyOf, wireSamples, type SamplePart, type WireSample } from './wire-samples.ts';
import { liveAnswer, unknownRoute, type WireAnswer } from './wire-routes.ts';

/** A request as the backend got it. */
export interface WireRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Its JSON body. */
  readonly json?: Readonly<Record<string, unknown>>;
  /** Its form, in order; files in base64. */
  readonly form?: readonly SamplePart[];
}

export interface WireBackend {
  /** Without a trailing slash. */
  readonly url: string;
  readonly requests: readonly WireRequest[];
  /** Answers the next request to that sample's route with it, whatever it asks for. */
  readonly next: (sample: string) => void;
  close(): Promise<void>;
}

/**
 * A real HTTP server that answers as that backend does, from its samples: by route, stream flag,
 * format and model; errors that the request itself causes (an unknown model, a bad format) come
 * by themselves, those of the backend's own making only through `next`.
 */
export async function startWireBackend(backend: string): Promise<WireBackend> {
  const samples = wireSamples(backend);
  const requests: WireRequest[] = [];
  const queue: WireSample[] = [];
  const server = createServer((incoming, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const request = await read(incoming.method!, incoming.url!, incoming.headers, body);
      if (asksForRoute(request.path, body)) {
        await write(response, routeAnswer(request, { backend, samples }));
        return;
      }
      requests.push(request);
      const queued = queue.findIndex((sample) => onRoute(sample, request));
      const answer =
        queued >= 0
          ? asAnswer(queue.splice(queued, 1)[0]!)
          : answerTo(request, { backend, samples });
      await write(response, answer);
    })().catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    next(name) {
      const sample = samples.find((one) => one.name === name);
      if (!sample) throw new Error(`no wire sample ${backend}/${name}`);
      queue.push(sample);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(
  method: string,
  path: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Promise<WireRequest> {
  const request = { method, path, headers, body };
  const type = headers['content-type'] ?? '';
  if (type.includes('json')) {
    return { ...request, json: JSON.parse(body.toString('utf8')) as Record<string, unknown> };
  }
  if (!type.includes('multipart/form-data')) return request;
  const data = await new Response(new Uint8Array(body), {
    headers: { 'content-type': type },
  }).formData();
  const form: SamplePart[] = [];
  for (const [name, value] of data) {
    if (typeof value === 'string') {
      form.push({ name, value });
    } else {
      const base64 = Buffer.from(await value.arrayBuffer()).toString('base64');
      form.push({ name, filename: value.name, contentType: value.type, base64 });
    }
  }
  return { ...request, form };
}

interface Recorded {
  readonly backend: string;
  readonly samples: readonly WireSample[];
}

function answerTo(request: WireRequest, { backend, samples }: Recorded): WireAnswer {
  const live = liveAnswer(backend, samples, request);
  if (live) return live;
  const here = samples.filter((sample) => onRoute(sample, request));
  const good = here.filter((sample) => !isFailure(sample));
  const wanted = featuresOf(request.json, request.form);
  const provoked = here.find(
    (sample) =>
      isProvoked(sample) &&
      same(featuresOfSample(sample), wanted) &&
      !good.some((one) => same(featuresOfSample(one), wanted)),
  );
  if (provoked) return asAnswer(provoked);
  if (good.length === 0) return unknownRoute(backend, request.method, request.path);
  const missing = request.method === 'POST' && missingModel(samples, wanted.model);
  if (missing) return missing;
  // A backend that can't stream an answer ignores the flag.
  const fitting = good.filter((sample) => featuresOfSample(sample).stream === wanted.stream);
  const ranked = (fitting.length > 0 ? fitting : good).toSorted(
    (one, other) =>
      likeness(featuresOfSample(other), wanted) - likeness(featuresOfSample(one), wanted) ||
      one.name.length - other.name.length,
  );
  const answer = asAnswer(ranked[0]!);
  // LocalAI's links bear the Host that it was asked by.
  const text = answer.body.toString('utf8');
  return text.includes('http://localhost:8080/')
    ? { ...answer, body: Buffer.from(text.replaceAll('localhost:8080', request.headers.host!)) }
    : answer;
}

/** A request without anything in it is refused by whoever has the route. */
function routeAnswer(request: WireRequest, { backend, samples }: Recorded): WireAnswer {
  if (!samples.some((sample) => onRoute(sample, request))) {
    return unknownRoute(backend, request.method, request.path);
  }
  const body = JSON.stringify({ error: { message: 'model is required' } });
  return {
    status: 400,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(body),
  };
}

function onRoute(sample: WireSample, { method, path }: WireRequest): boolean {
  const pathname = (text: string) => text.split('?')[0];
  return sample.request.method === method && pathname(sample.request.path) === pathname(path);
}

/** Also the states of a backend that is not well, and streams that break. */
function isFailure({ name, response }: WireSample): boolean {
  return response.status >= 400 || /error|-empty$/.test(name);
}

/** Whether the client brought it about: all but an overload, a bad key or a crash. */
function isProvoked(sample: WireSample): boolean {
  const { status } = sample.response;
  return (
    [400, 404, 422].includes(status) ||
    (status === 500 && bodyOf(sample).includes('Unsupported response format'))
  );
}

function missingModel(samples: readonly WireSample[], model: unknown): WireAnswer | undefined {
  const example = samples.find(({ name }) => name === 'error-404-model');
  const unknown = example?.request.body?.['model'] as string | undefined;
  if (!example || typeof model !== 'string') return undefined;
  const full = (name: unknown) => `${String(name)}${String(name).includes(':') ? '' : ':latest'}`;
  const known = samples.some(
    (sample) =>
      (sample.response.status < 404 && featuresOfSample(sample).model === model) ||
      listedNames(sample).some((name) => full(name) === full(model)),
  );
  if (known) return undefined;
  const answer = asAnswer(example);
  const text = answer.body
    .toString('utf8')
    .replaceAll(unknown!, JSON.stringify(model).slice(1, -1));
  return { ...answer, body: Buffer.from(text) };
}

function listedNames({ request, response }: WireSample): readonly unknown[] {
  const list = response.body as { data?: unknown; models?: unknown } | undefined;
  const entries = request.method === 'GET' ? (list?.data ?? list?.models) : undefined;
  return Array.isArray(entries)
    ? (entries as { id?: string; name?: string }[]).map((entry) => entry.id ?? entry.name)
    : [];
}

/** What tells one request to a route from another. */
interface Features {
  readonly stream: boolean;
  readonly model: unknown;
  readonly response_format: unknown;
  readonly encoding_format: unknown;
  readonly dimensions: unknown;
  readonly max_tokens: unknown;
  readonly tools: boolean;
  readonly return_documents: boolean;
  readonly file: boolean;
  readonly mask: boolean;
  readonly remoteImage: boolean;
}

function featuresOfSample({ request }: WireSample): Features {
  return featuresOf(request.body, request.body?._multipart);
}

function featuresOf(
  json: Readonly<Record<string, unknown>> | undefined,
  form: readonly SamplePart[] | undefined,
): Features {
  const fields = form ? Object.fromEntries(form.map(({ name, value }) => [name, value])) : json;
  const value = (name: string): unknown => fields?.[name] ?? undefined;
  return {
    stream: String(value('stream')) === 'true' || value('stream_format') === 'sse',
    model: value('model'),
    response_format: value('response_format'),
    encoding_format: value('encoding_format'),
    dimensions: value('dimensions'),
    max_tokens: value('max_tokens'),
    tools: value('tools') !== undefined,
    return_documents: value('return_documents') === true,
    file: form?.some(({ filename }) => filename !== undefined) ?? false,
    mask: form?.some(({ name }) => name === 'mask') ?? false,
    remoteImage: /"url":"https?:/.test(JSON.stringify(value('messages') ?? '')),
  };
}

function same(one: Features, other: Features): boolean {
  return (Object.keys(one) as (keyof Features)[]).every((key) => one[key] === other[key]);
}

const WEIGHTS: Partial<Record<keyof Features, number>> = {
  response_format: 8,
  encoding_format: 8,
  tools: 4,
  return_documents: 4,
  model: 2,
};

function likeness(one: Features, other: Features): number {
  return (Object.keys(one) as (keyof Features)[]).reduce(
    (sum, key) => sum + (one[key] === other[key] ? (WEIGHTS[key] ?? 1) : 0),
    0,
  );
}

function asAnswer(sample: WireSample): WireAnswer {
  const { status, headers, sse } = sample.response;
  return { status, headers, body: bodyOf(sample), stream: sse !== undefined };
}

async function write(response: ServerResponse, answer: WireAnswer): Promise<void> {
  for (const [name, value] of Object.entries(answer.headers)) {
    if (!/^(content-length|transfer-encoding|connection)$/.test(name)) {
      response.setHeader(name, value);
    }
  }
  response.statusCode = answer.status;
  if (!answer.stream) {
    response.end(answer.body);
    return;
  }
  // In two pieces, cut where no event ends.
  const middle = Math.floor(answer.body.length / 2) + 1;
  response.write(answer.body.subarray(0, middle));
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  response.end(answer.body.subarray(middle));
}
