import { describe, expect, it } from 'vitest';
import { maskedSecrets, maskText, restoreSecrets } from '../../../src/config/edit/mask-text.ts';

const TEXT = `server:
  adminToken: 'geheim' # not for all
  apiKeys:
    - { name: me, key: abc }
    - { name: you, key: "\${YOUR_KEY}" }
instances:
  a:
    adapter: openai
    apiKey: sk-1
    headers: { x-team: red }
    proxy: http://user:pass@proxy:3128
`;
const MASKED = TEXT.replace(`'geheim'`, '"***"')
  .replace('abc', '"***"')
  .replace('sk-1', '"***"')
  .replace('red', '"***"')
  .replace('http://user:pass@proxy:3128', '"http://***@proxy:3128"');

describe('a config for other eyes', () => {
  it('has no secret in it, but their variables', () => {
    expect(maskText(TEXT)).toBe(MASKED);
  });

  it('hides them in JSON, and in what can’t be parsed to its end', () => {
    expect(maskText('{"instances":{"a":{"apiKey":"sk-1","adapter":"x"}}}')).toBe(
      '{"instances":{"a":{"apiKey":"***","adapter":"x"}}}',
    );
    expect(maskText('instances:\n  a: { apiKey: sk-1 }\n  b: [\n')).not.toContain('sk-1');
  });

  it.each([
    ['  # apiKey: sk-1 (old)', '  # apiKey: "***"'],
    ['a: 1 # or api_key: "sk-1", perhaps', 'a: 1 # or api_key: "***", perhaps'],
    ['# - { name: me, key: sk-1 }', '# - { name: me, key: "***" }'],
    ['#  headers: { authorization: Bearer sk-1 }', '#  headers: { authorization: "***" }'],
    ['# proxy: http://me:sk-1@proxy', '# proxy: http://***@proxy'],
    ['apiKey: sk-1', 'apiKey: "***"'],
    ['instances: { a: { apiKey: "sk-1', 'instances: { a: { apiKey: "***"'],
    ["a: {\nadminToken: 'sk-1", 'a: {\nadminToken: "***"'],
    ['# apiKey: ${MY_KEY}', '# apiKey: ${MY_KEY}'],
    ['# apiKey:', '# apiKey:'],
    ['defaults: { loadBalance: { key: user } }', 'defaults: { loadBalance: { key: user } }'],
  ])('hides what is written after their names, wherever that is: %s', (text, masked) => {
    expect(maskText(text)).toBe(masked);
  });
});

describe('one that comes back', () => {
  it('gets its secrets again, as they were written', () => {
    expect(restoreSecrets(MASKED, TEXT)).toBe(TEXT);
  });

  it('gets them in its comments again, where the line is as it was', () => {
    const own = `${TEXT}# apiKey: sk-2\n# c\n  # apiKey: sk-3\n# apiKey: sk-4\n`;
    const shown = maskText(own);
    expect(shown).not.toMatch(/sk-\d/);
    expect(restoreSecrets(shown, own)).toBe(own);
    expect(restoreSecrets(shown.replace('# c\n', '# d\n'), own)).toBe(own.replace('# c', '# d'));
  });

  it('keeps those that are new, and finds an API key by its name', () => {
    const changed = MASKED.replace('    - { name: me, key: "***" }\n', '')
      .replace('key: "${YOUR_KEY}" }', 'key: new }\n    - { name: me, key: "***" }')
      .replace('apiKey: "***"', 'apiKey: sk-2');
    const restored = restoreSecrets(changed, TEXT);
    expect(restored).toContain('{ name: you, key: new }\n    - { name: me, key: abc }');
    expect(restored).toContain('apiKey: sk-2');
  });

  it('is told which of them nobody knows', () => {
    const text = 'instances: { new: { apiKey: "***" } }\n';
    expect(restoreSecrets(text, TEXT)).toBe(text);
    expect(maskedSecrets(text)).toEqual([['instances', 'new', 'apiKey']]);
    expect(maskedSecrets(TEXT)).toEqual([]);
  });
});

it('takes a moment for a long line', () => {
  const apiKeys = Array.from({ length: 500 }, (_, index) => ({
    name: `n${index}`,
    key: `k${index}`,
  }));
  const text = JSON.stringify({ server: { apiKeys } });
  const began = performance.now();
  const shown = maskText(text);
  expect(restoreSecrets(shown, text)).toBe(text);
  expect(shown.match(/\*\*\*/g)).toHaveLength(500);
  expect(performance.now() - began).toBeLessThan(10_000);
});
