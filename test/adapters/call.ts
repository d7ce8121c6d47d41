import type { AdapterCall, FormPart, ServerEvent } from '../../src/adapters/adapter.ts';
import type { Operation } from '../../src/service.ts';
import type { SamplePart, WireSample } from '../support/wire-samples.ts';

/** A call with a JSON body. */
export function jsonCall(
  operation: Operation,
  fields: Readonly<Record<string, unknown>>,
): AdapterCall {
  const stream = fields['stream'] === true || fields['stream_format'] === 'sse';
  return { operation, model: (fields['model'] ?? 'm') as string, fields, stream };
}

/** A call with a form. */
export function formCall(operation: Operation, parts: readonly SamplePart[]): AdapterCall {
  const form = parts.map(toPart);
  const texts = parts.filter((part) => part.value !== undefined);
  const fields = Object.fromEntries(texts.map(({ name, value }) => [name, value]));
  const stream = fields['stream'] === 'true';
  return { operation, model: fields['model'] ?? 'm', fields, stream, form };
}

/** The call that a client's request would be, were it the sample's. */
export function callOf(operation: Operation, { request }: WireSample): AdapterCall {
  const parts = request.body?._multipart;
  return parts ? formCall(operation, parts) : jsonCall(operation, request.body ?? {});
}

function toPart({ name, value, filename, contentType, base64 }: SamplePart): FormPart {
  return {
    name,
    ...(filename === undefined ? {} : { filename }),
    ...(contentType === undefined ? {} : { contentType }),
    data: base64 === undefined ? Buffer.from(value ?? '') : Buffer.from(base64, 'base64'),
  };
}

/** The events of a stream, comments left out. */
export function eventsOf(stream: string): readonly ServerEvent[] {
  return stream.split(/(?:\r?\n){2}/).flatMap((block) => {
    const lines = block.split(/\r?\n/);
    const after = (field: string) =>
      lines
        .filter((line) => line.startsWith(`${field}: `))
        .map((line) => line.slice(field.length + 2));
    const [event] = after('event');
    const data = after('data');
    if (data.length === 0) return [];
    return [{ ...(event === undefined ? {} : { event }), data: data.join('\n') }];
  });
}
