import type { Capture } from '../observe/capture.ts';
import type { Outcome } from '../observe/outcome.ts';
import { maskQuery } from '../observe/secrets.ts';
import { answerBody, requestBody, type Hide } from './body.ts';
import { pretty } from './pretty.ts';
import { FORMAT, type Recording } from './recording.ts';

/** What is known of a call that is over. */
export interface FinishedCall {
  readonly outcome: Outcome;
  readonly method: string;
  /** As it was asked for, with its query. */
  readonly path: string;
  readonly tape: ReturnType<Capture['tape']>;
}

/** @param hide Takes secrets out of a text. */
export function recordingOf({ outcome, method, path, tape }: FinishedCall, hide: Hide): Recording {
  const { id, at, operation, model, stream, ending, error, status } = outcome;
  const { request, answer } = tape;
  return {
    version: FORMAT,
    at: new Date(at).toISOString(),
    id,
    operation,
    ending,
    error: error && hide(error),
    duration: tenths(outcome.duration),
    firstByte: tenths(outcome.firstByte),
    usage: outcome.usage,
    request: {
      method,
      path: hide(maskQuery(path)),
      model,
      stream,
      headers: hidden(request.headers, hide),
      ...requestBody(request, hide),
    },
    route: {
      instance: outcome.instance,
      model: outcome.upstreamModel,
      attempts: outcome.attempts.map((attempt) => ({
        instance: attempt.instance,
        model: attempt.model,
        status: attempt.status,
        ending: attempt.ending,
        duration: tenths(attempt.duration),
        error: attempt.error && hide(attempt.error),
      })),
    },
    response:
      answer && status !== undefined
        ? {
            status,
            headers: hidden(answer.headers, hide),
            torn: answer.ended ? undefined : true,
            ...answerBody(answer, hide),
          }
        : undefined,
  };
}

/** @returns The whole text of the file. */
export function recordingText(recording: Recording): string {
  return `${pretty(recording)}\n`;
}

/** `2026-11-26T18-05-12.123Z-chat-qwen3-8b-1f0c9a7e.json`: sorted by name is sorted by time. */
export function recordingName({ at, operation, model, id }: Outcome): string {
  const time = new Date(at).toISOString().replaceAll(':', '-');
  const short = safe(id.replace(/^req_/, '')).slice(0, 8);
  return `${[time, operation, safe(model ?? '') || 'no-model', short || 'call'].join('-')}.json`;
}

function hidden(headers: Readonly<Record<string, string>>, hide: Hide): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, hide(value)]));
}

/** What every file system takes in a name. */
function safe(text: string): string {
  return text
    .replaceAll(/[^A-Za-z0-9._]+/g, '-')
    .slice(0, 60)
    .replaceAll(/^[-.]+|[-.]+$/g, '');
}

function tenths<T extends number | undefined>(milliseconds: T): T | number {
  return milliseconds === undefined ? milliseconds : Math.round(milliseconds * 10) / 10;
}
