import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnswerEvent } from '../../src/dialects/answer.ts';
import { gather } from '../../src/dialects/answer.ts';
import type { Dialect } from '../../src/dialects/dialect.ts';
import { ASKED, SERVED } from '../../src/dialects/index.ts';
import { settle } from '../../src/dialects/settle.ts';
import { answerStage } from '../../src/dialects/translate.ts';
import { FRAMINGS, type Framing } from '../../src/http/framing.ts';
import { answers, context, cuts, essence, eventsOf } from './events.ts';

type DialectName = keyof typeof ASKED & keyof typeof SERVED;
const NAMES = Object.keys(SERVED).filter((name) => name in ASKED) as DialectName[];
const DIALECTS = Object.fromEntries(
  NAMES.map((name) => [name, { ...SERVED[name], ...ASKED[name] }]),
) as Record<DialectName, Dialect>;
const PAIRS = NAMES.flatMap((from) => NAMES.map((to) => [from, to] as const));

/** What a client sends that wants all that can be told. */
const WISHES = { stream_options: { include_usage: true } };

function written(dialect: Dialect, events: readonly AnswerEvent[]): string {
  const writer = dialect.eventWriter(context(WISHES));
  return events.map((event) => writer.write(event)).join('');
}

function read(name: DialectName, stream: string): readonly AnswerEvent[] {
  const reader = DIALECTS[name].eventReader();
  const settled = settle(context().mint);
  return eventsOf(stream, [], framingOf(name)).flatMap((event) =>
    reader(event).flatMap((one) => settled(one)),
  );
}

function framingOf(name: DialectName): Framing {
  return name === 'ollamaChat' ? FRAMINGS.lines : FRAMINGS.events;
}

/** What both of two dialects have words for. */
function common(from: DialectName, to: DialectName, events: Iterable<AnswerEvent>): object {
  const { stop, usage, ...rest } = essence(events);
  if (from !== 'ollamaChat' && to !== 'ollamaChat') return { ...rest, stop, usage };
  // Ollama counts no parts of what is read and written, and knows no filter.
  const { input, output } = usage;
  return {
    ...rest,
    stop: stop === 'filtered' ? (rest.calls.length > 0 ? 'calls' : 'end') : stop,
    usage: { input, output },
  };
}

describe.each(PAIRS)('from %s to %s', (from, to) => {
  it('a stream keeps text, thoughts, calls, stop reason and usage, wherever it is cut', () => {
    fc.assert(
      fc.property(answers, cuts, (events, places) => {
        const stage = answerStage(
          { from: DIALECTS[from], to: DIALECTS[to], contentType: '' },
          { ...context(WISHES), stream: true },
        );
        const out = eventsOf(written(DIALECTS[from], events), places, framingOf(from))
          .map((event) => stage.event(event))
          .join('');
        expect(stage.ended).toBe(true);
        expect(common(from, to, read(to, out))).toEqual(common(from, to, events));
      }),
      { numRuns: 60 },
    );
  });

  it('a whole answer keeps them too, and makes a stream of itself when that is wanted', () => {
    fc.assert(
      fc.property(answers, fc.boolean(), (events, stream) => {
        const whole = DIALECTS[from].writeAnswer(gather(events), context());
        const stage = answerStage(
          { from: DIALECTS[from], to: DIALECTS[to], contentType: '' },
          { ...context(WISHES), stream },
        );
        const { body } = stage.body(Buffer.from(JSON.stringify(whole)));
        const out = stream
          ? read(to, String(body))
          : DIALECTS[to]
              .readAnswer(JSON.parse(String(body)) as Record<string, unknown>)
              .flatMap(settle(context().mint));
        expect(common(from, to, out)).toEqual(common(from, to, events));
      }),
      { numRuns: 40 },
    );
  });
});

describe('whatever a backend sends', () => {
  it.each(NAMES)('%s is read without a throw that is no refusal', (name) => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.json(), fc.string(), garbage(name)), { maxLength: 8 }),
        (data) => {
          const stage = answerStage(
            { from: DIALECTS[name], to: DIALECTS.messages, contentType: '' },
            { ...context(), stream: true },
          );
          try {
            for (const one of data) stage.event({ data: one });
          } catch (error) {
            expect((error as Error).name).toBe('AnswerFailed');
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** Objects with a dialect's own keys, and anything in them. */
function garbage(name: DialectName): fc.Arbitrary<string> {
  const sample = written(DIALECTS[name], [
    { type: 'start', model: 'm' },
    { type: 'text', text: 'x' },
    { type: 'call', id: 'c', name: 'f' },
    { type: 'arguments', text: '{}' },
    { type: 'stop', reason: 'calls' },
    { type: 'end' },
  ]);
  const values = eventsOf(sample, [], framingOf(name)).map(({ data }) => data);
  return fc
    .tuple(fc.constantFrom(...values), fc.nat(), fc.jsonValue({ maxDepth: 2 }))
    .map(([data, place, value]) => mutated(data, place, value));
}

/** The JSON with one of its values replaced. */
function mutated(data: string, place: number, value: unknown): string {
  let object: unknown;
  try {
    object = JSON.parse(data);
  } catch {
    return data;
  }
  const spots: [Record<string, unknown>, string][] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      spots.push([node as Record<string, unknown>, key]);
      visit((node as Record<string, unknown>)[key]);
    }
  };
  visit(object);
  const [node, key] = spots[place % spots.length]!;
  node[key] = value;
  return JSON.stringify(object);
}
