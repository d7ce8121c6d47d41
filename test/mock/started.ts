import OpenAI from 'openai';
import { onTestFinished } from 'vitest';
import { startMock, type Mock, type MockOptions } from '../../src/mock/server.ts';

/** Starts a mock for one test; it is closed when the test is over. */
export async function started(options?: MockOptions): Promise<Mock> {
  const mock = await startMock(options);
  onTestFinished(() => mock.close());
  return mock;
}

/** @returns The official client, pointed at a mock of its own, without its retries. */
export async function client(options?: MockOptions): Promise<OpenAI> {
  const { url } = await started(options);
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0 });
}

/** Posts JSON, as it is on the wire. */
export function post(url: string, body: unknown, init: RequestInit = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body), ...init });
}

/** @returns The `data` of each event. */
export function dataOf(stream: string): string[] {
  return stream
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice('data: '.length));
}
