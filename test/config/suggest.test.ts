import { expect, it } from 'vitest';
import { nearest } from '../../src/config/suggest.ts';

it.each([
  ['hots', 'host'],
  ['prot', 'port'],
  ['url', 'baseUrl'],
  ['base_url', 'baseUrl'],
  ['weigth', 'weight'],
  ['maxConcurency', 'maxConcurrency'],
  // Two letters of four make another word.
  ['wait', undefined],
  ['nonsense', undefined],
])('takes %s for %s', (given, meant) => {
  const known = ['host', 'port', 'paid', 'baseUrl', 'weight', 'maxConcurrency', 'priority'];
  expect(nearest(given, known)).toBe(meant);
});
