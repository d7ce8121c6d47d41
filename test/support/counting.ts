import { expect } from 'vitest';
import { readStatus } from '../../src/http/status.ts';
import type { RecentCall, Totals } from '../../src/observe/status.ts';
import { parseExposition } from './exposition.ts';
import type { TestGateway } from './gateway.ts';

/** What an observer outside counts, in the words of the status. */
export type Seen = { -readonly [K in keyof Totals]: Totals[K] } & {
  errors: Record<string, number>;
};

export function nothingSeen(): Seen {
  return {
    calls: 0,
    ok: 0,
    failed: 0,
    broken: 0,
    aborted: 0,
    errors: {},
    tokensIn: 0,
    tokensOut: 0,
    tokensGuessed: 0,
    bytesIn: 0,
    bytesOut: 0,
  };
}

export function seeError(seen: Seen, kind: string): void {
  seen.errors[kind] = (seen.errors[kind] ?? 0) + 1;
}

/**
 * Holds all that a server tells of its calls to what was seen outside: the status, the last calls,
 * and what Prometheus gets.
 * @param backends What each instance's backend saw.
 */
export async function expectTold(
  { gateway, url }: TestGateway,
  seen: Seen,
  backends: Readonly<Record<string, Seen>>,
): Promise<void> {
  const { totals, instances, models } = readStatus(gateway);
  const calls = gateway.observe.recent();
  expect(totals).toEqual(seen);
  expect(added(calls)).toEqual(seen);
  expect(Object.fromEntries(instances.map(({ name, totals: own }) => [name, own]))).toEqual(
    backends,
  );
  const attempts = Object.values(backends).reduce((sum, own) => sum + own.calls, 0);
  expect(calls.flatMap((one) => one.attempts)).toHaveLength(attempts);

  const [mine] = gateway.snapshot.config.server.apiKeys;
  const headers = { authorization: `Bearer ${mine?.key}` };
  const { sum } = parseExposition(await (await fetch(`${url}/metrics`, { headers })).text());
  const requests = (outcome: string) => sum('jairouter_requests_total', { outcome });
  expect(requests('ok')).toBe(seen.ok);
  expect(requests('error')).toBe(seen.failed);
  expect(requests('broken')).toBe(seen.broken);
  expect(requests('aborted')).toBe(seen.aborted);
  for (const { model, totals: own } of models)
    expect(sum('jairouter_requests_total', { model })).toBe(own.calls);
  expect(sum('jairouter_request_duration_seconds_count')).toBe(seen.ok);
  expect(sum('jairouter_tokens_total', { direction: 'input' })).toBe(seen.tokensIn);
  expect(sum('jairouter_tokens_total', { direction: 'output' })).toBe(seen.tokensOut);
  expect(sum('jairouter_guessed_tokens_total')).toBe(seen.tokensGuessed);
  expect(sum('jairouter_request_bytes_total')).toBe(seen.bytesIn);
  expect(sum('jairouter_response_bytes_total')).toBe(seen.bytesOut);
  for (const [code, count] of Object.entries(seen.errors))
    expect(sum('jairouter_errors_total', { code })).toBe(count);
  for (const [backend, own] of Object.entries(backends)) {
    const ended = (outcome: string) => sum('jairouter_attempts_total', { backend, outcome });
    expect(sum('jairouter_attempts_total', { backend })).toBe(own.calls);
    expect(ended('ok')).toBe(own.ok);
    expect(ended('error')).toBe(own.failed);
    expect(ended('broken')).toBe(own.broken);
    expect(ended('aborted')).toBe(own.aborted);
    for (const [code, count] of Object.entries(own.errors))
      expect(sum('jairouter_attempt_errors_total', { backend, code })).toBe(count);
  }
  expect(sum('jairouter_rate_limit_refusals_total')).toBe(seen.errors['rate_limit_exceeded'] ?? 0);
  expect(sum('jairouter_requests_in_flight')).toBe(0);
}

/** Adds up calls of the ring as the totals are added up. */
function added(calls: readonly RecentCall[]): Seen {
  const sum = nothingSeen();
  for (const one of calls) {
    sum.calls += 1;
    sum[one.ending === 'error' ? 'failed' : one.ending] += 1;
    if (one.errorKind !== undefined) seeError(sum, one.errorKind);
    sum.tokensIn += one.usage?.input ?? 0;
    sum.tokensOut += one.usage?.output ?? 0;
    sum.tokensGuessed += one.tokensGuessed;
    sum.bytesIn += one.bytesIn;
    sum.bytesOut += one.bytesOut;
  }
  return sum;
}
