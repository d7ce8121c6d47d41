import { asObject, parseJson } from '../adapters/json.ts';
import type { AnswerEvent, StopReason } from './answer.ts';
import { AnswerFailed } from './dialect.ts';

interface OpenCall {
  readonly name: string;
  text: string;
}

/**
 * Sees to what every answer promises, whatever its backend does: it has a start, calls have ids of
 * their own and arguments that are JSON objects, a stop reason that fits is told once, and an end
 * comes last.
 * Made anew for each answer.
 * @param mint Makes an id for a call that has none, or another's.
 * @param taken Ids of calls in the conversation so far: some backends count anew in each answer.
 * @throws AnswerFailed when a model has written arguments that are no JSON object.
 */
export function settle(
  mint: (prefix: string) => string,
  taken: Iterable<string> = [],
): (event: AnswerEvent) => readonly AnswerEvent[] {
  const ids = new Set(taken);
  let started = false;
  let open: OpenCall | undefined;
  let called = false;
  let refused = false;
  let stopped = false;

  /** @param cut The model was stopped at a limit, maybe in the middle of a call. */
  const closeCall = (cut: boolean): readonly AnswerEvent[] => {
    if (!open) return NONE;
    const { name, text } = open;
    open = undefined;
    if (text.trim() === '') return [{ type: 'arguments', text: '{}' }];
    if (cut || asObject(parseJson(text))) return NONE;
    throw new AnswerFailed(
      `The model called "${name}" with arguments that are no JSON object: ${text.slice(0, 200)}`,
    );
  };

  const stop = (event: Extract<AnswerEvent, { type: 'stop' }>): readonly AnswerEvent[] => {
    stopped = true;
    const closing = closeCall(event.reason === 'length' || event.reason === 'context');
    return [...closing, { ...event, reason: fitting(event.reason, { called, refused }) }];
  };

  const settled = (event: AnswerEvent): readonly AnswerEvent[] => {
    switch (event.type) {
      case 'arguments':
        if (!open) return NONE;
        open.text += event.text;
        return [event];
      case 'call': {
        const closing = closeCall(false);
        if (event.name === '') throw new AnswerFailed('The model called a tool without a name.');
        const id = event.id === '' || ids.has(event.id) ? mint('call_') : event.id;
        ids.add(id);
        called = true;
        open = { name: event.name, text: '' };
        return [...closing, id === event.id ? event : { ...event, id }];
      }
      case 'stop':
        return stop(event);
      case 'end':
        return stopped ? [event] : [...stop({ type: 'stop', reason: 'end' }), event];
      case 'start':
      case 'usage':
        return [event];
      default:
        refused ||= event.type === 'refusal';
        return open ? [...closeCall(false), event] : [event];
    }
  };

  return (event) => {
    const begins = !started && event.type !== 'start';
    started = true;
    return begins ? [{ type: 'start' }, ...settled(event)] : settled(event);
  };
}

const NONE: readonly AnswerEvent[] = [];

/** Some say `stop` of everything. */
function fitting(
  reason: StopReason,
  { called, refused }: { readonly called: boolean; readonly refused: boolean },
): StopReason {
  if (reason === 'end' && called) return 'calls';
  if (reason === 'end' && refused) return 'filtered';
  if (reason === 'calls' && !called) return 'end';
  return reason;
}
