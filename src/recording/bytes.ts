import { randomBytes } from 'node:crypto';
import { renderForm } from '../adapters/multipart.ts';
import { writeJson } from './json-layout.ts';
import type { RecordedBody, RecordedChunk } from './recording.ts';

/** The bytes of a recorded body, and the content type where they need one of their own. */
export function bytesOf(body: RecordedBody): { bytes: Buffer; contentType?: string } {
  if (body.form) {
    const boundary = `jairouter-${randomBytes(12).toString('hex')}`;
    const parts = body.form.map(({ name, filename, contentType, ...data }) => ({
      name,
      ...(filename !== undefined && { filename }),
      ...(contentType !== undefined && { contentType }),
      data: chunkBytes(data),
    }));
    return {
      bytes: Buffer.concat(renderForm({ boundary, parts })),
      contentType: `multipart/form-data; boundary=${boundary}`,
    };
  }
  if (body.json !== undefined) return { bytes: Buffer.from(writeJson(body.json, body.layout)) };
  if (body.events) return { bytes: Buffer.concat(body.events.map(chunkBytes)) };
  return { bytes: chunkBytes(body) };
}

export function chunkBytes({ text, base64 }: Pick<RecordedChunk, 'text' | 'base64'>): Buffer {
  return base64 === undefined ? Buffer.from(text ?? '') : Buffer.from(base64, 'base64');
}
