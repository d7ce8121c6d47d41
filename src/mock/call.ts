import type { IncomingMessage } from 'node:http';
import type { Operation } from '../service.ts';
import { MockError } from './error.ts';
import type { Fields } from './fields.ts';
import type { Pace, Speed } from './pace.ts';
import type { Player } from './player.ts';
import type { Reply } from './reply.ts';

export interface Upload {
  /** The form field it came in. */
  readonly field: string;
  readonly filename: string;
  readonly data: Buffer;
}

/** One call as an operation of the mock sees it. */
export interface Call {
  readonly operation: Operation;
  readonly model: string;
  readonly fields: Fields;
  readonly files: readonly Upload[];
  /** Unix seconds. */
  readonly created: number;
  /** A new identifier with that prefix. */
  readonly id: (prefix: string) => string;
  readonly pace: Pace;
  /** The pace of a turn that has one of its own. */
  readonly repace: (speed: Partial<Speed>) => Pace;
  /** What is to be said, where that was told. */
  readonly script: Player | undefined;
  readonly reply: Reply;
}

const MAX_BODY = 256 * 1024 * 1024;

/**
 * Reads a JSON body or a form.
 * @throws MockError 400 when it is neither, 413 above 256 MB.
 */
export async function readBody(
  req: IncomingMessage,
): Promise<{ fields: Fields; files: readonly Upload[] }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) {
      throw new MockError(413, 'The body is larger than the 256 MB that the mock takes.', {
        code: 'request_too_large',
      });
    }
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const contentType = req.headers['content-type'] ?? '';
  return /^multipart\/form-data\b/i.test(contentType)
    ? readForm(body, contentType)
    : { fields: readJson(body), files: [] };
}

function readJson(body: Buffer): Fields {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new MockError(400, `The body is not valid JSON: ${(error as Error).message}`, {
      code: 'invalid_json',
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MockError(400, 'The body must be a JSON object.', { code: 'invalid_json' });
  }
  return value as Fields;
}

async function readForm(
  body: Buffer,
  contentType: string,
): Promise<{ fields: Fields; files: readonly Upload[] }> {
  let form: FormData;
  try {
    form = await new Response(body, { headers: { 'content-type': contentType } }).formData();
  } catch {
    // What the parser says names its own internals only.
    throw new MockError(400, 'The body is not valid multipart/form-data.', {
      code: 'invalid_multipart',
    });
  }
  const fields: Record<string, unknown> = {};
  const files: Upload[] = [];
  for (const [name, value] of form) {
    if (typeof value !== 'string') {
      const data = Buffer.from(await value.arrayBuffer());
      files.push({ field: name, filename: value.name, data });
    } else if (name.endsWith('[]')) {
      const key = name.slice(0, -2);
      const before = fields[key];
      fields[key] = Array.isArray(before) ? [...(before as unknown[]), value] : [value];
    } else {
      fields[name] = value;
    }
  }
  return { fields, files };
}
