import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderSrt, renderVtt } from '../../src/adapters/subtitles.ts';

const cues = [
  { start: 0, end: 2.4, text: ' Hello world.' },
  { start: 3661.0004, end: 3662.9996, text: 'Bye.' },
];

describe('subtitles', () => {
  it('are SubRip', () => {
    expect(renderSrt(cues)).toBe(
      '1\n00:00:00,000 --> 00:00:02,400\nHello world.\n\n' +
        '2\n01:01:01,000 --> 01:01:03,000\nBye.\n\n',
    );
  });

  it('are WebVTT', () => {
    expect(renderVtt(cues)).toBe(
      'WEBVTT\n\n00:00:00.000 --> 00:00:02.400\nHello world.\n\n' +
        '01:01:01.000 --> 01:01:03.000\nBye.\n\n',
    );
    expect(renderVtt([])).toBe('WEBVTT\n\n');
  });

  it('tell every time to the millisecond', () => {
    const time = fc.double({ min: 0, max: 400_000, noNaN: true });
    fc.assert(
      fc.property(time, (seconds) => {
        const text = renderSrt([{ start: seconds, end: seconds, text: 'x' }]);
        const [, hours, minutes, rest, ms] = /(\d{2,}):([0-5]\d):([0-5]\d),(\d{3}) -->/.exec(text)!;
        const read = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest) + Number(ms) / 1000;
        expect(Math.abs(read - seconds)).toBeLessThanOrEqual(0.000_501);
      }),
    );
  });

  it('stay one cue, whatever the text', () => {
    const text = ' one\r\n\r\n\n 5 --> 6 \n\n two ';
    expect(renderSrt([{ start: -1, end: Number.NaN, text }])).toBe(
      '1\n00:00:00,000 --> 00:00:00,000\none\n 5 -> 6 \n two\n\n',
    );
  });
});
