import type { Call } from './call.ts';
import { MockError } from './error.ts';
import { record, requiredText, wholeNumber } from './fields.ts';
import { tokens, words } from './prose.ts';

/** `POST /v1/rerank`, in Jina's shape: a document's score is its share of the query's words. */
export async function rerank(call: Call): Promise<void> {
  const query = requiredText(call.fields, 'query');
  const documents = readDocuments(call.fields['documents']);
  const top = wholeNumber(call.fields, 'top_n', { min: 1, max: Number.MAX_SAFE_INTEGER });
  const withDocuments = call.fields['return_documents'] !== false;
  await call.pace.first();
  const results = documents
    .map((text, index) => ({
      index,
      relevance_score: relevance(query, text),
      ...(withDocuments && { document: { text } }),
    }))
    .sort((one, other) => other.relevance_score - one.relevance_score || one.index - other.index)
    .slice(0, top);
  const used = [query, ...documents].reduce((sum, text) => sum + tokens(text).length, 0);
  call.reply.json({
    id: call.id('rerank'),
    model: call.model,
    object: 'list',
    usage: { prompt_tokens: used, total_tokens: used },
    results,
  });
}

/** @returns 0 to 1: mostly how much of the query is found, a little how much else there is. */
function relevance(query: string, text: string): number {
  const wanted = new Set(words(query));
  const found = new Set(words(text));
  if (wanted.size === 0 || found.size === 0) return 0;
  const shared = [...wanted].filter((word) => found.has(word)).length;
  const score = 0.9 * (shared / wanted.size) + 0.1 * (shared / found.size);
  return Number(score.toFixed(6));
}

function readDocuments(documents: unknown): readonly string[] {
  if (Array.isArray(documents) && documents.length > 0) {
    const texts = (documents as unknown[]).map((one) =>
      typeof one === 'string' ? one : record(one)['text'],
    );
    if (texts.every((text) => typeof text === 'string')) return texts;
  }
  throw new MockError(400, "'documents' must be a list of strings or of objects with a 'text'.", {
    param: 'documents',
    code: 'invalid_value',
  });
}
