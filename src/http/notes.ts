import type { OutgoingHttpHeaders } from 'node:http';
import type { Usage } from '../observe/usage.ts';

/** Headers that tell the client of something that it could not know. */
export const NOTE_NAMES = ['x-jairouter-repaired', 'x-jairouter-warning'] as const;
export type NoteName = (typeof NOTE_NAMES)[number];

/**
 * What is to be told beside an answer. What is known when its head goes out is told in headers, what
 * shows later in trailers.
 */
export class AnswerNotes {
  readonly #told = new Set<string>();
  #untold: { readonly name: NoteName; readonly text: string }[] = [];
  /** May have something to add when the answer's tokens are known. */
  judge: ((usage: Usage) => void) | undefined;

  add(name: NoteName, text: string): void {
    if (this.#told.has(name + text)) return;
    this.#told.add(name + text);
    this.#untold.push({ name, text });
  }

  /** @returns What has not been told yet, and from now on has. */
  take(usage: Usage | undefined): OutgoingHttpHeaders {
    if (usage) this.judge?.(usage);
    if (this.#untold.length === 0) return NONE;
    const headers: Record<string, string> = {};
    for (const { name, text: said } of this.#untold) {
      // Models have names that a header can't carry.
      const text = said.replaceAll(/[^\x20-\x7e]/g, '?');
      headers[name] = name in headers ? `${headers[name]}, ${text}` : text;
    }
    this.#untold = [];
    return headers;
  }
}

const NONE: OutgoingHttpHeaders = {};
