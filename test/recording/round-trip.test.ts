import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askedIn } from '../../src/recording/asked.ts';
import { chunkBytes, bytesOf } from '../../src/recording/bytes.ts';
import { writeJson } from '../../src/recording/json-layout.ts';
import { readRecording } from '../../src/recording/read.ts';
import { recordingOf, recordingText } from '../../src/recording/record.ts';
import type { Recording } from '../../src/recording/recording.ts';
import { outcome } from '../support/outcome.ts';

/** A call with these bodies, written into a file and read again. */
function written(request: readonly Buffer[], answer: readonly Buffer[], type: string): Recording {
  const tape = (headers: Record<string, string>, chunks: readonly Buffer[]) => ({
    headers,
    chunks,
    times: chunks.map((_, index) => index * 1.25),
    bytes: chunks.reduce((sum, { length }) => sum + length, 0),
  });
  const call = {
    outcome: outcome(),
    method: 'POST',
    path: '/v1/chat/completions',
    tape: {
      request: tape({ 'content-type': 'application/json' }, request),
      answer: { ...tape({ 'content-type': type }, answer), ended: true },
    },
  };
  return readRecording(recordingText(recordingOf(call, (text) => text)));
}

const json = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue());
const layout = fc.record({
  spaces: fc.constantFrom(undefined, 'loose' as const, 2),
  escapes: fc.constantFrom(undefined, 'html' as const, 'ascii' as const),
  end: fc.constantFrom(undefined, '\n'),
});
const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
const text = fc.string({ unit: 'binary', maxLength: 60 }).map((string) => Buffer.from(string));

describe('what is written and read again', () => {
  it('is the same answer, byte for byte', () => {
    const body = fc.oneof(
      bytes,
      text,
      fc.tuple(json, layout).map(([value, how]) => Buffer.from(writeJson(value, how))),
    );
    fc.assert(
      fc.property(body, fc.nat(60), (whole, cut) => {
        const chunks = [whole.subarray(0, cut), whole.subarray(cut)].filter(
          ({ length }) => length > 0,
        );
        const { response } = written([Buffer.from('{}')], chunks, 'application/json');
        expect(bytesOf(response!).bytes.equals(whole)).toBe(true);
      }),
    );
  });

  it('is the same stream, piece by piece', () => {
    const pieces = fc.array(fc.oneof(bytes, text), { maxLength: 6 });
    fc.assert(
      fc.property(pieces, (chunks) => {
        const { response } = written([Buffer.from('{}')], chunks, 'text/event-stream');
        const events = response!.events!;
        expect(events.map((event) => chunkBytes(event).toString('hex'))).toEqual(
          chunks.map((chunk) => chunk.toString('hex')),
        );
        expect(events.map(({ at }) => at)).toEqual(
          chunks.map((_, index) => Math.round(index * 12.5) / 10),
        );
      }),
    );
  });

  it('has the same number, however large', () => {
    const sent = Buffer.from('{"model":"m", "seed": 12345678901234567890}');
    const { request } = written([sent], [], 'application/json');
    expect(bytesOf(request).bytes.equals(sent)).toBe(true);
    expect(askedIn('chat', request)!.fields).toHaveProperty('seed');
  });

  it('is the same request, as far as it says something', () => {
    fc.assert(
      fc.property(json, (value) => {
        const sent = Buffer.from(JSON.stringify(value));
        const { request } = written([sent], [], 'application/json');
        expect(JSON.parse(bytesOf(request).bytes.toString())).toEqual(JSON.parse(sent.toString()));
      }),
    );
  });
});
