import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventCutter, glance, parseEvents, renderEvent } from '../../src/http/event-stream.ts';

const STREAM =
  ': ping\n\ndata: {"a":"é"}\n\nevent: error\r\ndata: x\r\n\r\ndata:1\ndata:2\n\ndata: [DONE]\n\n';

/** Cuts bytes at the given places. */
function chunks(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set([0, ...cuts.map((cut) => cut % bytes.length), bytes.length])];
  places.sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

describe('reading events', () => {
  it('knows all line ends, comments, names and data of several lines', () => {
    expect(parseEvents(Buffer.from(STREAM)).map(({ event, data }) => ({ event, data }))).toEqual([
      { event: undefined, data: '{"a":"é"}' },
      { event: 'error', data: 'x' },
      { event: undefined, data: '1\n2' },
      { event: undefined, data: '[DONE]' },
    ]);
  });

  it('says where each event lies', () => {
    const bytes = Buffer.from(STREAM);
    const [first] = parseEvents(bytes);
    expect(bytes.toString('utf8', first!.start, first!.end)).toBe('data: {"a":"é"}\n\n');
  });

  it('reads the `error:` field of older llama.cpp servers as an error event', () => {
    expect(parseEvents(Buffer.from('error: {"code":500}\n\n'))).toMatchObject([
      { event: 'error', data: '{"code":500}' },
    ]);
  });

  it('reads lines that end with a bare CR', () => {
    expect(parseEvents(Buffer.from('data: a\r\rdata: b\r\r')).map(({ data }) => data)).toEqual([
      'a',
      'b',
    ]);
  });

  it('gets back what was rendered', () => {
    const line = fc.string().map((text) => text.replace(/[\r\n]/g, ''));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), (lines) => {
        const data = lines.join('\n');
        const rendered = Buffer.from(renderEvent({ event: 'e', data }));
        expect(parseEvents(rendered)).toMatchObject([{ event: 'e', data }]);
        expect(glance(rendered).events).toBeGreaterThan(0);
      }),
    );
  });
});

describe('cutting a stream after whole events', () => {
  it('gives every byte back, never half an event, however the bytes come', () => {
    const bytes = Buffer.from(STREAM.repeat(3));
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        const cutter = new EventCutter();
        const pieces = chunks(bytes, cuts).flatMap((chunk) => cutter.push(chunk) ?? []);
        for (const piece of pieces) expect(piece.toString()).toMatch(/(\n\n|\r\n\r\n)$/);
        expect(Buffer.concat([...pieces, cutter.rest() ?? Buffer.alloc(0)]).equals(bytes)).toBe(
          true,
        );
      }),
    );
  });

  it('finds an empty line that lies across two chunks', () => {
    const cutter = new EventCutter();
    const pieces = ['data: a\r\n', '\r', '\ndata: b\n', '\n'].map((text) =>
      cutter.push(Buffer.from(text))?.toString(),
    );
    expect(pieces).toEqual([undefined, undefined, 'data: a\r\n\r\n', 'data: b\n\n']);
  });

  it('does not copy a chunk that ends with its event', () => {
    const chunk = Buffer.from('data: 1\n\n');
    expect(new EventCutter().push(chunk)).toBe(chunk);
  });
});
