import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseUrlProblem, normalizeBaseUrl } from '../../src/config/base-url.ts';

describe("a backend's address", () => {
  it.each([
    ['http://127.0.0.1:11434', 'http://127.0.0.1:11434'],
    ['http://127.0.0.1:11434/', 'http://127.0.0.1:11434'],
    ['http://127.0.0.1:8000/v1', 'http://127.0.0.1:8000'],
    ['http://127.0.0.1:8000/v1//', 'http://127.0.0.1:8000'],
    ['https://host/proxy/v1/', 'https://host/proxy'],
    ['https://host/api/v10', 'https://host/api/v10'],
    ['https://host/v1beta', 'https://host/v1beta'],
    ['http://v1', 'http://v1'],
    ['http://v1/v1', 'http://v1'],
    ['http://[::1]:80/v1', 'http://[::1]'],
  ])('%s is appended to as %s', (given, expected) => {
    expect(normalizeBaseUrl(given)).toBe(expected);
  });

  it('means the same with and without /v1 and slashes', () => {
    const path = fc.constantFrom('', '/a', '/a/b', '/v1beta', '/openai');
    fc.assert(
      fc.property(path, fc.constantFrom('', '/', '/v1', '/v1/', '//', '/v1//'), (base, end) => {
        expect(normalizeBaseUrl(`http://host:1${base}${end}`)).toBe(`http://host:1${base}`);
      }),
    );
  });

  it.each([
    ['127.0.0.1:8000', 'must be an http or https address like http://127.0.0.1:11434'],
    ['ftp://host', 'must be an http or https address like http://127.0.0.1:11434'],
    ['http://', 'must be an http or https address like http://127.0.0.1:11434'],
    ['http://me:secret@host', 'must not carry a user or password'],
    ['http://host/?key=1', 'must not have a query or fragment'],
    ['http://host/#x', 'must not have a query or fragment'],
  ])('%s is refused', (given, message) => {
    expect(baseUrlProblem(given)).toContain(message);
  });

  it('is fine otherwise', () => {
    expect(baseUrlProblem('https://host:8000/proxy/v1')).toBeUndefined();
  });
});
