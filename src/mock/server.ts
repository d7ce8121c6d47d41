import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OPERATIONS, serviceOf, type Operation, type Service } from '../service.ts';
import { readBody, type Call } from './call.ts';
import { chat } from './chat.ts';
import { completions } from './completions.ts';
import { embeddings } from './embeddings.ts';
import { MockError } from './error.ts';
import { requiredText } from './fields.ts';
import { imageEdits, imageGenerations, imageVariations } from './images.ts';
import { MOCK_MODELS, mockModel, type MockModel } from './models.ts';
import { startPace, type Speed } from './pace.ts';
import { playScript, type Player } from './player.ts';
import { replyOn, send } from './reply.ts';
import { rerank } from './rerank.ts';
import type { Script } from './script.ts';
import { speech } from './speech.ts';
import { transcriptions, translations } from './transcription.ts';

const HANDLERS = {
  chat,
  completions,
  embeddings,
  rerank,
  speech,
  transcriptions,
  translations,
  imageGenerations,
  imageEdits,
  imageVariations,
} satisfies Partial<Record<Operation, (call: Call) => Promise<void>>>;
type MockOperation = keyof typeof HANDLERS;

const ROUTES: ReadonlyMap<string, MockOperation> = new Map(
  (Object.keys(HANDLERS) as MockOperation[]).flatMap((operation) =>
    OPERATIONS[operation].routes.map((route) => [route, operation] as const),
  ),
);

/** By this value of its `server` header one knows the mock. */
const MOCK_SERVER = 'jairouter-mock';

export interface MockOptions {
  /** 0, the default: any free port. */
  readonly port?: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Names of models, their kind guessed from the name. Default: {@link MOCK_MODELS}. */
  readonly models?: readonly string[];
  /** Milliseconds until the first token. Default: 0. */
  readonly ttft?: number;
  /** Tokens per second after it. Default: all at once. */
  readonly tps?: number;
  /** The share of calls answered with a 500, from 0 to 1. Default: 0. */
  readonly fail?: number;
  /** The share of calls never answered, from 0 to 1; `true`: all. Default: 0. */
  readonly hang?: boolean | number;
  /** What the chat models say, in place of their own words. */
  readonly script?: Script;
  /** The dice for `fail` and `hang`: a number from 0 to below 1 each time. Default: `Math.random`. */
  readonly random?: () => number;
}

export interface Mock {
  readonly url: string;
  readonly port: number;
  readonly models: readonly MockModel[];
  /** Calls that are being answered now. */
  readonly active: number;
  /** Ends at once; calls being answered break off. */
  close(): Promise<void>;
}

interface Settings extends Speed {
  readonly models: readonly MockModel[];
  readonly fail: number;
  readonly hang: number;
  readonly random: () => number;
  readonly script: Player | undefined;
}

/**
 * Starts a backend that does all kinds of work without any model behind it, in OpenAI's shapes.
 * The same call gets the same answer each time.
 * @throws what `listen` says when the port can't be had (`EADDRINUSE`, `EACCES`).
 */
export async function startMock(options: MockOptions = {}): Promise<Mock> {
  const { port = 0, host = '127.0.0.1', hang = 0 } = options;
  const settings: Settings = {
    models: options.models?.map(mockModel) ?? MOCK_MODELS,
    ttft: options.ttft ?? 0,
    tps: options.tps ?? Infinity,
    fail: options.fail ?? 0,
    hang: Number(hang),
    random: options.random ?? Math.random,
    script: options.script && playScript(options.script),
  };
  let active = 0;
  let calls = 0;
  let closed: Promise<void> | undefined;
  const server = createServer((req, res) => {
    active++;
    res.once('close', () => void active--);
    void answer(req, res, { settings, number: ++calls });
  });
  // Longer than any client keeps an idle socket, or it may write to one that is just being closed.
  server.keepAliveTimeout = 75_000;
  server.listen(port, host);
  await once(server, 'listening');

  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    models: settings.models,
    get active() {
      return active;
    },
    close() {
      closed ??= closeNow(server);
      return closed;
    },
  };
}

