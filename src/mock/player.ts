import { createHash } from 'node:crypto';
import { record, type Fields } from './fields.ts';
import type { Condition, FailingTurn, Script, SpokenTurn } from './script.ts';

/** Plays a script to all who call. */
export interface Player {
  /**
   * @returns The turn that this call is to get; `ended` when its conversation has no more of them;
   *   nothing when it is part of none.
   */
  next(model: string, fields: Fields, messages: readonly Fields[]): Played | undefined;
}

export type Played = SpokenTurn | FailingTurn | 'ended';

/** Conversations that are remembered; older ones begin anew, which only their failures notice. */
const REMEMBERED = 1000;

/** What has to be kept of a conversation, since no call tells it. */
interface Memory {
  /** How often each failing turn was played. */
  readonly failed: Map<FailingTurn, number>;
  /** The model's turns in its longest call. */
  furthest: number;
}

/**
 * Where a conversation stands is seen from the call itself, which has all of it: so several may run
 * at once, and a call that is repeated gets the same turn again. Only how often it has failed must be
 * remembered.
 */
export function playScript(script: Script): Player {
  const memories = new Map<string, Memory>();
  const memoryOf = (messages: readonly Fields[]): Memory => {
    const key = keyOf(messages);
    const spoken = turnsSpoken(messages);
    const known = memories.get(key);
    // It is shorter than it was: somebody has begun anew with the same words.
    const kept = known && spoken >= known.furthest ? known : undefined;
    const memory = kept ?? { failed: new Map(), furthest: spoken };
    memory.furthest = spoken;
    memories.delete(key);
    memories.set(key, memory);
    if (memories.size > REMEMBERED) memories.delete(memories.keys().next().value!);
    return memory;
  };
  return {
    next(model, fields, messages) {
      const conversation = script.conversations.find(({ when }) =>
        fits(when, { model, fields, messages }),
      );
      if (!conversation) return undefined;
      const { failed } = memoryOf(messages);
      let spoken = turnsSpoken(messages);
      for (const turn of conversation.turns) {
        if (turn.kind === 'spoken') {
          if (spoken === 0) return turn;
          spoken--;
        } else if (spoken === 0 && (failed.get(turn) ?? 0) < turn.times) {
          failed.set(turn, (failed.get(turn) ?? 0) + 1);
          return turn;
        }
      }
      return 'ended';
    },
  };
}

function fits(
  { model: pattern, user, system, tools }: Condition,
  call: { model: string; fields: Fields; messages: readonly Fields[] },
): boolean {
  const { model, fields, messages } = call;
  const first = (...roles: string[]): string =>
    textOf(messages.find(({ role }) => roles.includes(String(role))));
  const offered = toolNames(fields);
  return (
    (pattern === undefined || wildcard(pattern).test(model)) &&
    (user === undefined || first('user').includes(user)) &&
    (system === undefined || first('system', 'developer').includes(system)) &&
    (tools === undefined ||
      (typeof tools === 'string' ? offered.includes(tools) : tools === offered.length > 0))
  );
}

function wildcard(pattern: string): RegExp {
  const pieces = pattern.split('*').map((piece) => piece.replaceAll(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${pieces.join('.*')}$`, 's');
}

/** @returns The names of the tools that a client offers. */
function toolNames(fields: Fields): string[] {
  const tools: unknown = fields['tools'];
  return (Array.isArray(tools) ? (tools as unknown[]) : []).flatMap((tool) => {
    const own = record(tool);
    const { name } = record(own['function'] ?? own['custom']);
    return typeof name === 'string' ? [name] : [];
  });
}

/** Messages of the model's, of which several in a row are one: text and calls may come apart. */
function turnsSpoken(messages: readonly Fields[]): number {
  return messages.filter(
    ({ role }, index) => role === 'assistant' && messages[index - 1]?.['role'] !== 'assistant',
  ).length;
}

/** How a conversation began, which is all that stays the same in it. */
function keyOf(messages: readonly Fields[]): string {
  const user = messages.findIndex(({ role }) => role === 'user');
  const beginning = JSON.stringify(messages[user] ?? messages[0] ?? null);
  return createHash('sha256').update(beginning).digest('base64');
}

/** @returns The text of a message, its parts joined. */
export function textOf(message: Fields | undefined): string {
  const content = message?.['content'];
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return (content as unknown[])
    .map((part) => record(part)['text'])
    .filter((text) => typeof text === 'string')
    .join(' ');
}
