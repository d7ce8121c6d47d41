import type { Call } from './call.ts';
import { readLimits, usageOf } from './chat.ts';
import { MockError } from './error.ts';
import { flag, record, wholeNumber, type Fields } from './fields.ts';
import { introduction, limited, quote, tokens } from './prose.ts';

/** `POST /v1/completions` */
export async function completions(call: Call): Promise<void> {
  const prompts = readPrompts(call.fields);
  const each = wholeNumber(call.fields, 'n', { min: 1, max: 128 }) ?? 1;
  const limits = readLimits(call.fields);
  const turns = prompts.flatMap((prompt) => {
    const text = ` ${introduction(call.model)} You wrote: ${quote(prompt)}`;
    const { pieces, reason } = limited(text, limits);
    const echoed = flag(call.fields, 'echo') ? [prompt, ...pieces] : pieces;
    return Array.from({ length: each }, () => ({ pieces: echoed, reason, made: pieces.length }));
  });
  const made = turns.reduce((sum, turn) => sum + turn.made, 0);
  const usage = usageOf(tokens(prompts.join('\n')).length, made);
  const head = {
    id: call.id('cmpl'),
    object: 'text_completion',
    created: call.created,
    model: call.model,
  };
  const part = (index: number, text: string, finish_reason: string | null): unknown => ({
    index,
    text,
    logprobs: null,
    finish_reason,
  });

  if (!flag(call.fields, 'stream')) {
    await call.pace.first();
    await call.pace.tokens(made);
    const choices = turns.map(({ pieces, reason }, index) => part(index, pieces.join(''), reason));
    call.reply.json({ ...head, choices, usage });
    return;
  }
  const withUsage = flag(record(call.fields['stream_options']), 'include_usage');
  const events = call.reply.events();
  await call.pace.first();
  for (const [index, { pieces, reason }] of turns.entries()) {
    for (const [at, piece] of pieces.entries()) {
      if (index + at > 0) await call.pace.tokens(1);
      const choices = [part(index, piece, null)];
      await events.send({ ...head, choices, ...(withUsage && { usage: null }) });
    }
    const choices = [part(index, '', reason)];
    await events.send({ ...head, choices, ...(withUsage && { usage: null }) });
  }
  if (withUsage) await events.send({ ...head, choices: [], usage });
  await events.send('[DONE]');
  events.end();
}

/** A prompt is a text, a list of texts, a list of tokens, or a list of those. */
function readPrompts(fields: Fields): readonly string[] {
  const prompt = fields['prompt'] ?? '';
  if (typeof prompt === 'string') return [prompt];
  if (Array.isArray(prompt) && prompt.length > 0) {
    const items = prompt as unknown[];
    if (items.every((item) => typeof item === 'string')) return items;
    if (items.every((item) => typeof item === 'number')) return [items.join(' ')];
    if (items.every((item) => Array.isArray(item))) return items.map((item) => item.join(' '));
  }
  throw new MockError(400, "'prompt' must be a string, a list of strings or tokens.", {
    param: 'prompt',
    code: 'invalid_value',
  });
}
