import type { Order } from '../order.ts';
import type { State } from '../state.ts';
import type { Page, View } from '../view.ts';

/** What a key brings about: another view, and perhaps something to be done. */
export interface Step {
  readonly view: View;
  readonly order?: Order;
}

/** A key, or several that do the same, and what they do: a row in the table of keys. */
export interface Binding {
  /** As `keysOf` tells them. */
  readonly keys: readonly string[];
  /** How the keys are written for people. */
  readonly shown: string;
  /** In a word or two, for the footer. */
  readonly does: string;
  /** In a sentence, for the help; empty when another row has said it. */
  readonly help: string;
  readonly group: 'move' | 'look' | 'instance' | 'call' | 'server';
  /** In the footer, the lower stays longer; absent: it is only in the help. */
  readonly rank?: number;
  when(state: State): boolean;
  press(state: State, key: string): Step;
}

export function noPage({ view }: State): boolean {
  return view.pages.length === 0;
}

/** A page without its data yet, not scrolled. */
export const FRESH = { scroll: 0, problem: undefined } as const;

/** Opens a page over what is there. */
export function openPage({ view }: State, page: Page, order?: Order): Step {
  const next = { ...view, pages: [...view.pages, page] };
  return order ? { view: next, order } : { view: next };
}

/** Asks before something is done that hurts. */
export function ask({ view }: State, question: string, order: Order): Step {
  return { view: { ...view, prompt: { kind: 'confirm', question, order } } };
}
