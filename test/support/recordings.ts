import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pretty } from '../../src/recording/pretty.ts';
import type { Recording } from '../../src/recording/recording.ts';

/** A recorded chat call, but for what a test says. */
export function recorded(
  says: string,
  but: {
    readonly at?: string;
    readonly model?: string;
    readonly content?: string;
    readonly request?: object;
    readonly response?: object;
    readonly call?: object;
  } = {},
): object {
  const { at = '2026-11-26T18:00:00.000Z', model = 'm', content = 'Hello' } = but;
  const message = { role: 'assistant', content: says };
  return {
    version: 1,
    at,
    operation: 'chat',
    ...but.call,
    request: {
      headers: { 'content-type': 'application/json' },
      json: { model, messages: [{ role: 'user', content }] },
      ...but.request,
    },
    response: {
      status: 200,
      headers: { 'content-type': 'application/json' },
      json: { id: 'c', object: 'chat.completion', model, choices: [{ index: 0, message }] },
      ...but.response,
    },
  };
}

/** Writes recordings into a folder, by their names. */
export async function shelve(dir: string, files: Readonly<Record<string, unknown>>): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(dir, name), typeof content === 'string' ? content : pretty(content));
  }
}

/** Waits until a folder has so many recordings. @returns Them, the oldest first. */
export async function recordingsIn(
  dir: string,
  count: number,
): Promise<{ name: string; text: string; recording: Recording }[]> {
  let names: string[] = [];
  for (const began = Date.now(); Date.now() - began < 5000;) {
    names = (await readdir(dir).catch(() => []))
      .filter((name) => name.endsWith('.json'))
      .toSorted();
    if (names.length >= count) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (names.length !== count) throw new Error(`${names.length} recordings, not ${count}`);
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(dir, name), 'utf8');
      return { name, text, recording: JSON.parse(text) as Recording };
    }),
  );
}

/** The same with the keys of all objects in the opposite order. */
export function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, item]) => [key, reversed(item)]));
}
