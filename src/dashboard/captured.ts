import { createHash } from 'node:crypto';
import { formatBytes } from '../format.ts';
import type { CapturedBody } from '../observe/status.ts';
import { readAnswer, type AnswerText } from './answer-text.ts';

/** What a captured answer says. Of sounds and other bytes, what they are and by what to know them again. */
export function answerOf(body: CapturedBody): AnswerText {
  const type = contentType(body);
  if (body.text !== undefined) return readAnswer(body.text, type);
  const hash = createHash('sha256').update(Buffer.from(body.base64 ?? '', 'base64'));
  const text = [
    type || 'bytes',
    formatBytes(body.bytes),
    `SHA-256 ${hash.digest('hex').slice(0, 16)}`,
  ];
  return {
    text: text.join('\n'),
    tokensIn: undefined,
    tokensOut: undefined,
    finish: undefined,
  };
}

/** Whether an answer came piece by piece, so that its words have to be put together. */
export function isInPieces(body: CapturedBody): boolean {
  return /event-stream|ndjson/.test(contentType(body));
}

function contentType({ headers }: CapturedBody): string {
  const entry = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type');
  return entry?.[1] ?? '';
}
