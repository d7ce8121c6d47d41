import type { ContentPart, FilePart, ResultPart, TextPart, Turn } from './prompt.ts';
import { decodeText } from './media.ts';

/** The turns with neighbours of the same role joined: some dialects want roles to alternate. */
export function joined(turns: readonly Turn[]): readonly Turn[] {
  const out: Turn[] = [];
  for (const turn of turns) {
    const last = out.at(-1);
    if (last?.role === turn.role)
      out[out.length - 1] = { ...last, content: [...last.content, ...turn.content] } as Turn;
    else out.push(turn);
  }
  return out;
}

/**
 * The turns with no system turn but at their start: many models' templates refuse one later on. What
 * it says is told by the user then, and marked as not his.
 */
export function systemFirst(turns: readonly Turn[]): readonly Turn[] {
  const start = turns.findIndex(({ role }) => role !== 'system');
  return turns.map((turn, index) =>
    turn.role === 'system' && index > start && start >= 0
      ? {
          role: 'user',
          content: [{ type: 'text', text: `<system>\n${textOf(turn.content)}\n</system>` }],
        }
      : turn,
  );
}

/** The ids of all calls in a conversation. */
export function callIdsOf(turns: readonly Turn[]): readonly string[] {
  return turns.flatMap(({ role, content }) =>
    role === 'assistant' ? content.flatMap((part) => (part.type === 'call' ? [part.id] : [])) : [],
  );
}

/** The texts of a turn as one, where a dialect has room for no more. */
export function textOf(parts: readonly TextPart[]): string {
  return parts.map(({ text }) => text).join('\n\n');
}

/** A document as text, when it is one. */
export function inlineText({ source, name }: FilePart): TextPart | undefined {
  if (!('data' in source) || !/^(text\/|application\/json\b)/.test(source.mediaType)) {
    return undefined;
  }
  const text = decodeText(source.data);
  return { type: 'text', text: name === undefined ? text : `${name}:\n\n${text}` };
}

/** A tool's result as its text, and what of it is no text. */
export function splitResult({ content, failed }: ResultPart): {
  readonly text: string;
  readonly media: readonly ContentPart[];
} {
  const texts: string[] = [];
  const media: ContentPart[] = [];
  for (const part of content) {
    const text = part.type === 'file' ? inlineText(part) : part;
    if (text?.type === 'text') texts.push(text.text);
    else media.push(part);
  }
  const text = texts.join('\n');
  // Nothing else tells the model so, in a dialect without a field for it.
  return { text: failed && !/error/i.test(text) ? `Error: ${text}` : text, media };
}

export function isResult(part: ContentPart | ResultPart): part is ResultPart {
  return part.type === 'result';
}
