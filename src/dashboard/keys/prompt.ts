import type { View } from '../view.ts';
import type { Step } from './binding.ts';

/** A question in the last line. */
export function answer(view: View, key: string): Step {
  const prompt = view.prompt!;
  const closed: View = { ...view, prompt: undefined };
  if (key === 'escape' || key === 'n' || key === 'q') return { view: closed };
  if (prompt.kind === 'confirm') {
    return key === 'y' || key === 'Y' ? { view: closed, order: prompt.order } : { view };
  }
  if (key === 'enter') {
    const { instance, from, to } = prompt;
    if (from === to) return { view: closed };
    const done = `${instance} has weight ${to}`;
    return { view: closed, order: { do: 'change', instance, change: { weight: to }, done } };
  }
  const to = nextWeight(prompt.to, key);
  return { view: { ...view, prompt: { ...prompt, to } } };
}

/** The filter being typed. */
export function type(view: View, key: string): View {
  const { filter } = view;
  switch (key) {
    case 'enter':
      return { ...view, typing: false };
    case 'escape':
      return { ...view, typing: false, filter: '' };
    case 'backspace':
      return filter === ''
        ? { ...view, typing: false }
        : { ...view, filter: Array.from(filter).slice(0, -1).join('') };
    case 'space':
      return { ...view, filter: `${filter} ` };
    case 'ctrl-u':
      return { ...view, filter: '' };
    default:
      // Names of keys have several characters.
      return Array.from(key).length === 1 ? { ...view, filter: filter + key } : view;
  }
}

/** Whole numbers up and down from it; never nothing. */
export function nextWeight(weight: number, key: string): number {
  if (key === '+' || key === '=' || key === 'up') return Math.min(1000, Math.floor(weight) + 1);
  if (key === '-' || key === 'down') return weight > 1 ? Math.ceil(weight) - 1 : weight;
  return weight;
}
