import { formatCount, plain } from '../../format.ts';
import type { CapturedCall } from '../../observe/status.ts';
import type { AnswerText } from '../answer-text.ts';
import { answerOf } from '../captured.ts';
import type { Answer, ReplayTarget } from '../feed.ts';
import { duration, rate } from '../figures.ts';
import type { Line, Span } from '../line.ts';
import { plainLines } from '../text.ts';
import { diffWords, type DiffPart } from '../word-diff.ts';
import { flow, grid, heading, paragraph } from './page.ts';

const BEGINNING = 'Of the answer before, only the beginning was kept (capture.maxBytes).';
const ZERO = { before: 0, now: 0 };

export interface ReplayPage {
  readonly call: CapturedCall;
  readonly to: ReplayTarget | undefined;
  /** Absent while it is awaited. */
  readonly answer: Answer | undefined;
}

/** Both answers to one request: their figures side by side, and where their texts differ. */
export function replayLines({ call, to, answer }: ReplayPage, width: number): readonly Line[] {
  if (!answer) {
    const where = to === undefined ? 'as it came' : `to ${plain(to.instance)}`;
    return [[`Sent again ${where}; waiting for the answer …`]];
  }
  const before = call.answer && answerOf(call.answer);
  const after = answerOf(answer.answer);
  // An error comes faster than any answer.
  const comparable = call.ending === 'ok' && answer.status < 400;
  const took = { before: call.duration, now: answer.duration };
  const tokensBefore = before?.tokensOut ?? call.usage?.output;
  // A stream's tokens come after its first byte, any other answer's before it.
  const start = call.stream ? { before: call.firstByte ?? 0, now: answer.firstByte } : ZERO;
  const rows: Line[][] = [
    [[''], [['before', 'accent']], [['now', 'accent']], []],
    row('instance', call.instance ?? call.attempts.at(-1)?.instance, answer.instance),
    row('model', call.upstreamModel ?? call.model, answer.model),
    row(
      'status',
      call.status === undefined ? undefined : String(call.status),
      String(answer.status),
    ),
    row('finish', before?.finish, after.finish),
    [
      ...row('first byte', known(call.firstByte), duration(answer.firstByte)),
      [comparable ? compare(call.firstByte, answer.firstByte) : ''],
    ],
    [
      ...row('total', duration(took.before), duration(took.now)),
      [comparable ? compare(took.before, took.now) : ''],
    ],
    // How long it waited now is within its first byte: only the server knows.
    ...(call.waited >= 1
      ? [[[['of that waited', 'faint']], [duration(call.waited)]] as Line[]]
      : []),
    row('tokens in', tokens(before?.tokensIn ?? call.usage?.input), tokens(after.tokensIn)),
    row('tokens out', tokens(tokensBefore), tokens(after.tokensOut)),
    row(
      'tok/s',
      speed(tokensBefore, took.before - start.before),
      speed(after.tokensOut, took.now - start.now),
    ),
  ];
  const cut = call.answer?.truncated ?? false;
  return [
    ...grid(rows, width),
    [],
    ...(cut ? [[[BEGINNING, 'faint']] as Line, []] : []),
    ...textLines(before, after, width),
  ];
}

function row(name: string, before: string | undefined, after: string | undefined): Line[] {
  const changed = before !== undefined && after !== undefined && before !== after;
  return [[[name, 'faint']], [before ?? '–'], [changed ? [after, 'strong'] : (after ?? '–')]];
}

function textLines(before: AnswerText | undefined, after: AnswerText, width: number): Line[] {
  if (!before)
    return [
      heading('Answer'),
      [['The answer before was not kept: there is nothing to compare with.', 'faint']],
      ...paragraph(after.text, width),
    ];
  const parts = difference(before, after);
  if (parts.every(({ kind }) => kind === 'same'))
    return [heading('Text: no difference'), ...diffLines(parts, width)];
  return [
    [['Text', 'accent'], '   ', ['[-only before-]', 'bad'], '   ', ['{+only now+}', 'good']],
    ...diffLines(parts, width),
  ];
}

/** Comparing long texts takes a while, and the page is drawn each second. */
function difference(before: AnswerText, after: AnswerText): readonly DiffPart[] {
  const [a = '', b = ''] = [before, after].map(({ text }) => text.slice(0, COMPARED));
  const key = `${a}\u0000${b}`;
  if (last?.key !== key) last = { key, parts: readable(plainLines(a), plainLines(b)) };
  return last.parts;
}

/** Where hardly a word is the same, one text after the other says more than a mix of both. */
function readable(before: string, after: string): readonly DiffPart[] {
  const parts = diffWords(before, after);
  const same = parts.reduce(
    (sum, { kind, text }) => sum + (kind === 'same' ? wordsIn(text) : 0),
    0,
  );
  if (same >= ALIKE * Math.max(wordsIn(before), wordsIn(after))) return parts;
  return [
    { kind: 'removed', text: before },
    { kind: 'same', text: '\n\n' },
    { kind: 'added', text: after },
  ];
}

/** Of the words of the longer text. */
const ALIKE = 0.2;

function wordsIn(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

/** Characters of each text. */
const COMPARED = 64_000;

let last: { readonly key: string; readonly parts: readonly DiffPart[] } | undefined;

/** Signs around what changed, as `git diff --word-diff` has them: colour alone must not tell it. */
const SIGNS = {
  same: ['', '', undefined],
  removed: ['[-', '-]', 'bad'],
  added: ['{+', '+}', 'good'],
} as const;

function diffLines(parts: readonly DiffPart[], width: number): Line[] {
  const spans = parts.map(({ kind, text }): Span => {
    const [open, close, tone] = SIGNS[kind];
    return tone ? [`${open}${text}${close}`, tone] : text;
  });
  return flow(spans, width);
}

function known(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : duration(milliseconds);
}

function tokens(value: number | undefined): string | undefined {
  return value === undefined ? undefined : formatCount(value);
}

/** @param took Milliseconds. */
function speed(output: number | undefined, took: number): string | undefined {
  return output === undefined || took <= 0 ? undefined : rate((output * 1000) / took);
}

/** `12 % faster`, `1.8 times as long`. */
function compare(before: number | undefined, after: number): Span {
  if (before === undefined || before <= 0 || after <= 0) return '';
  const ratio = after / before;
  if (ratio > 0.95 && ratio < 1.05) return ['about the same', 'faint'];
  if (ratio >= 2) return [`${rate(ratio)} times as long`, 'warn'];
  if (ratio > 1) return [`${Math.round((ratio - 1) * 100)} % slower`, 'warn'];
  return [`${Math.round((1 - ratio) * 100)} % faster`, 'good'];
}
