import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { curlFor } from '../../src/dashboard/curl.ts';
import { contentOf } from '../../src/observe/capture.ts';
import { call, capturedText } from '../support/fake-feed.ts';

const TEXT = `{"model":"coder","messages":[{"content":"Why's $HOME \`blue\`?\\n"}]}`;
const request = capturedText(TEXT, {
  headers: {
    'Content-Type': 'application/json',
    authorization: 'Bearer sk-…b3f',
    'user-agent': 'openai-node',
    'anthropic-version': '2023-06-01',
  },
});

describe('a call as a command', () => {
  it('has what makes the call, and no secret', () => {
    const { command, remark } = curlFor(call(1, { key: 'me' }), {
      url: 'http://127.0.0.1:4747',
      request,
    });
    expect(command.split(' \\\n  ')).toEqual([
      `curl 'http://127.0.0.1:4747/v1/chat/completions'`,
      '--no-buffer',
      `-H 'Content-Type: application/json'`,
      `-H 'anthropic-version: 2023-06-01'`,
      '-H "authorization: Bearer $JAIROUTER_KEY"',
      `--data-binary '{"model":"coder","messages":[{"content":"Why'\\''s $HOME \`blue\`?\\n"}]}'`,
    ]);
    expect(remark).toBe('Set JAIROUTER_KEY to the key named me.');
  });

  it.skipIf(process.platform === 'win32')('reaches curl as it was, through a shell', () => {
    const { command } = curlFor(call(1), { url: 'http://127.0.0.1:4747', request });
    const said = execFileSync('sh', ['-c', command.replace(/^curl/, `printf '%s\\0'`)], {
      encoding: 'utf8',
    });
    expect(said.split('\0')).toContain(TEXT);
  });

  it.skipIf(process.platform === 'win32').each([
    ['bytes', Buffer.from([0, 0xff, 0x0a, 0x27, 0x80])],
    [
      'a form',
      Buffer.from('--X\r\ncontent-disposition: form-data; name="model"\r\n\r\nm\r\n--X--\r\n'),
    ],
    ['a text that is too long for an argument', Buffer.from(`'${'ü'.repeat(60_000)}\n`)],
  ])('hands curl %s on its standard input', (_, body) => {
    const { command } = curlFor(call(1), {
      url: 'http://127.0.0.1:4747',
      request: { headers: {}, bytes: body.length, truncated: false, ...contentOf(body) },
    });
    expect(command).toMatch(/--data-binary @-$/);
    const said = execFileSync('sh', ['-s'], { input: command.replace('curl ', 'cat; : ') });
    expect(said).toEqual(body);
  });

  it('says when it is not whole', () => {
    const url = 'http://127.0.0.1:4747';
    expect(curlFor(call(1), { url, request: undefined }).remark).toContain('not captured');
    const cut = { ...request, truncated: true };
    expect(curlFor(call(1), { url, request: cut }).remark).toContain('too long');
    expect(curlFor(call(1), { url, request }).remark).toBeUndefined();
  });
});