async function closeNow(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

interface Turn {
  readonly settings: Settings;
  /** Which call this is, for its identifiers. */
  readonly number: number;
}

async function answer(req: IncomingMessage, res: ServerResponse, turn: Turn): Promise<void> {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  res.setHeader('server', MOCK_SERVER);
  res.setHeader('x-request-id', `mock-${turn.number}`);
  try {
    await route(req, res, { ...turn, signal: gone.signal });
  } catch (error) {
    // The client left: there is nobody to tell.
    if (gone.signal.aborted) return;
    // Half an answer can't be turned into an error: the client must see it break.
    if (res.headersSent) res.destroy();
    else refuse(res, error);
  }
}

function refuse(res: ServerResponse, error: unknown): void {
  const known =
    error instanceof MockError
      ? error
      : new MockError(500, `The mock has a bug: ${String(error)}`, { code: 'mock_bug' });
  // The rest of a refused body is not read: what follows on this socket would be taken for a request.
  if (known.status === 413) res.setHeader('connection', 'close');
  if (known.retryAfter !== undefined) res.setHeader('retry-after', String(known.retryAfter));
  send(res, known.status, 'application/json', JSON.stringify(known));
}

async function route(
  req: IncomingMessage,
  res: ServerResponse,
  { settings, number, signal }: Turn & { readonly signal: AbortSignal },
): Promise<void> {
  const path = (req.url ?? '/').split('?', 1)[0]!;
  const reply = replyOn(res, signal);
  const operation = ROUTES.get(path);
  if (req.method === 'POST' && operation) {
    const { fields, files } = await readBody(req);
    const luck = settings.random();
    if (luck < settings.hang) return;
    if (luck < settings.hang + settings.fail) {
      throw new MockError(500, 'The mock was told to fail some calls, and this is one of them.', {
        code: 'mock_failure',
      });
    }
    const model = modelFor(settings.models, requiredText(fields, 'model'), operation);
    let ids = 0;
    await HANDLERS[operation]({
      operation,
      model,
      fields,
      files,
      created: Math.floor(Date.now() / 1000),
      id: (prefix) => `${prefix}-mock-${number}${ids++ > 0 ? `-${ids}` : ''}`,
      pace: startPace(settings, signal),
      repace: (speed) => startPace({ ...settings, ...speed }, signal),
      script: settings.script,
      reply,
    });
    return;
  }
  req.resume();
  if (operation) {
    res.setHeader('allow', 'POST');
    throw new MockError(405, `${path} takes POST, not ${req.method}.`);
  }
  if (path === '/health') return reply.json({ status: 'ok' });
  if (path === '/v1/models') {
    return reply.json({ object: 'list', data: settings.models.map(entry) });
  }
  if (path.startsWith('/v1/models/')) {
    return reply.json(entry(find(settings.models, decode(path.slice('/v1/models/'.length)))));
  }
  throw new MockError(404, `The mock has no ${req.method} ${path}.`, { code: 'unknown_url' });
}

function modelFor(models: readonly MockModel[], id: string, operation: Operation): string {
  const model = find(models, id);
  const service = serviceOf(operation);
  if (model.services.includes(service)) return id;
  throw new MockError(
    400,
    `The model '${id}' does ${model.services.join(' and ')}, not ${service}.`,
    { param: 'model', code: 'unsupported_model' },
  );
}

function find(models: readonly MockModel[], id: string): MockModel {
  const model = models.find((one) => one.id === id);
  if (model) return model;
  throw new MockError(
    404,
    `The model '${id}' does not exist. The mock has ${models.map((one) => one.id).join(', ')}.`,
    { param: 'model', code: 'model_not_found' },
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray % is part of the name then, and no model has that name.
    return text;
  }
}

/** A model as `/v1/models` lists it; the date is that of the mock's first version. */
function entry({ id, services }: MockModel): unknown {
  const type = services.length === 1 ? TYPES[services[0]!] : undefined;
  const known = { id, object: 'model', created: 1_767_225_600, owned_by: 'jairouter-mock' };
  return type === undefined ? known : { ...known, type };
}

/** Together's words for what a model does; it has none for editing images. */
const TYPES: Readonly<Partial<Record<Service, string>>> = {
  chat: 'chat',
  embeddings: 'embedding',
  rerank: 'rerank',
  speech: 'audio',
  transcription: 'transcribe',
};
