import type { FormPart, RequestPatch } from './adapter.ts';

/**
 * A part's exact bytes in the request, head and data. Kept by identity, so that a part which an
 * adapter copied and changed is written anew.
 */
const rawBytes = new WeakMap<FormPart, Buffer>();

export interface Form {
  readonly boundary: string;
  readonly parts: readonly FormPart[];
}

/** The body is not the multipart form that its content type announces; the message says how. */
export class MalformedForm extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedForm';
  }
}

/**
 * Reads a multipart form; the parts are views of `body`, nothing is copied.
 * @throws MalformedForm
 */
export function parseForm(body: Buffer, contentType: string): Form {
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType);
  const name = boundary?.[1] ?? boundary?.[2];
  if (name === undefined) throw new MalformedForm('its content-type has no boundary');
  const delimiter = Buffer.from(`\r\n--${name}`);
  const parts: FormPart[] = [];
  // The first delimiter may stand at the very start, without the line end before it.
  let at = body.subarray(0, delimiter.length - 2).equals(delimiter.subarray(2))
    ? delimiter.length - 2
    : skipPast(body, delimiter, 0);
  for (;;) {
    if (at < 0) throw new MalformedForm('its boundary does not occur where it should');
    if (body[at] === 0x2d && body[at + 1] === 0x2d) return { boundary: name, parts };
    const lineEnd = body.indexOf('\r\n', at);
    const next = lineEnd < 0 ? -1 : findDelimiter(body, delimiter, lineEnd);
    if (next < 0) throw new MalformedForm('it ends before its closing boundary');
    parts.push(parsePart(body.subarray(lineEnd + 2, next)));
    at = next + delimiter.length;
  }
}

/** A line that only begins like the delimiter is a file's own. */
function findDelimiter(body: Buffer, delimiter: Buffer, from: number): number {
  for (let at = body.indexOf(delimiter, from); at >= 0; at = body.indexOf(delimiter, at + 1)) {
    const after = body.toString('latin1', at + delimiter.length, at + delimiter.length + 2);
    if (/^(\r\n|--|[ \t])/.test(after)) return at;
  }
  return -1;
}

function skipPast(body: Buffer, delimiter: Buffer, from: number): number {
  const at = findDelimiter(body, delimiter, from);
  return at < 0 ? -1 : at + delimiter.length;
}

function parsePart(raw: Buffer): FormPart {
  const headEnd = raw.indexOf('\r\n\r\n');
  if (headEnd < 0) throw new MalformedForm('a part has no empty line after its head');
  const head = raw.toString('utf8', 0, headEnd);
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? '';
  const name = parameter(disposition, 'name');
  if (name === undefined) throw new MalformedForm('a part has no name');
  const filename = parameter(disposition, 'filename') ?? parameter(disposition, 'filename\\*');
  const contentType = /^content-type:[ \t]*(.*?)\s*$/im.exec(head)?.[1];
  const part: FormPart = {
    name,
    ...(filename === undefined ? {} : { filename }),
    ...(contentType === undefined ? {} : { contentType }),
    data: raw.subarray(headEnd + 4),
  };
  rawBytes.set(part, raw);
  return part;
}

function parameter(disposition: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;]+))`, 'i').exec(
    disposition,
  );
  return match?.[1]?.replace(/\\(["\\])/g, '$1') ?? match?.[2];
}

/** The form's text fields; of a repeated one, the last. */
export function formFields(form: Form): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const part of form.parts) {
    if (part.filename === undefined) fields[part.name] = part.data.toString('utf8');
  }
  return fields;
}

/**
 * Writes the form anew with a patch applied: parts that are the same object as before keep their
 * exact bytes and their order.
 * @returns The pieces of the new body, in order; file contents are views of the old one.
 */
export function patchForm(form: Form, patch: RequestPatch): readonly Buffer[] {
  const set = new Map(Object.entries(patch.set ?? {}));
  const remove = new Set(patch.remove);
  const missing = new Map(set);
  const kept: FormPart[] = [];
  for (const part of patch.parts?.(form.parts) ?? form.parts) {
    if (remove.has(part.name)) continue;
    if (set.has(part.name) && part.filename === undefined) {
      kept.push(textPart(part.name, set.get(part.name)));
      missing.delete(part.name);
    } else {
      kept.push(part);
    }
  }
  for (const [name, value] of missing) kept.push(textPart(name, value));

  return renderForm({ boundary: form.boundary, parts: kept });
}

/** @returns The pieces of a form's body, in order; parts that were read from one keep their bytes. */
export function renderForm({ boundary, parts }: Form): readonly Buffer[] {
  const pieces: Buffer[] = [];
  const opening = Buffer.from(`--${boundary}\r\n`);
  const lineEnd = Buffer.from('\r\n');
  for (const part of parts) {
    pieces.push(opening);
    const raw = rawBytes.get(part);
    if (raw) pieces.push(raw, lineEnd);
    else pieces.push(partHead(part), part.data, lineEnd);
  }
  pieces.push(Buffer.from(`--${boundary}--\r\n`));
  return pieces;
}

function textPart(name: string, value: unknown): FormPart {
  return { name, data: Buffer.from(String(value)) };
}

function partHead({ name, filename, contentType }: FormPart): Buffer {
  const quoted = (text: string) => `"${text.replace(/["\r\n]/g, encodeURIComponent)}"`;
  const file = filename === undefined ? '' : `; filename=${quoted(filename)}`;
  const type = contentType === undefined ? '' : `\r\nContent-Type: ${contentType}`;
  return Buffer.from(`Content-Disposition: form-data; name=${quoted(name)}${file}${type}\r\n\r\n`);
}
