import fc from 'fast-check';
import type { ServerEvent } from '../../src/adapters/adapter.ts';
import {
  gather,
  type AnswerEvent,
  type StopReason,
  type TokenUsage,
} from '../../src/dialects/answer.ts';
import type { AnswerContext } from '../../src/dialects/dialect.ts';
import type { Framing } from '../../src/http/framing.ts';

/** Where a stream is cut, as shares of its length. */
export type Cuts = readonly number[];

/** Text of any script, with quotes, line ends and what looks like framing. */
const text = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }),
  fc.constantFrom('data: x\n\n', '漢字', '👩‍👩‍👧', '"error"', '[DONE]', '\u2028', '\\'),
);
const texts = fc.array(text, { minLength: 1, maxLength: 4 });

const call = fc.record({
  name: fc.stringMatching(/^[a-z_]{1,12}$/),
  input: fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }),
  pieces: fc.integer({ min: 1, max: 5 }),
});

const count = fc.nat({ max: 100_000 });

/** An answer as a well-behaved model gives it: thoughts, then words, then calls, all or some. */
export const answers: fc.Arbitrary<readonly AnswerEvent[]> = fc
  .record({
    thoughts: fc.option(texts, { nil: undefined }),
    words: fc.option(texts, { nil: undefined }),
    calls: fc.array(call, { maxLength: 3 }),
    stop: fc.constantFrom<StopReason>('end', 'length', 'filtered'),
    usage: fc.record({ fresh: count, output: count, cached: count, reasoning: count }),
  })
  .map(({ thoughts = [], words = [], calls, stop, usage }) => {
    const { fresh, output, cached, reasoning } = usage;
    const tokens: TokenUsage = {
      input: fresh + cached,
      output: output + reasoning,
      cached,
      reasoning,
    };
    return [
      { type: 'start', model: 'm' },
      ...thoughts.map((part) => ({ type: 'reasoning', text: part }) as const),
      ...words.map((part) => ({ type: 'text', text: part }) as const),
      ...calls.flatMap(({ name, input, pieces }, index) => [
        { type: 'call', id: `call_${index}`, name } as const,
        ...cut(JSON.stringify(input), pieces).map(
          (part) => ({ type: 'arguments', text: part }) as const,
        ),
      ]),
      { type: 'usage', usage: tokens },
      { type: 'stop', reason: calls.length > 0 && stop === 'end' ? 'calls' : stop },
      { type: 'end' },
    ];
  });

function cut(whole: string, pieces: number): readonly string[] {
  const size = Math.ceil(whole.length / pieces);
  return Array.from({ length: pieces }, (_, at) => whole.slice(at * size, (at + 1) * size)).filter(
    Boolean,
  );
}

/** Reads a stream that arrives in pieces, cut anywhere, as the server does. */
export function eventsOf(stream: string, cuts: Cuts, framing: Framing): readonly ServerEvent[] {
  const bytes = Buffer.from(stream);
  const places = [...cuts.map((share) => Math.floor(share * bytes.length)), bytes.length];
  const cutter = framing.cutter();
  const events: ServerEvent[] = [];
  let from = 0;
  for (const to of places.sort((a, b) => a - b)) {
    const whole = to > from ? cutter.push(bytes.subarray(from, to)) : undefined;
    if (whole) events.push(...framing.parse(whole));
    from = Math.max(from, to);
  }
  return events;
}

export const cuts: fc.Arbitrary<Cuts> = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
  maxLength: 12,
});

/** What must survive every translation. */
export interface Essence {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly object[];
  readonly stop: StopReason;
  readonly usage: TokenUsage;
}

export function essence(events: Iterable<AnswerEvent>): Essence {
  const { blocks, stop, usage } = gather(events);
  const joined = (type: string) =>
    blocks.map((block) => (block.type === type && 'text' in block ? block.text : '')).join('');
  return {
    text: joined('text'),
    reasoning: joined('reasoning'),
    calls: blocks.flatMap((block) =>
      block.type === 'call'
        ? [{ id: block.id, name: block.name, input: JSON.parse(block.arguments) as unknown }]
        : [],
    ),
    stop,
    // Some dialects say nothing where others say zero.
    usage: { input: 0, output: 0, cached: 0, cacheWritten: 0, reasoning: 0, ...defined(usage) },
  };
}

function defined(object: object = {}): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

export function context(fields: Record<string, unknown> = {}): AnswerContext {
  let minted = 0;
  return {
    fields,
    model: 'm',
    now: 1_700_000_000_000,
    clock: () => 1_700_000_002_000,
    mint: (prefix) => `${prefix}${++minted}`,
  };
}
