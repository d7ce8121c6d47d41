import {
  defineAdapter,
  type AdapterCall,
  type Backend,
  type OperationSpec,
  type PartAnswer,
  type ProbeResult,
  type RequestPatch,
  type Split,
} from './adapter.ts';
import { bearer } from './auth.ts';
import { batchesOf, inBatches } from './batches.ts';
import { failureIfThere, failureOf } from './catalogue.ts';
import { embeddings } from './embeddings.ts';
import { asNumber, asObject, asObjects, asText, parseJson } from './json.ts';
import { textRerank } from './rerank.ts';
import type { Operation, Service } from '../service.ts';

/** `--max-client-batch-size` unless told otherwise, and `--payload-limit` with room for the rest. */
const LIMITS = { inputs: 32, bytes: 1_900_000 };

/** Hugging Face's Text Embeddings Inference: one model in each process. */
export const tei = defineAdapter({
  name: 'tei',
  // The second is where people put the Docker image's port 80.
  ports: [3000, 8080],
  auth: bearer,
  // It has no limit that is known, but may stand behind something that has.
  keepAlive: 3000,
  operations: {
    embeddings: inBatches(embeddings, LIMITS),
    rerank: { ...textRerank, path: '/rerank', request: askNatively, split: splitDocuments },
  } satisfies Partial<Record<Operation, OperationSpec>>,
  probe,
  recognise,
  verdict,
});

/** Its own names for what Jina's fields say; documents are the parts' matter. */
function askNatively(call: AdapterCall): RequestPatch {
  return {
    set: {
      raw_scores: call.fields['raw_scores'] ?? false,
      return_text: false,
      truncate: call.fields['truncate'] ?? true,
    },
    remove: ['documents', 'top_n', 'return_documents', 'model'],
  };
}

function splitDocuments(call: AdapterCall): Split {
  // The patch that other backends get has the documents as texts, and refuses what is none.
  const texts = textRerank.request(call)?.set?.['documents'] ?? call.fields['documents'];
  const batches = batchesOf(texts, call, LIMITS) ?? [];
  const parts = batches.length > 0 ? batches : [[]];
  const starts = parts.map((_, at) =>
    parts.slice(0, at).reduce((sum, { length }) => sum + length, 0),
  );
  return {
    parts: parts.map((batch) => ({ texts: batch })),
    join: (answers) => joinRanks(answers, starts),
  };
}

/** One list out of those of all parts; tokens are counted in a header only. */
function joinRanks(answers: readonly PartAnswer[], starts: readonly number[]): string {
  const results = answers.flatMap(({ body }, part) => {
    const entries = asObjects(parseJson(body.toString('utf8')));
    if (!entries) throw new Error('a rerank answer is not a list');
    return entries.map((entry, position) => ({
      ...entry,
      index: starts[part]! + (asNumber(entry['index']) ?? position),
    }));
  });
  const counts = answers.map(({ headers }) => Number(headers['x-compute-tokens'] ?? Number.NaN));
  const tokens = counts.reduce((sum, count) => sum + count, 0);
  const usage = Number.isNaN(tokens)
    ? {}
    : { usage: { prompt_tokens: tokens, total_tokens: tokens } };
  return JSON.stringify({ results, ...usage });
}

async function probe(backend: Backend): Promise<ProbeResult> {
  const [health, reply] = await Promise.all([backend.get('/health'), backend.get('/info')]);
  const failure = failureIfThere(health, '/health') ?? failureOf(reply, '/info');
  if (failure) return failure;
  const info = asObject(reply.json);
  const id = asText(info?.['served_model_name']) ?? asText(info?.['model_id']);
  if (!info || id === undefined) {
    return { state: 'unhealthy', detail: 'GET /info names no model: is baseUrl right?' };
  }
  const other = asText(info['model_id']);
  const services = servicesOf(asObject(info['model_type']) ?? {});
  const contextLength = asNumber(info['max_input_length']);
  const maxInputs = asNumber(info['max_client_batch_size']);
  const version = asText(info['version']);
  return {
    state: 'healthy',
    ...(version === undefined ? {} : { version }),
    models: [
      {
        id,
        ...(other === undefined || other === id ? {} : { aliases: [other] }),
        services,
        loaded: true,
        ...(contextLength ? { contextLength } : {}),
        ownedBy: 'tei',
      },
    ],
    operations: services as readonly ('embeddings' | 'rerank')[],
    ...(maxInputs ? { facts: { maxInputs } } : {}),
  };
}

/** A classifier can be asked for neither. */
function servicesOf(kind: Readonly<Record<string, unknown>>): readonly Service[] {
  if ('embedding' in kind) return ['embeddings'];
  return 'reranker' in kind ? ['rerank'] : [];
}

async function recognise(backend: Backend): Promise<boolean> {
  const info = asObject((await backend.get('/info')).json);
  return asText(info?.['model_id']) !== undefined && asObject(info?.['model_type']) !== undefined;
}

/** 424 is its engine's failure, and what it says to a request for another kind of model. */
function verdict(status: number, message: string): number {
  if (status !== 424) return status;
  return /\bis not an? .*model\b|not support/i.test(message) ? 501 : 500;
}
