import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askedIn, askedOf, keyOf, type Asked } from '../../src/recording/asked.ts';
import type { RecordedRequest } from '../../src/recording/recording.ts';
import { reversed } from '../support/recordings.ts';

const call = { operation: 'chat', stream: false, model: 'm' } as const;

function asked(fields: object): Asked {
  return askedOf(call, { fields: fields as Record<string, unknown> });
}

describe('what a call asks for', () => {
  it('is the same in another order of keys, and through a recording', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (fields) => {
        const key = keyOf(asked(fields));
        expect(keyOf(asked(reversed(fields) as object))).toBe(key);
        const json: unknown = JSON.parse(JSON.stringify(fields));
        const request = { model: 'm', stream: false, json } as RecordedRequest;
        expect(keyOf(askedIn('chat', request)!)).toBe(key);
      }),
    );
  });

  it('does not change with what only tells who asks, and how to send it', () => {
    const messages = [{ role: 'user', content: 'Hi' }];
    const key = keyOf(asked({ model: 'm', messages }));
    const idle = { user: 'me', metadata: { a: 1 }, stream_options: {}, stream: false, tools: null };
    expect(keyOf(asked({ messages, ...idle }))).toBe(key);
    for (const other of [{ temperature: 0 }, { tools: [] }, { messages: [] }])
      expect(keyOf(asked({ messages, ...other }))).not.toBe(key);
    expect(keyOf({ ...asked({ messages }), model: 'n' })).not.toBe(key);
    expect(keyOf({ ...asked({ messages }), stream: true })).not.toBe(key);
    expect(keyOf({ ...asked({ messages }), operation: 'messages' })).not.toBe(key);
  });

  it('of a form is what is in it, whatever its files are called', () => {
    const form = (filename: string, bytes: string) =>
      askedOf(call, {
        fields: {},
        form: [
          { name: 'language', data: Buffer.from('de') },
          { name: 'file', filename, data: Buffer.from(bytes) },
        ],
      });
    expect(keyOf(form('a.mp3', 'x'))).toBe(keyOf(form('b.wav', 'x')));
    expect(keyOf(form('a.mp3', 'x'))).not.toBe(keyOf(form('a.mp3', 'y')));
    const request = {
      model: 'm',
      stream: false,
      form: [
        { name: 'file', filename: 'c.ogg', base64: Buffer.from('x').toString('base64') },
        { name: 'language', text: 'de' },
      ],
    } as unknown as RecordedRequest;
    expect(keyOf(askedIn('chat', request)!)).toBe(keyOf(form('a.mp3', 'x')));
  });

  it('of Ollama’s API is a stream unless it is none', () => {
    const request = (json: object) => ({ model: 'm', stream: false, json }) as RecordedRequest;
    expect(askedIn('ollamaChat', request({}))!.stream).toBe(true);
    expect(askedIn('ollamaChat', request({ stream: false }))!.stream).toBe(false);
    expect(askedIn('chat', request({}))!.stream).toBe(false);
  });
});
