import { bearer } from './auth.ts';
import { defineAdapter, type Backend, type ProbeResult } from './adapter.ts';
import { entriesOf, failureOf, modelOf, noList } from './catalogue.ts';
import { embeddings } from './embeddings.ts';
import { asObject, asText, type JsonObject } from './json.ts';
import { servicesOf } from './model-kinds.ts';
import { countTokens, messages, responses } from './other-dialects.ts';
import { rerank } from './rerank.ts';
import { speech } from './speech.ts';
import { transcription } from './transcription.ts';

/** OpenAI itself, and every server that speaks its dialect and has no adapter of its own. */
export const openai = defineAdapter({
  name: 'openai',
  ports: [],
  baseUrl: 'https://api.openai.com',
  cloud: true,
  auth: bearer,
  // Local servers of this kind mostly close at 5 s.
  keepAlive: 3000,
  operations: {
    chat: { path: '/v1/chat/completions', extras: ['file'] },
    completions: { path: '/v1/completions' },
    messages,
    countTokens,
    responses: { ...responses, keeps: true },
    embeddings,
    rerank,
    speech,
    transcriptions: transcription('/v1/audio/transcriptions'),
    translations: transcription('/v1/audio/translations'),
    // Untouched: gpt-image-* rejects `response_format`, and OpenAI's URLs can be reached.
    imageGenerations: { path: '/v1/images/generations' },
    imageEdits: { path: '/v1/images/edits' },
    imageVariations: { path: '/v1/images/variations' },
  },
  probe,
});

async function probe(backend: Backend): Promise<ProbeResult> {
  const path = '/v1/models';
  const reply = await backend.get(path);
  // Too many requests is an answer of a server that works.
  if (reply.status === 429) return { state: 'healthy' };
  // Some services have no list; their models stand in the config then. Only OpenAI's own words tell
  // them from any other web service.
  if (reply.status === 404 && asObject(asObject(reply.json)?.['error']))
    return { state: 'healthy' };
  const failure = failureOf(reply, path);
  if (failure) return failure;
  const models = entriesOf(reply)?.map((entry) => ({ ...modelOf(entry), ...more(entry) }));
  return models ? { state: 'healthy', models } : noList(path);
}

function more(entry: JsonObject) {
  const services = servicesOf(entry);
  // llama.cpp's router tells what it has in memory, and its other names.
  const status = asText(asObject(entry['status'])?.['value']);
  const names: unknown[] = Array.isArray(entry['aliases']) ? entry['aliases'] : [];
  const aliases = names.filter(
    (name): name is string => typeof name === 'string' && name !== entry['id'],
  );
  return {
    ...(services ? { services } : {}),
    ...(status === undefined ? {} : { loaded: status === 'loaded' }),
    ...(aliases.length > 0 ? { aliases } : {}),
  };
}
