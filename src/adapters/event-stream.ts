import type { Answer, ServerEvent } from './adapter.ts';

/** Answers as an event stream, for a client that asked for one where the backend cannot stream. */
export function eventStream(events: readonly ServerEvent[]): Answer {
  const body = events
    .map(({ event, data }) => `${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`)
    .join('');
  return { body, contentType: 'text/event-stream; charset=utf-8' };
}
