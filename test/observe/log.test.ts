import { describe, expect, it } from 'vitest';
import { openLog, type LogFormat } from '../../src/observe/log.ts';
import type { Outcome } from '../../src/observe/outcome.ts';
import { attempt, outcome } from '../support/outcome.ts';

const AT = Date.UTC(2026, 7, 24, 9, 41, 7);

function logged(format: LogFormat, ...calls: Partial<Outcome>[]): string[] {
  let text = '';
  const log = openLog({ format, color: false, write: (more) => (text += more), now: () => AT });
  for (const call of calls) log.call(outcome(call));
  log.flush();
  return text.trimEnd().split('\n');
}

describe('the line of a call', () => {
  it('has its time, status, route, model and instance, durations and tokens a second', () => {
    const [line] = logged('text', {});
    expect(line).toMatch(
      /^\d\d:\d\d:07 {2}200 {3}\/v1\/chat\/completions {2}coder -> gpu\/Qwen\/Qwen3 {2}1\.2 s {2}first 200 ms {2}50\.0 tok\/s$/,
    );
  });

  it('marks tokens that nobody counted', () => {
    expect(logged('text', { usage: undefined, tokensGuessed: 60 })[0]).toContain('  ~60.0 tok/s');
  });

  it('says why it failed, after how many attempts', () => {
    const [line] = logged('text', {
      ending: 'error',
      status: 502,
      error: 'all are down',
      attempts: [attempt({ error: 'broken' }), attempt({ error: 'broken' })],
    });
    expect(line).toContain('502 ');
    expect(line).toMatch(/ {2}2 attempts {2}all are down$/);
  });

  it('tells a stream that was cut off, and after how many events', () => {
    const [line] = logged('text', { ending: 'broken', error: 'it broke off' });
    expect(line).toMatch(/ {2}cut {3}\/v1.* {2}after 60 events {2}it broke off$/);
  });

  it('tells a client that left', () => {
    expect(logged('text', { ending: 'aborted', status: undefined })[0]).toContain('  left  ');
  });

  it.each(['model', 'error', 'upstreamModel', 'path'] as const)(
    'can be neither forged nor made to steer the terminal: %s',
    (field) => {
      const lines = logged('text', { [field]: 'a\n09:41:08  200\r\u001b[2J\u009b2Jb' });
      expect(lines).toHaveLength(1);
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      expect(lines[0]).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    },
  );

  it('is one object for machines', () => {
    const lines = logged(
      'json',
      { attempts: [attempt()] },
      { usage: undefined, tokensGuessed: 60, model: 'a\nb' },
    );
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      time: '2026-08-24T09:41:07.000Z',
      level: 'info',
      message: 'call',
      path: '/v1/chat/completions',
      model: 'coder',
      instance: 'gpu',
      upstreamModel: 'Qwen/Qwen3',
      status: 200,
      durationMs: 1200,
      firstByteMs: 200,
      tokensPerSecond: 50,
      attempts: [{ instance: 'gpu', why: 'only candidate', startedAfterMs: 1, durationMs: 1199 }],
    });
    expect(JSON.parse(lines[1]!)).not.toHaveProperty('tokensPerSecond');
  });
});

describe('what else is said', () => {
  function said(format: LogFormat, message: string): string {
    let text = '';
    const log = openLog({ format, color: false, write: (more) => (text += more), now: () => AT });
    log.say('warn', message);
    log.show([`  ${message}`]);
    log.flush();
    return text;
  }

  it('keeps its lines below their first, and the terminal as it is', () => {
    const text = said('text', 'a\n09:00:00 info  b\u001b[2J');
    expect(text.split('\n')).toEqual([
      expect.stringMatching(/^\d\d:\d\d:07 warn {2}a$/),
      '               09:00:00 info  b [2J',
      '  a 09:00:00 info  b [2J',
      '',
    ]);
  });

  it('is objects for machines', () => {
    const lines = said('json', 'a\nb').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { time: '2026-08-24T09:41:07.000Z', level: 'warn', message: 'a\nb' },
      { time: '2026-08-24T09:41:07.000Z', level: 'info', message: 'a\nb' },
    ]);
  });
});
