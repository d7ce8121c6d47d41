import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formFields, MalformedForm, parseForm, patchForm } from '../../src/adapters/multipart.ts';

const TYPE = 'multipart/form-data; boundary=XX';

function form(...parts: string[]): Buffer {
  return Buffer.from(`${parts.map((part) => `--XX\r\n${part}\r\n`).join('')}--XX--\r\n`, 'latin1');
}

const MODEL = 'Content-Disposition: form-data; name="model"\r\n\r\nwhisper';
const FILE =
  'content-disposition: form-data; name="file"; filename="a \\"b\\".wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n--X\0\xff';

describe('a multipart form', () => {
  it('gives its parts in order, with names, file names, types and untouched contents', () => {
    const { parts } = parseForm(form(MODEL, FILE), TYPE);
    expect(
      parts.map(({ name, filename, contentType }) => ({ name, filename, contentType })),
    ).toEqual([
      { name: 'model', filename: undefined, contentType: undefined },
      { name: 'file', filename: 'a "b".wav', contentType: 'audio/wav' },
    ]);
    expect(parts[1]!.data.toString('latin1')).toBe('RIFF\r\n--X\0\xff');
  });

  it('copies nothing: file contents are views of the body', () => {
    const body = form(MODEL, FILE);
    expect(parseForm(body, TYPE).parts[1]!.data.buffer).toBe(body.buffer);
  });

  it('reads a quoted boundary, a preamble and white space after a boundary', () => {
    const body = Buffer.from(`ignored\r\n--X X  \r\n${MODEL}\r\n--X X--`);
    expect(formFields(parseForm(body, 'multipart/form-data; boundary="X X"'))).toEqual({
      model: 'whisper',
    });
  });

  it('is not cut by a line of a file that only begins like its boundary', () => {
    const file = 'Content-Disposition: form-data; name="f"; filename="f"\r\n\r\na\r\n--XXY\r\nb';
    const { parts } = parseForm(form(file, MODEL), TYPE);
    expect(parts[0]!.data.toString()).toBe('a\r\n--XXY\r\nb');
    expect(parts).toHaveLength(2);
  });

  it('takes the last of repeated text fields, and no file for a field', () => {
    const again = 'Content-Disposition: form-data; name="model"\r\n\r\nother';
    expect(formFields(parseForm(form(MODEL, FILE, again), TYPE))).toEqual({ model: 'other' });
  });

  it.each([
    ['no boundary in its type', form(MODEL), 'multipart/form-data'],
    ['no closing boundary', Buffer.from(`--XX\r\n${MODEL}\r\n`), TYPE],
    ['another boundary', form(MODEL), 'multipart/form-data; boundary=YY'],
    ['a part without a name', form('Content-Type: text/plain\r\n\r\nx'), TYPE],
    ['a part without an end of its head', form('Content-Disposition: form-data; name="a"'), TYPE],
    ['nothing', Buffer.alloc(0), TYPE],
  ])('is refused with %s', (_, body, type) => {
    expect(() => parseForm(body, type)).toThrow(MalformedForm);
  });

  it('keeps order, repeated fields and file bytes when one text field changes', () => {
    const body = form(FILE, MODEL, FILE.replace('"file"', '"image[]"'));
    const pieces = patchForm(parseForm(body, TYPE), { set: { model: 'large-v3' } });
    expect(Buffer.concat(pieces).toString('latin1')).toBe(
      body.toString('latin1').replace('whisper', 'large-v3'),
    );
  });

  it('writes a part anew that an adapter has changed', () => {
    const read = parseForm(form(MODEL, FILE), TYPE);
    const pieces = patchForm(read, {
      parts: (parts) => parts.map((part) => (part.filename ? { ...part, name: 'image' } : part)),
      set: { response_format: 'b64_json' },
    });
    const again = parseForm(Buffer.concat(pieces), TYPE);
    expect(again.parts.map(({ name }) => name)).toEqual(['model', 'image', 'response_format']);
    expect(again.parts[1]).toMatchObject({ filename: 'a %22b%22.wav', contentType: 'audio/wav' });
    expect(again.parts[1]!.data.equals(read.parts[1]!.data)).toBe(true);
  });

  it('comes back the same after any change of fields, whatever the file holds', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), (file, value) => {
        const data = Buffer.from(file);
        fc.pre(!data.includes('\r\n--XX'));
        const body = Buffer.concat([
          Buffer.from('--XX\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'),
          data,
          Buffer.from('\r\n--XX--\r\n'),
        ]);
        const pieces = patchForm(parseForm(body, TYPE), { set: { model: value } });
        const again = parseForm(Buffer.concat(pieces), TYPE);
        fc.pre(!value.includes('\r\n--XX'));
        expect(again.parts[0]!.data.equals(data)).toBe(true);
        expect(formFields(again)).toEqual({ model: Buffer.from(value).toString() });
      }),
    );
  });
});
