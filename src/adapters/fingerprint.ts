import type { Backend } from './adapter.ts';
import { entriesOf } from './catalogue.ts';
import { asObject, asText } from './json.ts';

/** A kind of server that has no adapter of its own. */
export interface OtherServer {
  readonly name: string;
  /** Where it listens unless told otherwise. */
  readonly ports: readonly number[];
  /** Rejects when the server is out of reach. */
  recognise(backend: Backend): Promise<boolean>;
  /** It has `/v1/*` routes like OpenAI's, so that the `openai` adapter can serve it. */
  readonly openai: boolean;
}

/**
 * In the order to try them: the last one takes any server that lists models as OpenAI does. No
 * question here makes a model work: SGLang's `/health`, for one, generates a token.
 */
export const OTHERS: readonly OtherServer[] = [
  {
    name: 'llama.cpp',
    ports: [8080],
    async recognise(backend) {
      const list = await backend.get('/v1/models');
      if (list.headers['server'] === 'llama.cpp') return true;
      // While it loads, every route answers so, the list too.
      const error = asObject(asObject(list.json)?.['error']);
      if (list.status === 503 && error?.['type'] === 'unavailable_error') return true;
      return entriesOf(list)?.some((entry) => entry['owned_by'] === 'llamacpp') ?? false;
    },
    openai: true,
  },
  {
    name: 'LM Studio',
    ports: [1234],
    async recognise(backend) {
      // A route that it does not have.
      const reply = await backend.get('/version');
      const error = asText(asObject(reply.json)?.['error']);
      return reply.status === 200 && (error?.startsWith('Unexpected endpoint') ?? false);
    },
    openai: true,
  },
  {
    name: 'SGLang',
    ports: [30000],
    async recognise(backend) {
      const info = asObject((await backend.get('/get_model_info')).json);
      return info !== undefined && ('is_generation' in info || 'model_path' in info);
    },
    openai: true,
  },
  {
    name: 'Text Embeddings Inference',
    ports: [3000, 8080],
    async recognise(backend) {
      const info = asObject((await backend.get('/info')).json);
      return (
        asText(info?.['model_id']) !== undefined && asObject(info?.['model_type']) !== undefined
      );
    },
    // Only /v1/embeddings: it has no list of models, and reranks in a shape of its own.
    openai: false,
  },
  {
    name: 'Infinity',
    ports: [7997],
    async recognise(backend) {
      const health = asObject((await backend.get('/health')).json);
      return typeof health?.['unix'] === 'number';
    },
    // Its routes have no /v1 unless it is told to.
    openai: false,
  },
  {
    name: 'OpenAI-compatible server',
    ports: [8000, 8080, 1234, 30000, 5000, 5001, 1337],
    async recognise(backend) {
      const list = await backend.get('/v1/models');
      return list.status === 200 && entriesOf(list) !== undefined;
    },
    openai: true,
  },
];
